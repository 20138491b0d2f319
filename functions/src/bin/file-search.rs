//! `GET /v1/search`: files and folders by words in their names.

fn main() -> functions::Exit {
    functions::file::search::FUNCTION.main()
}
