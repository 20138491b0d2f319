//! `GET /v1/files/{id}`: a file with its replicas, or a folder.

fn main() -> functions::Exit {
    functions::file::get::FUNCTION.main()
}
