//! SQS: copies blobs to the targets.

fn main() -> functions::Exit {
    functions::replicate::FUNCTION.main()
}
