//! Waiting for what others do.

use futures::FutureExt;
use std::panic::AssertUnwindSafe;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Long enough for anything that goes well on a slow, busy machine.
pub(crate) const TIMEOUT: Duration = Duration::from_mins(5);

/// Does something about what is counted by the hour; again, if the hour went by in the meantime.
pub(crate) async fn within_one_hour(attempt: impl AsyncFn()) {
    let hour = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() / 3600;
    loop {
        let began = hour();
        let tried = AssertUnwindSafe(attempt()).catch_unwind().await;
        if began == hour() {
            return tried.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        }
    }
}

/// Asks again and again until there is an answer. `what` names it for the case that there never is.
pub(crate) async fn until<T>(what: &str, ask: impl AsyncFnMut() -> Option<T>) -> T {
    until_for(TIMEOUT, what, ask).await
}

/// The same with another patience.
pub(crate) async fn until_for<T>(
    timeout: Duration,
    what: &str,
    mut ask: impl AsyncFnMut() -> Option<T>,
) -> T {
    let began = Instant::now();
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(began.elapsed() < timeout, "waited in vain: {what}");
        tokio::time::sleep(Duration::from_millis(150)).await;
    }
}
