//! `POST /v1/tokens`: makes a personal access token.

fn main() -> functions::Exit {
    functions::token::create::FUNCTION.main()
}
