//! `POST /v1/sessions`: signs in.

fn main() -> functions::Exit {
    functions::session::create::FUNCTION.main()
}
