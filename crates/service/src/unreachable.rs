//! Targets that do not answer.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use targets::error::{Failure, ReplicaError};

/// Targets that failed: they get no further requests in the same run, so that one
/// that is slow to fail does not take all its time. Many may ask at once: until a target has answered once, they wait
/// for the result of the first.
#[derive(Debug, Default)]
pub struct UnreachableTargets(Mutex<HashMap<String, Arc<Known>>>);

/// What is known of one target.
#[derive(Debug, Default)]
struct Known {
    reachability: Mutex<Reachability>,
    /// Held by the one caller that may ask until the target has answered.
    first: tokio::sync::Mutex<()>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Reachability {
    #[default]
    Unknown,
    Reachable,
    Unreachable,
}

impl UnreachableTargets {
    /// Asks a target for something, unless it has failed before.
    ///
    /// # Errors
    /// [`ReplicaError::Unreachable`], or what `ask` returns. It gets no requests from then on, unless it was
    /// our own side that failed.
    pub async fn ask<T>(
        &self,
        target: &str,
        ask: impl Future<Output = Result<T, ReplicaError>>,
    ) -> Result<T, ReplicaError> {
        let known = Arc::clone(lock(&self.0).entry(target.to_owned()).or_default());
        let mut first = None;
        if *lock(&known.reachability) == Reachability::Unknown {
            first = Some(known.first.lock().await);
        }
        match *lock(&known.reachability) {
            Reachability::Unknown => {}
            Reachability::Reachable => first = None,
            Reachability::Unreachable => return Err(ReplicaError::Unreachable(target.to_owned())),
        }
        let answer = ask.await;
        let mut reachability = lock(&known.reachability);
        match &answer {
            Err(ReplicaError::Store(_)) => {}
            // It may refuse one thing permanently and do everything else.
            Err(error)
                if *reachability == Reachability::Reachable
                    && error.failure() == Some(Failure::Permanent) => {}
            Err(_) => *reachability = Reachability::Unreachable,
            // Another one may have waited in vain.
            Ok(_) if *reachability == Reachability::Unknown => *reachability = Reachability::Reachable,
            Ok(_) => {}
        }
        drop((reachability, first));
        answer
    }

    /// From here on all are asked again.
    pub fn forget(&self) {
        lock(&self.0).clear();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::future::join_all;
    use std::future::ready;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;
    use store::StoreError;
    use targets::error::Cause;
    use tokio::time::Instant;

    /// How long a target does not answer.
    const HANG: Duration = Duration::from_millis(100);

    #[tokio::test]
    async fn only_who_fails_is_left_alone() {
        let unreachable = UnreachableTargets::default();
        let fails = || ReplicaError::target("far", "HeadObject", Failure::Passing, Cause::status(503));
        let ours = ReplicaError::Store(StoreError::corrupt("a row".to_owned()));
        assert!(unreachable.ask("far", ready(Err::<(), _>(ours))).await.is_err());
        assert!(unreachable.ask("far", ready(Ok(1))).await.is_ok());
        assert!(
            unreachable
                .ask("far", ready(Err::<(), _>(fails())))
                .await
                .is_err()
        );
        let asked = unreachable.ask("far", ready(Ok(2))).await;
        assert!(matches!(asked, Err(ReplicaError::Unreachable(target)) if target == "far"));
        assert!(unreachable.ask("near", ready(Ok(3))).await.is_ok());
        unreachable.forget();
        assert!(unreachable.ask("far", ready(Ok(4))).await.is_ok());
        // What it refuses for good is no silence, once it has answered.
        let refuses = ReplicaError::target("far", "DeleteObject", Failure::Permanent, Cause::status(403));
        assert!(
            unreachable
                .ask("far", ready(Err::<(), _>(refuses)))
                .await
                .is_err()
        );
        assert!(unreachable.ask("far", ready(Ok(5))).await.is_ok());
    }

    /// However many callers ask a target that hangs at the same time, it hangs for one of them, and those of other
    /// targets do not wait.
    #[tokio::test]
    async fn a_target_that_hangs_is_asked_once_whoever_asks_at_the_same_time() {
        let (unreachable, asked) = (UnreachableTargets::default(), AtomicUsize::new(0));
        let hang = async || {
            asked.fetch_add(1, Ordering::Relaxed);
            tokio::time::sleep(HANG).await;
            Err::<(), _>(ReplicaError::target(
                "far",
                "DeleteObject",
                Failure::Passing,
                Cause::status(503),
            ))
        };
        let began = Instant::now();
        let far = join_all((0..100).map(|_| unreachable.ask("far", hang())));
        let near = async {
            let near = join_all((0..100).map(|_| unreachable.ask("near", ready(Ok(1))))).await;
            (near, began.elapsed())
        };
        let (far, (near, waited)) = tokio::join!(far, near);
        assert_eq!(asked.load(Ordering::Relaxed), 1);
        let left_alone = far
            .iter()
            .filter(|answer| matches!(answer, Err(ReplicaError::Unreachable(_))));
        assert_eq!(left_alone.count(), 99);
        assert!(near.iter().all(Result::is_ok) && waited < HANG);
    }

    /// Once a target has answered, callers do not wait for each other.
    #[tokio::test]
    async fn a_target_that_answers_is_asked_by_many_at_once() {
        let unreachable = UnreachableTargets::default();
        let slow = async || {
            tokio::time::sleep(HANG).await;
            Ok(())
        };
        let began = Instant::now();
        let all = join_all((0..100).map(|_| unreachable.ask("near", slow()))).await;
        assert!(all.iter().all(Result::is_ok));
        assert!(began.elapsed() < HANG * 50, "one, and then the others");
    }
}
