//! Many worlds at the same time: each is lived by one thread.

use std::thread;

/// Does the same on every core at once. What is to be done next has to be shared.
pub fn on_all_cores(work: impl Fn() + Sync) {
    let threads = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(&work);
        }
    });
}
