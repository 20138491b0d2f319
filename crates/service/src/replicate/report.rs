//! What a worker did, target by target, for the metrics.

use jiff::SignedDuration;
use std::collections::BTreeMap;

/// What was done at one target.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Done {
    /// Messages that were tried.
    pub attempts: usize,
    /// Those of them that failed: they are retried, or were dead-lettered.
    pub failures: usize,
    /// Bytes that arrived and were recorded: of small blobs when they are available, of larger ones by segments.
    pub bytes: u64,
    /// How long each replica that arrived had waited, in seconds.
    pub lags: Vec<f64>,
}

/// What a worker did.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Report {
    /// By target.
    pub targets: BTreeMap<String, Done>,
}

impl Report {
    fn of(&mut self, target: &str) -> &mut Done {
        self.targets.entry(target.to_owned()).or_default()
    }

    pub(crate) fn attempts(&mut self, target: &str, number: usize) {
        self.of(target).attempts += number;
    }

    pub(crate) fn failures(&mut self, target: &str, number: usize) {
        self.of(target).failures += number;
    }

    pub(crate) fn arrived(&mut self, target: &str, lag: SignedDuration, bytes: u64) {
        let done = self.of(target);
        done.bytes += bytes;
        done.lags.push(lag.as_secs_f64());
    }

    pub(crate) fn copied(&mut self, target: &str, bytes: u64) {
        self.of(target).bytes += bytes;
    }

    pub(crate) fn add(&mut self, other: Self) {
        for (target, done) in other.targets {
            let mine = self.of(&target);
            mine.attempts += done.attempts;
            mine.failures += done.failures;
            mine.bytes += done.bytes;
            mine.lags.extend(done.lags);
        }
    }
}
