//! `DELETE /v1/files/{id}`: deletes a file or an empty folder.

fn main() -> functions::Exit {
    functions::file::delete::FUNCTION.main()
}
