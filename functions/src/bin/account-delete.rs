//! `DELETE /v1/account`: deletes the account.

fn main() -> functions::Exit {
    functions::serve::<functions::account::delete::AccountDelete>()
}
