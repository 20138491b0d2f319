//! `GET /v1/uploads`: the caller's uploads that have not ended.

fn main() -> functions::Exit {
    functions::upload::list::FUNCTION.main()
}
