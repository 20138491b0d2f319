//! `GET /v1/account`: the caller's account, with what it uses of its quota.

fn main() -> functions::Exit {
    functions::account::get::FUNCTION.main()
}
