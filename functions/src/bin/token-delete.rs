//! `DELETE /v1/tokens/{id}`: ends a personal access token.

fn main() -> functions::Exit {
    functions::serve::<functions::token::delete::TokenDelete>()
}
