//! `GET /v1/sessions`: where the account is signed in.

fn main() -> functions::Exit {
    functions::session::list::FUNCTION.main()
}
