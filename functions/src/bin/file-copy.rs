//! `POST /v1/files/{id}/copy`: makes a copy of a file.

fn main() -> functions::Exit {
    functions::file::copy::FUNCTION.main()
}
