//! `POST /v1/trash/{id}/restore`: restores a file or a folder from the trash.

fn main() -> functions::Exit {
    functions::trash::restore::FUNCTION.main()
}
