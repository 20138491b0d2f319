//! `GET /v1/tokens`: the personal access tokens of the account.

fn main() -> functions::Exit {
    functions::token::list::FUNCTION.main()
}
