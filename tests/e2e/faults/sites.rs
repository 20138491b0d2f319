//! Where functions can fail, and how.

use crate::harness::proxy::{Act, Seen};
use crate::harness::stack::stack;
use std::fmt;
use std::sync::Mutex;

/// How a call that changes something can fail.
const OF_WRITES: [Act; 7] = [
    Act::KillBefore,
    Act::KillAfter,
    Act::LoseAnswer,
    Act::Twice,
    Act::Refuse,
    Act::FailAfter,
    Act::Late,
];
/// The same for a call that only reads. A process that is killed there is killed before the next write, or after the last.
const OF_READS: [Act; 2] = [Act::Refuse, Act::Late];

impl Act {
    /// Every attempt fails, not only the first.
    pub(super) fn lasts(self) -> bool {
        matches!(self, Self::Refuse | Self::FailAfter)
    }

    pub(super) fn kills(self) -> bool {
        matches!(self, Self::KillBefore | Self::KillAfter)
    }

    /// Before the SDK tries again it waits, for an answer or for a while.
    pub(super) fn makes_wait(self) -> bool {
        matches!(
            self,
            Self::Refuse | Self::FailAfter | Self::LoseAnswer | Self::Late
        )
    }
}

/// The same on LocalStack, which takes several times as long for each answer. It is there to show that the calls work on
/// another emulator, not that the functions are right.
const OF_WRITES_ON_LOCALSTACK: [Act; 2] = [Act::KillAfter, Act::LoseAnswer];

/// One fault.
#[derive(Debug, Clone)]
pub(super) struct Fault {
    /// Which call, from 1.
    pub(super) at: usize,
    pub(super) way: Act,
    operation: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} at call {}, {}", self.way, self.at, self.operation)
    }
}

impl Fault {
    /// Without what it reads when it starts a function cannot begin.
    pub(super) fn is_at_start(&self) -> bool {
        self.operation.starts_with("SecretsManager")
    }
}

/// Every fault that a function can meet that makes these calls. Of many reads of a kind in a row, the first and the last
/// fail.
pub(super) fn all(calls: &[String]) -> Vec<Fault> {
    let same = |at: usize, other: Option<usize>| other.and_then(|other| calls.get(other)) == calls.get(at);
    let amid = |at: usize| same(at, at.checked_sub(1)) && same(at, Some(at + 1));
    let sites = calls.iter().enumerate();
    let sites = sites.filter(|(at, operation)| !reads(operation) || !amid(*at));
    let faults = sites.flat_map(|(at, operation)| {
        ways(operation).iter().map(move |way| Fault {
            at: at + 1,
            way: *way,
            operation: operation.clone(),
        })
    });
    faults.collect()
}

/// How many faults of a scenario are tried here that are all tried in the simulation.
const A_FEW: usize = 3;

/// Some of them, from the first call to the last: enough to show that functions meet on a stack what they meet in the simulation.
pub(super) fn a_few(faults: Vec<Fault>) -> Vec<Fault> {
    let mut step = faults.len().div_ceil(A_FEW).max(1);
    if step.is_multiple_of(OF_WRITES.len()) {
        // All would fail in the same way.
        step += 1;
    }
    faults.into_iter().step_by(step).collect()
}

fn ways(operation: &str) -> &'static [Act] {
    match (stack().is_localstack(), reads(operation)) {
        (true, true) => &[],
        (true, false) => &OF_WRITES_ON_LOCALSTACK,
        (false, true) => &OF_READS,
        (false, false) => &OF_WRITES,
    }
}

fn reads(operation: &str) -> bool {
    let (_, verb) = operation.split_once(' ').unwrap_or_default();
    ["Get", "BatchGet", "Query", "List", "Head"]
        .iter()
        .any(|word| verb.starts_with(word))
}

/// The calls of one run that are about one world. All attempts of a call are one.
pub(super) struct Sites {
    about: Vec<String>,
    calls: Mutex<Vec<(usize, String)>>,
}

impl Sites {
    pub(super) fn new(about: Vec<String>) -> Self {
        Self {
            about,
            calls: Mutex::default(),
        }
    }

    /// Which of these calls it is, from 1; `None` for one about something else.
    pub(super) fn number(&self, seen: &Seen) -> Option<usize> {
        if !self.about.is_empty() && !seen.is_about(&self.about) {
            return None;
        }
        let mut calls = self.calls.lock().unwrap();
        let known = calls.iter().position(|(call, _)| *call == seen.call);
        let index = known.unwrap_or_else(|| {
            calls.push((seen.call, seen.operation.clone()));
            calls.len() - 1
        });
        Some(index + 1)
    }

    /// What these calls were, in their order.
    pub(super) fn operations(&self) -> Vec<String> {
        let calls = self.calls.lock().unwrap();
        calls.iter().map(|(_, operation)| operation.clone()).collect()
    }
}
