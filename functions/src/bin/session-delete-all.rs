//! `DELETE /v1/sessions`: signs out everywhere.

fn main() -> functions::Exit {
    functions::session::delete_all::FUNCTION.main()
}
