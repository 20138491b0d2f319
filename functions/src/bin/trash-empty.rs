//! `DELETE /v1/trash`: removes all that is in the trash.

fn main() -> functions::Exit {
    functions::trash::empty::FUNCTION.main()
}
