//! How calls fail.

use super::call::Call;

/// What happens to a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Fault {
    /// It is not done; the answer is a server error. Every attempt.
    Refuse,
    /// It is not done; the answer is that there are too many calls. The first attempt.
    Throttle,
    /// It is done; the answer is a server error all the same. Every attempt.
    FailAfter,
    /// It is done; the answer gets lost on the way. The first attempt.
    LoseAnswer,
    /// It is done long after the caller has given it up. The first attempt.
    Late,
    /// It is done twice; the answer is the first one's.
    Twice,
    /// The function is killed before it is sent.
    KillBefore,
    /// The function is killed when it was done.
    KillAfter,
}

impl Fault {
    /// How a call that changes something can fail.
    pub const OF_WRITES: [Self; 8] = [
        Self::Refuse,
        Self::Throttle,
        Self::FailAfter,
        Self::LoseAnswer,
        Self::Late,
        Self::Twice,
        Self::KillBefore,
        Self::KillAfter,
    ];
    /// How one that only reads can. A function that is killed there is killed before the next write, or after the last.
    pub const OF_READS: [Self; 3] = [Self::Refuse, Self::Throttle, Self::Late];

    /// Whether every attempt fails.
    #[must_use]
    pub fn lasts(self) -> bool {
        matches!(self, Self::Refuse | Self::FailAfter)
    }

    /// Whether the function dies of it.
    #[must_use]
    pub fn kills(self) -> bool {
        matches!(self, Self::KillBefore | Self::KillAfter)
    }

    /// All ways in which a call can fail.
    #[must_use]
    pub fn of(call: &Call) -> &'static [Self] {
        if call.reads() {
            &Self::OF_READS
        } else {
            &Self::OF_WRITES
        }
    }
}

type Rule = Box<dyn FnMut(&Call) -> Option<Fault> + Send>;

/// Which calls fail, and how.
#[derive(Default)]
pub struct Faults {
    rule: Option<Rule>,
}

impl Faults {
    /// Nothing fails.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// Each call fails as this says.
    #[must_use]
    pub fn by(rule: impl FnMut(&Call) -> Option<Fault> + Send + 'static) -> Self {
        Self {
            rule: Some(Box::new(rule)),
        }
    }

    /// One call fails: of the next invocations of a function, the first that comes to its `site`th call.
    #[must_use]
    pub fn at(function: &str, site: usize, fault: Fault) -> Self {
        let function = function.to_owned();
        let mut met = None;
        Self::by(move |call| {
            if call.function != function || call.site != site || met.is_some_and(|met| met != call.invocation)
            {
                return None;
            }
            met = Some(call.invocation);
            (call.attempt == 1 || fault.lasts()).then_some(fault)
        })
    }

    pub(super) fn decide(&mut self, call: &Call) -> Option<Fault> {
        self.rule.as_mut().and_then(|rule| rule(call))
    }
}
