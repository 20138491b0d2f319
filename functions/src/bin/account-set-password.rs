//! `PUT /v1/account/password`: changes the password.

fn main() -> functions::Exit {
    functions::serve::<functions::account::set_password::AccountSetPassword>()
}
