//! Attempts go on while the results of others are recorded.

use futures::stream::{self, FuturesUnordered, StreamExt};
use std::pin::pin;
use std::time::Duration;
use tokio::time::sleep;

/// Makes attempts, `at_once` at a time, and hands what `arrival` finds in their outcomes to `write`: `most` at a time, or
/// fewer when nothing else happens for as long as `quiet`. An attempt that is not polled sends nothing, and is given up by
/// the server: so none waits for a write. Returns the outcomes in the order of the attempts, and the results of the writes.
pub(super) async fn gather<T, A, W>(
    attempts: impl ExactSizeIterator<Item = impl Future<Output = T>>,
    (at_once, most, quiet): (usize, usize, Duration),
    arrival: impl Fn(&T) -> Option<A>,
    write: impl AsyncFn(Vec<(usize, A)>) -> W,
) -> (Vec<Option<T>>, Vec<W>) {
    enum GatherEvent<T, W> {
        Tried(Option<(usize, T)>),
        Written(W),
        Quiet,
    }
    let mut outcomes: Vec<Option<T>> = (0..attempts.len()).map(|_| None).collect();
    let attempts = attempts
        .enumerate()
        .map(|(index, attempt)| async move { (index, attempt.await) });
    let mut attempts = pin!(stream::iter(attempts).buffer_unordered(at_once));
    let (mut arrived, mut ended, mut is_quiet) = (Vec::new(), false, false);
    let (mut writes, mut written) = (FuturesUnordered::new(), Vec::new());
    loop {
        if !arrived.is_empty() && (ended || is_quiet || arrived.len() >= most) {
            writes.push(write(std::mem::take(&mut arrived)));
        }
        if ended && writes.is_empty() {
            return (outcomes, written);
        }
        let event = tokio::select! {
            tried = attempts.next(), if !ended => GatherEvent::Tried(tried),
            Some(done) = writes.next() => GatherEvent::Written(done),
            () = sleep(quiet), if !arrived.is_empty() => GatherEvent::Quiet,
        };
        is_quiet = matches!(event, GatherEvent::Quiet);
        match event {
            GatherEvent::Tried(Some((index, outcome))) => {
                arrived.extend(arrival(&outcome).map(|arrival| (index, arrival)));
                outcomes[index] = Some(outcome);
            }
            GatherEvent::Tried(None) => ended = true,
            GatherEvent::Written(done) => written.push(done),
            GatherEvent::Quiet => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::future::{BoxFuture, FutureExt};
    use std::sync::atomic::{AtomicBool, Ordering};

    const QUIET: Duration = Duration::from_millis(20);

    #[tokio::test]
    async fn attempts_go_on_while_results_are_written() {
        let (writing, seen) = (AtomicBool::new(false), AtomicBool::new(false));
        let attempts: Vec<BoxFuture<'_, usize>> = vec![
            async { 1 }.boxed(),
            async {
                // It moves on only while the first is being written down.
                while !writing.load(Ordering::SeqCst) {
                    sleep(Duration::from_millis(1)).await;
                }
                seen.store(true, Ordering::SeqCst);
                2
            }
            .boxed(),
        ];
        let write = async |arrived: Vec<(usize, usize)>| {
            writing.store(true, Ordering::SeqCst);
            while !seen.load(Ordering::SeqCst) {
                sleep(Duration::from_millis(1)).await;
            }
            arrived
        };
        let gathered = gather(
            attempts.into_iter(),
            (2, 10, QUIET),
            |number| Some(*number),
            write,
        );
        let gathered = tokio::time::timeout(Duration::from_secs(10), gathered).await;
        let (outcomes, mut written) = gathered.unwrap();
        written.sort_unstable();
        assert_eq!(outcomes, [Some(1), Some(2)]);
        assert_eq!(written, [vec![(0, 1)], vec![(1, 2)]]);
    }

    #[tokio::test]
    async fn all_that_arrives_is_written_once_and_together() {
        let attempts = (0..25).map(|number| async move { number });
        let even = |number: &usize| number.is_multiple_of(2).then_some(());
        let write = async |arrived: Vec<(usize, ())>| arrived.len();
        let (outcomes, written) = gather(attempts, (4, 10, QUIET), even, &write).await;
        assert!(
            outcomes
                .iter()
                .enumerate()
                .all(|(index, outcome)| *outcome == Some(index))
        );
        assert_eq!(written, [10, 3]);
        let none = (0..0).map(|number| async move { number });
        let (outcomes, written) = gather(none, (4, 10, QUIET), even, &write).await;
        assert!(outcomes.is_empty() && written.is_empty());
    }
}
