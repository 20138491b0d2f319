//! `POST /v1/versions/{id}/restore`: gives a file the content of a version again.

fn main() -> functions::Exit {
    functions::version::restore::FUNCTION.main()
}
