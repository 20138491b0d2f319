//! `GET /v1/files/{id}/link`: returns a presigned URL of the bytes.

fn main() -> functions::Exit {
    functions::file::link::FUNCTION.main()
}
