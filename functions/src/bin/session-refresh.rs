//! `POST /v1/sessions/refresh`: exchanges a refresh token for new tokens.

fn main() -> functions::Exit {
    functions::session::refresh::FUNCTION.main()
}
