//! The circuit breaker of a target: one that does not answer, or refuses, gets no requests for a while, then one as a probe.
//!
//! The circuit is closed while the target works. After [`OPEN_AFTER`] failures in a row, or one permanent failure,
//! it opens: replicas wait without a message. When its time is over one worker is admitted, the probe. If that succeeds,
//! the circuit closes; if not, it stays open for longer. While it is open only the probe's result counts: attempts that were
//! under way when it opened tell nothing new.

use crate::time::saturating_add;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// How many failures in a row open the circuit.
pub const OPEN_AFTER: u32 = 5;
/// How long it is open at first; each probe that fails doubles this.
pub const FIRST_WAIT: SignedDuration = SignedDuration::from_secs(10);
/// The longest it is open between two probes.
pub const LONGEST_WAIT: SignedDuration = SignedDuration::from_secs(30);
/// How long a probe may take; then another worker is admitted.
pub const PROBE_TIME: SignedDuration = SignedDuration::from_mins(1);
/// A probe that has not started this long after its time counts as lost.
pub const PROBE_LOST: SignedDuration = SignedDuration::from_secs(10);
/// A failed probe counts as an attempt at its replica only when the replica has waited this long. Until then an
/// outage fails nothing.
pub const OUTAGE: SignedDuration = SignedDuration::from_hours(24);

/// The state of a target's circuit breaker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Circuit {
    /// Failures since the last success.
    pub failures: u32,
    /// How often it opened since the last success.
    pub trips: u32,
    /// Open: no worker is admitted before this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub open_until: Option<Timestamp>,
    /// A probe is under way.
    pub probing: bool,
}

/// The answer to a worker that wants to use a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Admission {
    /// The circuit is closed.
    Go,
    /// The worker is the probe. It has to report its result, with this.
    Probe(Probe),
    /// Not before this.
    Wait(Timestamp),
}

/// Identifies a probe, by the time at which it times out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Probe(Timestamp);

/// A worker's report about a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum News {
    /// The request succeeded.
    Well,
    /// The request failed. `for_good`: permanently, as with wrong credentials.
    Failed {
        /// Until an operator changes something.
        for_good: bool,
    },
    /// The probe had nothing to ask it for.
    Unasked,
}

impl Circuit {
    /// A worker asks for admission. Returns the new circuit if it changes; it has to be stored before the worker goes on.
    #[must_use]
    pub fn ask(&self, now: Timestamp) -> (Admission, Option<Self>) {
        match self.open_until {
            None => (Admission::Go, None),
            Some(until) if now < until => (Admission::Wait(until), None),
            Some(_) => {
                let until = saturating_add(now, PROBE_TIME);
                let probed = Self {
                    open_until: Some(until),
                    probing: true,
                    ..*self
                };
                (Admission::Probe(Probe(until)), Some(probed))
            }
        }
    }

    /// A worker reports: the `probe`, or another one. Returns the new circuit if it changes.
    #[must_use]
    pub fn told(&self, news: News, probe: Option<Probe>, now: Timestamp) -> Option<Self> {
        let is_probe = self.probing && self.open_until == probe.map(|Probe(until)| until);
        if self.is_open() && !is_probe {
            return None;
        }
        match news {
            News::Well => (*self != Self::default()).then(Self::default),
            News::Unasked => is_probe.then_some(Self {
                open_until: Some(saturating_add(now, FIRST_WAIT)),
                probing: false,
                ..*self
            }),
            News::Failed { for_good } => Some(self.failed(for_good, is_probe, now)),
        }
    }

    fn failed(&self, for_good: bool, is_probe: bool, now: Timestamp) -> Self {
        let failures = self.failures.saturating_add(1);
        if !for_good && !is_probe && failures < OPEN_AFTER {
            return Self { failures, ..*self };
        }
        let doubled = FIRST_WAIT.checked_mul(1 << self.trips.min(8));
        let wait = doubled.unwrap_or(LONGEST_WAIT).min(LONGEST_WAIT);
        Self {
            failures,
            trips: self.trips.saturating_add(1),
            open_until: Some(saturating_add(now, wait)),
            probing: false,
        }
    }

