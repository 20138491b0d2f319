//! `PATCH /v1/files/{id}`: renames or moves a file or a folder.

fn main() -> functions::Exit {
    functions::file::update::FUNCTION.main()
}
