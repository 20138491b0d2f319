//! `GET /v1/targets`: how the targets are doing.

fn main() -> functions::Exit {
    functions::target::list::FUNCTION.main()
}