    /// Whether only a probe is admitted.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.open_until.is_some()
    }

    /// Whether the probe is overdue: its message was lost, or its worker died.
    #[must_use]
    pub fn lacks_probe(&self, now: Timestamp) -> bool {
        self.open_until
            .is_some_and(|until| saturating_add(until, PROBE_LOST) <= now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    const FAILED: News = News::Failed { for_good: false };
    const REFUSED: News = News::Failed { for_good: true };

    fn failed_often(times: u32) -> Circuit {
        let fail = |circuit: Circuit, _| circuit.told(FAILED, None, at(0)).unwrap_or(circuit);
        (0..times).fold(Circuit::default(), fail)
    }

    fn probed(circuit: Circuit, now: Timestamp) -> (Probe, Circuit) {
        let (Admission::Probe(probe), Some(probed)) = circuit.ask(now) else {
            panic!("{circuit:?} at {now}")
        };
        (probe, probed)
    }

    #[test]
    fn it_opens_after_several_failures_in_a_row_or_one_for_good() {
        let closed = Circuit::default();
        assert_eq!(failed_often(OPEN_AFTER - 1).ask(at(0)), (Admission::Go, None));
        assert!(failed_often(OPEN_AFTER).is_open());
        assert!(closed.told(REFUSED, None, at(0)).unwrap().is_open());
        assert_eq!(failed_often(3).told(News::Well, None, at(0)), Some(closed));
        assert_eq!(closed.told(News::Well, None, at(0)), None);
        assert_eq!(closed.told(News::Unasked, None, at(0)), None);
    }

    #[test]
    fn one_probe_at_a_time_gets_through_and_closes_it_or_doubles_the_wait() {
        let open = failed_often(OPEN_AFTER);
        let first = FIRST_WAIT.as_secs();
        assert_eq!(open.ask(at(first - 1)), (Admission::Wait(at(first)), None));
        let (probe, under_way) = probed(open, at(first));
        assert!(matches!(under_way.ask(at(first)), (Admission::Wait(_), None)));
        // A probe that says nothing is not waited for.
        let over = first + PROBE_TIME.as_secs();
        let (second, _) = probed(under_way, at(over));
        assert_ne!(probe, second);
        let closed = under_way.told(News::Well, Some(probe), at(100));
        assert_eq!(closed, Some(Circuit::default()));
        let failed = under_way.told(FAILED, Some(probe), at(100)).unwrap();
        assert_eq!(failed.open_until, Some(at(100 + 2 * first)));
        // One that had nothing to ask for makes room for the next soon.
        let unasked = under_way.told(News::Unasked, Some(probe), at(20)).unwrap();
        assert!(matches!(unasked.ask(at(20 + first)).0, Admission::Probe(_)));
        assert_eq!(unasked.trips, under_way.trips);
    }

    #[test]
    fn while_it_is_open_only_the_probe_says_something() {
        let open = failed_often(OPEN_AFTER);
        let (first, under_way) = probed(open, at(10));
        let (second, again) = probed(under_way, at(90));
        for news in [News::Well, FAILED, REFUSED, News::Unasked] {
            assert_eq!(open.told(news, None, at(5)), None, "{news:?}");
            assert_eq!(under_way.told(news, None, at(11)), None, "{news:?}");
            // The first probe was too late: it is one of many by now.
            assert_eq!(again.told(news, Some(first), at(91)), None, "{news:?}");
            assert!(again.told(news, Some(second), at(91)).is_some(), "{news:?}");
        }
    }

    #[test]
    fn a_probe_that_does_not_come_is_missed() {
        let open = failed_often(OPEN_AFTER);
        let until = FIRST_WAIT.as_secs();
        assert!(!open.lacks_probe(at(until)));
        assert!(open.lacks_probe(at(until + PROBE_LOST.as_secs())));
        let (_, under_way) = probed(open, at(until));
        assert!(!under_way.lacks_probe(at(until + PROBE_LOST.as_secs())));
        assert!(!Circuit::default().lacks_probe(at(1_000_000)));
    }

    proptest! {
        // However it fails, a worker is admitted again within the longest wait, or the time of a probe.
        #[test]
        fn it_never_stays_open_for_good(failures in prop::collection::vec((any::<bool>(), 0i64..400), 0..60)) {
            let (mut circuit, mut now) = (Circuit::default(), 0);
            for (for_good, wait) in failures {
                now += wait;
                let mut mine = None;
                if let (Admission::Probe(probe), Some(next)) = circuit.ask(at(now)) {
                    (circuit, mine) = (next, Some(probe));
                }
                circuit = circuit.told(News::Failed { for_good }, mine, at(now)).unwrap_or(circuit);
                let latest = now + LONGEST_WAIT.as_secs().max(PROBE_TIME.as_secs());
                prop_assert!(!matches!(circuit.ask(at(latest)).0, Admission::Wait(_)));
            }
        }
    }
}
