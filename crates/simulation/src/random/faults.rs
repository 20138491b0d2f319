//! Which calls fail in a random world. It comes from the seed and the call, not from the order of calls: a world in which one
//! of the faults is left out is the same until then.

use crate::cloud::{Call, Fault, Faults, lock};
use std::collections::BTreeSet;
use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex};

/// Which call fails.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FaultKey {
    function: String,
    invocation: u64,
    site: usize,
    attempt: usize,
}

/// A fault that happened.
#[derive(Debug, Clone)]
pub struct Happened {
    /// To which call.
    pub key: FaultKey,
    /// What.
    pub fault: Fault,
    /// What was called.
    pub operation: String,
}

impl fmt::Display for Happened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let FaultKey {
            function,
            invocation,
            site,
            attempt,
        } = &self.key;
        let (fault, operation) = (self.fault, &self.operation);
        write!(
            f,
            "{fault:?} at {function}#{invocation} call {site}.{attempt} {operation}"
        )
    }
}

/// Which calls fail.
pub(super) struct FaultPlan {
    seed: u64,
    failing: u64,
    only: Option<BTreeSet<FaultKey>>,
}

impl FaultPlan {
    /// Of a thousand calls `failing` fail; or else `only` these.
    pub(super) fn new(seed: u64, failing: u64, only: Option<BTreeSet<FaultKey>>) -> Self {
        Self { seed, failing, only }
    }

    /// The same as what happens to calls; each that happens is noted.
    pub(super) fn faults(self, happened: &Arc<Mutex<Vec<Happened>>>) -> Faults {
        let happened = Arc::clone(happened);
        Faults::by(move |call| {
            let key = FaultKey {
                function: call.function.clone(),
                invocation: call.invocation,
                site: call.site,
                attempt: call.attempt,
            };
            let fault = self.fault(&key, call)?;
            lock(&happened).push(Happened {
                key,
                fault,
                operation: call.operation.clone(),
            });
            Some(fault)
        })
    }

    fn fault(&self, key: &FaultKey, call: &Call) -> Option<Fault> {
        let mut hasher = DefaultHasher::new();
        (self.seed, key).hash(&mut hasher);
        let drawn = hasher.finish();
        let fails = match &self.only {
            Some(only) => only.contains(key),
            None => drawn % 1000 < self.failing,
        };
        let ways = Fault::of(call);
        let way = usize::try_from(drawn / 1000).unwrap_or_default() % ways.len();
        ways.get(way).copied().filter(|_| fails)
    }
}
