//! `DELETE /v1/tokens/{id}`: ends a personal access token.

fn main() -> functions::Exit {
    functions::token::delete::FUNCTION.main()
}
