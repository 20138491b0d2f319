//! Targets that do not answer.

use crate::error::ReplicaError;
use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Targets that did not do what they were asked for: they are not asked for anything else in the same run, so that one
/// that is slow to fail does not take all its time.
#[derive(Debug, Default)]
pub struct Silent(Mutex<HashSet<String>>);

impl Silent {
    /// Asks a target for something, unless it is left alone.
    ///
    /// # Errors
    /// [`ReplicaError::LeftAlone`], or what `ask` gives. It is left alone from then on, unless it was our own side that
    /// failed.
    pub async fn ask<T>(
        &self,
        target: &str,
        ask: impl Future<Output = Result<T, ReplicaError>>,
    ) -> Result<T, ReplicaError> {
        if self.targets().contains(target) {
            return Err(ReplicaError::LeftAlone(target.to_owned()));
        }
        let answer = ask.await;
        if matches!(&answer, Err(error) if !matches!(error, ReplicaError::Store(_))) {
            self.targets().insert(target.to_owned());
        }
        answer
    }

    /// From here on all are asked again.
    pub fn forget(&self) {
        self.targets().clear();
    }

    fn targets(&self) -> MutexGuard<'_, HashSet<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Failure;
    use std::future::ready;
    use store::StoreError;

    #[tokio::test]
    async fn only_who_fails_is_left_alone() {
        let silent = Silent::default();
        let fails = || ReplicaError::target("far", "HeadObject", Failure::Passing, String::new());
        let ours = ReplicaError::Store(StoreError::Corrupt("a row".to_owned()));
        assert!(silent.ask("far", ready(Err::<(), _>(ours))).await.is_err());
        assert!(silent.ask("far", ready(Ok(1))).await.is_ok());
        assert!(silent.ask("far", ready(Err::<(), _>(fails()))).await.is_err());
        let asked = silent.ask("far", ready(Ok(2))).await;
        assert!(matches!(asked, Err(ReplicaError::LeftAlone(target)) if target == "far"));
        assert!(silent.ask("near", ready(Ok(3))).await.is_ok());
        silent.forget();
        assert!(silent.ask("far", ready(Ok(4))).await.is_ok());
    }
}
