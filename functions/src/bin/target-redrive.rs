//! `POST /v1/targets/{id}/redrive`: has a target's failed replicas tried again.

fn main() -> functions::Exit {
    functions::target::redrive::FUNCTION.main()
}
