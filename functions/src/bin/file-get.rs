//! `GET /v1/files/{id}`: a file with its replicas, or a folder.

fn main() -> functions::Exit {
    functions::serve::<functions::file::get::FileGet>()
}
