//! `POST /v1/accounts`: registers a user.

fn main() -> functions::Exit {
    functions::serve::<functions::account::create::AccountCreate>()
}
