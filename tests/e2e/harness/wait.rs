//! Waiting for what others do.

use std::time::{Duration, Instant};

/// Long enough for anything that goes well on a slow, busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_mins(5);

/// Asks again and again until there is an answer. `what` names it for the case that there never is.
pub(crate) async fn until<T>(what: &str, ask: impl AsyncFnMut() -> Option<T>) -> T {
    until_for(PATIENCE, what, ask).await
}

/// The same with another patience.
pub(crate) async fn until_for<T>(
    patience: Duration,
    what: &str,
    mut ask: impl AsyncFnMut() -> Option<T>,
) -> T {
    let began = Instant::now();
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(began.elapsed() < patience, "waited in vain: {what}");
        tokio::time::sleep(Duration::from_millis(150)).await;
    }
}
