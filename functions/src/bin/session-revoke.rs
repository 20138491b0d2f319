//! `DELETE /v1/sessions/{id}`: ends one session of the account.

fn main() -> functions::Exit {
    functions::session::revoke::FUNCTION.main()
}
