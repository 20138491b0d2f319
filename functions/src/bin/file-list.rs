//! `GET /v1/files`: the entries of a folder, by name.

fn main() -> functions::Exit {
    functions::file::list::FUNCTION.main()
}
