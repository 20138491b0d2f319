//! `DELETE /v1/sessions/current`: signs out.

fn main() -> functions::Exit {
    functions::session::delete::FUNCTION.main()
}
