//! `DELETE /v1/sessions`: signs out everywhere.

fn main() -> functions::Exit {
    functions::serve::<functions::session::delete_all::SessionDeleteAll>()
}
