//! A target that does not answer, or refuses, is left alone for a while, then tried with one message.
//!
//! The circuit is closed while all is well. After [`OPEN_AFTER`] failures in a row, or one that will not pass by itself,
//! it is open: messages wait. When its time is over one worker gets through, the probe. If that goes well the circuit
//! closes; if not it opens for longer.

use crate::moment::later;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// How many failures in a row open the circuit.
pub const OPEN_AFTER: u32 = 5;
/// For how long it opens first; each probe that fails doubles this.
pub const FIRST_WAIT: SignedDuration = SignedDuration::from_secs(10);
/// The longest it is open between two probes.
pub const LONGEST_WAIT: SignedDuration = SignedDuration::from_mins(5);
/// How long a probe may take; then another worker is let through.
pub const PROBE_TIME: SignedDuration = SignedDuration::from_mins(1);

/// How a target has been doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Circuit {
    /// Failures since the last success.
    pub failures: u32,
    /// How often it opened since the last success.
    pub trips: u32,
    /// Open: nobody is let through before this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub open_until: Option<Timestamp>,
    /// A probe is under way.
    pub probing: bool,
}

/// What a worker hears that wants to work on a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Admission {
    /// All is well.
    Go,
    /// It is the one that tries. What becomes of it has to be told.
    Probe,
    /// Not before this.
    Wait(Timestamp),
}

impl Circuit {
    /// A worker asks. Gives the circuit as it has to be written down, if it changes, before the worker goes on.
    #[must_use]
    pub fn ask(&self, now: Timestamp) -> (Admission, Option<Self>) {
        match self.open_until {
            None => (Admission::Go, None),
            Some(until) if now < until => (Admission::Wait(until), None),
            Some(_) => {
                let probed = Self {
                    open_until: Some(later(now, PROBE_TIME)),
                    probing: true,
                    ..*self
                };
                (Admission::Probe, Some(probed))
            }
        }
    }

    /// The target did what it was asked for. Gives the circuit if it changes.
    #[must_use]
    pub fn succeeded(&self) -> Option<Self> {
        (*self != Self::default()).then(Self::default)
    }

    /// The target did not. `for_good`: it will not by itself, as with wrong credentials.
    #[must_use]
    pub fn failed(&self, for_good: bool, now: Timestamp) -> Self {
        let failures = self.failures.saturating_add(1);
        // Workers that were under way when it opened fail, too: they say nothing new, and do not make the wait longer.
        let old_news = self.is_open() && !self.probing;
        let enough = for_good || failures >= OPEN_AFTER || self.probing;
        if old_news || !enough {
            return Self { failures, ..*self };
        }
        let doubled = FIRST_WAIT.checked_mul(1 << self.trips.min(8));
        let wait = doubled.unwrap_or(LONGEST_WAIT).min(LONGEST_WAIT);
        Self {
            failures,
            trips: self.trips.saturating_add(1),
            open_until: Some(later(now, wait)),
            probing: false,
        }
    }

    /// Whether messages wait.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.open_until.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn failed_often(times: u32) -> Circuit {
        (0..times).fold(Circuit::default(), |circuit, _| circuit.failed(false, at(0)))
    }

    #[test]
    fn it_opens_after_several_failures_in_a_row_or_one_for_good() {
        assert_eq!(failed_often(OPEN_AFTER - 1).ask(at(0)), (Admission::Go, None));
        assert!(failed_often(OPEN_AFTER).is_open());
        assert!(Circuit::default().failed(true, at(0)).is_open());
        assert_eq!(failed_often(3).succeeded(), Some(Circuit::default()));
        assert_eq!(Circuit::default().succeeded(), None);
    }

    #[test]
    fn one_probe_at_a_time_gets_through_and_closes_it_or_doubles_the_wait() {
        let open = failed_often(OPEN_AFTER);
        let first = FIRST_WAIT.as_secs();
        assert_eq!(open.ask(at(first - 1)), (Admission::Wait(at(first)), None));
        let (admission, probed) = open.ask(at(first));
        assert_eq!(admission, Admission::Probe);
        let probed = probed.unwrap();
        assert!(matches!(probed.ask(at(first)), (Admission::Wait(_), None)));
        // A probe that says nothing is not waited for.
        let over = first + PROBE_TIME.as_secs();
        assert_eq!(probed.ask(at(over)).0, Admission::Probe);
        assert_eq!(probed.succeeded(), Some(Circuit::default()));
        assert_eq!(
            probed.failed(false, at(100)).open_until,
            Some(at(100 + 2 * first))
        );
    }

    #[test]
    fn what_was_under_way_when_it_opened_does_not_make_the_wait_longer() {
        let open = failed_often(OPEN_AFTER);
        assert_eq!(open.failed(true, at(5)).open_until, open.open_until);
    }

    proptest! {
        // However it fails, somebody is let through again within the longest wait, or the time of a probe.
        #[test]
        fn it_never_stays_open_for_good(failures in prop::collection::vec((any::<bool>(), 0i64..400), 0..60)) {
            let (mut circuit, mut now) = (Circuit::default(), 0);
            for (for_good, wait) in failures {
                now += wait;
                if let (Admission::Probe, Some(next)) = circuit.ask(at(now)) {
                    circuit = next;
                }
                circuit = circuit.failed(for_good, at(now));
                let latest = now + LONGEST_WAIT.as_secs().max(PROBE_TIME.as_secs());
                prop_assert!(!matches!(circuit.ask(at(latest)).0, Admission::Wait(_)));
            }
        }
    }
}
