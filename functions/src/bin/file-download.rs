//! `GET /v1/files/{id}/content`: redirects to a presigned URL of the bytes.

fn main() -> functions::Exit {
    functions::file::download::FUNCTION.main()
}
