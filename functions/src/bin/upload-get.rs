//! `GET /v1/uploads/{id}`: the state of an upload, and which parts the store has.

fn main() -> functions::Exit {
    functions::upload::get::FUNCTION.main()
}
