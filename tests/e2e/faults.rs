//! Functions that are killed at any of their remote calls, or never hear an answer: whatever was begun is ended by
//! asking again, once.
//!
//! Nothing here knows which calls a function makes. A run without faults counts them; then each call fails in each
//! way, every time for an account of its own; then everybody asks again, the deployed function this time.

mod files;
mod finalize;
mod uploads;

use crate::harness::proxy::{Act, Seen};
use crate::harness::sandbox::Sandbox;
use serde_json::Value;
use std::fmt;

/// The ways in which a call can fail.
const WAYS: [Act; 3] = [Act::KillBefore, Act::KillAfter, Act::LoseAnswer];

/// One fault.
#[derive(Debug, Clone, Copy)]
struct Fault {
    /// Which call, from 1.
    at: usize,
    way: Act,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} at call {}", self.way, self.at)
    }
}

/// Every fault that a function can meet that makes these calls.
fn all(calls: &[String]) -> Vec<Fault> {
    let at = |way| (1..=calls.len()).map(move |at| Fault { at, way });
    WAYS.into_iter().flat_map(at).collect()
}

/// Runs a function without faults, from its start, and gives its answer and its calls.
async fn unharmed(function: &str, event: &Value) -> (Value, Vec<String>) {
    let mut sandbox = Sandbox::start(function, |_| Act::Pass).await;
    let answer = sandbox.invoke(event).await.expect("nobody killed it");
    (answer, sandbox.proxy.operations())
}

/// Runs a function with one fault. Gives its answer, if it lived to give one.
async fn harmed(function: &str, event: &Value, fault: Fault) -> Option<Value> {
    let rule = move |seen: &Seen| {
        if seen.index == fault.at {
            fault.way
        } else {
            Act::Pass
        }
    };
    let mut sandbox = Sandbox::start(function, rule).await;
    let answer = sandbox.invoke(event).await;
    let seen = sandbox.proxy.seen().len();
    assert!(
        seen >= fault.at,
        "{function}, {fault}: there were only {seen} calls"
    );
    assert_eq!(
        answer.is_none(),
        fault.way != Act::LoseAnswer,
        "{function}, {fault}: {answer:?}"
    );
    answer
}

/// An answer's status.
fn status(answer: &Value) -> u64 {
    answer["statusCode"]
        .as_u64()
        .unwrap_or_else(|| panic!("no HTTP answer: {answer}"))
}
