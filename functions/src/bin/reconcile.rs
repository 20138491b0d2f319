//! Schedule: compares bucket and table, reports and repairs.

fn main() -> functions::Exit {
    functions::reconcile::FUNCTION.main()
}
