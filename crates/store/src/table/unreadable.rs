//! Items that cannot be read: each is logged once, and counted for reports.

use crate::key::Key;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How many keys are remembered so that they are not logged again.
const REMEMBERED: usize = 10_000;

/// Which items could not be read so far.
#[derive(Clone, Default)]
pub(super) struct Unreadable(Arc<Mutex<Met>>);

#[derive(Default)]
struct Met {
    logged: BTreeSet<Key>,
    /// Since somebody asked last.
    since: BTreeSet<Key>,
}

impl Unreadable {
    fn met(&self) -> MutexGuard<'_, Met> {
        // Sets of keys are whole, whatever panicked.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn count(&self, key: &Key) {
        let mut met = self.met();
        if met.since.len() < REMEMBERED {
            met.since.insert(key.clone());
        }
    }

    pub(super) fn log(&self, key: &Key) {
        let mut met = self.met();
        let new = if met.logged.len() < REMEMBERED {
            met.logged.insert(key.clone())
        } else {
            !met.logged.contains(key)
        };
        if new {
            tracing::error!(
                pk = key.pk,
                sk = key.sk,
                "an item cannot be read, and is left out"
            );
        }
    }

    /// How many were met since this was asked last.
    pub(super) fn take_count(&self) -> u64 {
        let met = std::mem::take(&mut self.met().since);
        u64::try_from(met.len()).unwrap_or(u64::MAX)
    }
}
