//! Work that waits for a disk or keeps a processor busy, away from the threads that move bytes.

use std::cell::Cell;
use std::io;
use tokio::task::spawn_blocking;

thread_local! {
    static IN_PLACE: Cell<bool> = const { Cell::new(false) };
}

/// From now on this thread does such work itself. In a simulation things happen in one order, which other threads would not
/// keep to.
pub fn work_in_place() {
    IN_PLACE.set(true);
}

/// Does some work, and returns its result.
///
/// # Errors
/// When it panics.
pub(crate) async fn run<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> io::Result<T> {
    if IN_PLACE.get() {
        return Ok(work());
    }
    spawn_blocking(work).await.map_err(io::Error::other)
}
