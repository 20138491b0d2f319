//! `POST /v1/files/batch`: moves, deletes or restores many files and folders.

fn main() -> functions::Exit {
    functions::file::batch::FUNCTION.main()
}
