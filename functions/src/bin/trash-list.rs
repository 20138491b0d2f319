//! `GET /v1/trash`: what is in the trash.

fn main() -> functions::Exit {
    functions::trash::list::FUNCTION.main()
}
