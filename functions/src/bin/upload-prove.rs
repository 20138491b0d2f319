//! `POST /v1/uploads/{id}/proof`: shows that the client has the bytes, which then need not be sent.

fn main() -> functions::Exit {
    functions::upload::prove::FUNCTION.main()
}
