//! `PATCH /v1/versions/{id}`: keeps a version for good, or not any more.

fn main() -> functions::Exit {
    functions::version::update::FUNCTION.main()
}
