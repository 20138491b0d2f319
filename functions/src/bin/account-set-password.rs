//! `PUT /v1/account/password`: changes the password.

fn main() -> functions::Exit {
    functions::account::set_password::FUNCTION.main()
}
