//! `DELETE /v1/files/{id}`: brings a file or a folder into the trash, or removes it.

fn main() -> functions::Exit {
    functions::file::delete::FUNCTION.main()
}
