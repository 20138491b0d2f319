//! `DELETE /v1/account`: deletes the account.

fn main() -> functions::Exit {
    functions::account::delete::FUNCTION.main()
}
