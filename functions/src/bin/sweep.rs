//! Schedule: repairs, expires and reclaims.

fn main() -> functions::Exit {
    functions::sweep::FUNCTION.main()
}
