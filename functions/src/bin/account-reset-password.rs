//! `POST /v1/accounts/password`: sets a forgotten password anew.

fn main() -> functions::Exit {
    functions::account::reset_password::FUNCTION.main()
}
