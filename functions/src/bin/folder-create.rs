//! `POST /v1/folders`: makes a folder.

fn main() -> functions::Exit {
    functions::folder::create::FUNCTION.main()
}
