//! `GET /v1/files/{id}/versions`: what a file has and had.

fn main() -> functions::Exit {
    functions::version::list::FUNCTION.main()
}
