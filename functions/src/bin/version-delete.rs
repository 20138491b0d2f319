//! `DELETE /v1/versions/{id}`: removes a version of a file.

fn main() -> functions::Exit {
    functions::version::delete::FUNCTION.main()
}
