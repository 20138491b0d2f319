//! `POST /v1/sessions`: signs in.

fn main() -> functions::Exit {
    functions::serve::<functions::session::create::SessionCreate>()
}
