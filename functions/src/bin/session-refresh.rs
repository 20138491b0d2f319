//! `POST /v1/sessions/refresh`: exchanges a refresh token for new tokens.

fn main() -> functions::Exit {
    functions::serve::<functions::session::refresh::SessionRefresh>()
}
