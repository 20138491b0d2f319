//! What goes wrong because a test asked for it.

use crate::operation::Operation;
use crate::refusal::Refusal;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// What a test asks for, as JSON.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Plan {
    /// The same seed picks the same requests, counted from when it was asked for.
    pub seed: u64,
    /// How many of the requests fail, from 0 to 1.
    pub rate: f64,
    /// How they fail, each as often as the others.
    pub kinds: Vec<Kind>,
    /// Only these operations, such as `UploadPart`; none means all.
    pub only: Vec<String>,
    /// The error code that every request gets.
    pub permanent: Option<String>,
    /// How fast bytes pass through each connection, in each direction.
    pub bytes_per_second_per_connection: Option<u64>,
}

/// How a request fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Kind {
    /// `500 InternalError`; nothing is done.
    Internal,
    /// `503 ServiceUnavailable`; nothing is done.
    Unavailable,
    /// The connection is closed without an answer; nothing is done.
    Reset,
    /// The connection is closed without an answer; everything is done.
    ResetAfter,
    /// Nothing happens for so many milliseconds; then all goes well.
    HangMs(u64),
    /// One byte is received as another one: what is stored is not what was sent, and the checksums in the answer are
    /// those of what is stored. Only of requests with file bytes.
    CorruptStored,
}

impl TryFrom<String> for Kind {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Ok(match text.as_str() {
            "500" => Self::Internal,
            "503" => Self::Unavailable,
            "reset" => Self::Reset,
            "reset_after" => Self::ResetAfter,
            "corrupt_stored" => Self::CorruptStored,
            other => {
                let time = other.strip_prefix("hang_ms:").and_then(|time| time.parse().ok());
                Self::HangMs(time.ok_or_else(|| format!("there is no fault called {other}"))?)
            }
        })
    }
}

impl From<Kind> for String {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Internal => "500".to_owned(),
            Kind::Unavailable => "503".to_owned(),
            Kind::Reset => "reset".to_owned(),
            Kind::ResetAfter => "reset_after".to_owned(),
            Kind::HangMs(time) => format!("hang_ms:{time}"),
            Kind::CorruptStored => "corrupt_stored".to_owned(),
        }
    }
}

impl Kind {
    /// How long nothing happens.
    pub(crate) fn hang(self) -> Duration {
        match self {
            Self::HangMs(time) => Duration::from_millis(time),
            _ => Duration::ZERO,
        }
    }
}

/// The plan that is in force, and what became of it.
#[derive(Default)]
pub(crate) struct Faults(Mutex<State>);

#[derive(Default)]
struct State {
    plan: Plan,
    /// How many requests it was asked about.
    asked: u64,
    /// How many faults there were of each kind, since the server started.
    happened: BTreeMap<String, u64>,
}

impl Faults {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts a plan in force.
    pub(crate) fn plan(&self, plan: Plan) -> Result<(), String> {
        if !(0.0..=1.0).contains(&plan.rate) {
            return Err("rate must be between 0 and 1".to_owned());
        }
        if plan.rate > 0.0 && plan.kinds.is_empty() {
            return Err("kinds must not be empty".to_owned());
        }
        if let Some(name) = plan.only.iter().find(|name| !Operation::is_name(name)) {
            return Err(format!("there is no operation called {name}"));
        }
        if let Some(code) = &plan.permanent
            && Refusal::by_code(code).is_none()
        {
            return Err(format!("there is no permanent fault called {code}"));
        }
        let mut state = self.state();
        state.plan = plan;
        state.asked = 0;
        Ok(())
    }

    /// What is to go wrong with the next request.
    pub(crate) fn next(&self, operation: Option<Operation>) -> Option<Kind> {
        let mut state = self.state();
        if !state.plan.concerns(operation) {
            return None;
        }
        let number = state.asked;
        state.asked += 1;
        let kind = state.plan.pick(number)?;
        if kind == Kind::CorruptStored && !operation.is_some_and(Operation::sends_file_bytes) {
            return None;
        }
        *state.happened.entry(kind.into()).or_default() += 1;
        Some(kind)
    }

    /// What every request is refused with.
    pub(crate) fn permanent(&self, operation: Option<Operation>) -> Option<Refusal> {
        let state = self.state();
        let code = state.plan.permanent.as_deref()?;
        Refusal::by_code(code).filter(|_| state.plan.concerns(operation))
    }

    pub(crate) fn bytes_per_second(&self) -> Option<u64> {
        self.state().plan.bytes_per_second_per_connection
    }

    /// How often each kind happened.
    pub(crate) fn happened(&self) -> BTreeMap<String, u64> {
        self.state().happened.clone()
    }
}

impl Plan {
    fn concerns(&self, operation: Option<Operation>) -> bool {
        let name = operation.map(Operation::name).unwrap_or_default();
        self.only.is_empty() || self.only.iter().any(|only| only == name)
    }

    fn pick(&self, number: u64) -> Option<Kind> {
        let random = mixed(self.seed ^ mixed(number));
        #[allow(clippy::cast_precision_loss, reason = "53 bits of it are plenty")]
        let point = (random >> 11) as f64 / (1_u64 << 53) as f64;
        let count = u64::try_from(self.kinds.len()).ok().filter(|count| *count > 0)?;
        let kind = usize::try_from(mixed(random) % count).ok()?;
        self.kinds.get(kind).copied().filter(|_| point < self.rate)
    }
}

/// `SplitMix64`: neighbouring numbers in, unrelated ones out.
fn mixed(number: u64) -> u64 {
    let number = number.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let number = (number ^ (number >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    number ^ (number >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(json: &str) -> Result<Plan, serde_json::Error> {
        serde_json::from_str(json)
    }

    #[test]
    fn a_seed_gives_the_same_faults_again() {
        let draw = |seed: u64| {
            let faults = Faults::default();
            let text = format!(r#"{{"seed": {seed}, "rate": 0.05, "kinds": ["500", "hang_ms:5"]}}"#);
            faults.plan(plan(&text).unwrap()).unwrap();
            let drawn: Vec<_> = (0..10_000)
                .map(|_| faults.next(Some(Operation::PutObject)))
                .collect();
            drawn
        };
        let first = draw(1);
        assert_eq!(first, draw(1));
        assert_ne!(first, draw(2));
        let count = |kind| first.iter().filter(|drawn| **drawn == Some(kind)).count();
        for kind in [Kind::Internal, Kind::HangMs(5)] {
            assert!((150..350).contains(&count(kind)), "{}", count(kind));
        }
    }

    #[test]
    fn what_is_no_plan_is_refused() {
        for bad in [
            r#"{"kinds": ["400"]}"#,
            r#"{"kinds": ["hang_ms:x"]}"#,
            r#"{"rte": 0.5}"#,
        ] {
            assert!(plan(bad).is_err(), "{bad}");
        }
        let faults = Faults::default();
        for bad in [
            r#"{"rate": 2, "kinds": ["500"]}"#,
            r#"{"rate": 0.5}"#,
            r#"{"permanent": "NoSuchCode"}"#,
            r#"{"only": ["NoSuchOperation"]}"#,
        ] {
            assert!(faults.plan(plan(bad).unwrap()).is_err(), "{bad}");
        }
    }
}
