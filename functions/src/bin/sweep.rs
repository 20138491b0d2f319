//! Schedule: repairs, expires and reclaims.

fn main() -> functions::Exit {
    functions::run::<functions::sweep::Sweep>()
}
