//! SQS: copies blobs to the targets.

fn main() -> functions::Exit {
    functions::run_on_all_cores::<functions::replicate::Replicate>()
}
