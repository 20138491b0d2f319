//! How scenarios are run, and how what is known to differ stays true.

use crate::Pending;
use futures::FutureExt;
use futures::stream::{self, StreamExt};
use std::any::Any;
use std::panic::AssertUnwindSafe;

/// Something that a service does.
pub struct Scenario<P> {
    /// Its name, once in a service.
    pub name: &'static str,
    /// Panics when the service at that place does something else.
    pub run: for<'a> fn(&'a P) -> Pending<'a, ()>,
}

/// A scenario that a server is known to fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Difference {
    /// The scenario's name.
    pub scenario: &'static str,
    /// What the server does instead.
    pub instead: &'static str,
}

/// Runs all scenarios, so many at once, each at a place of its own. Returns what is not as `differences` say, a line each:
/// scenarios that fail, and those that are said to fail and pass.
pub async fn failures<P>(
    scenarios: &[Scenario<P>],
    differences: &[Difference],
    at_once: usize,
    make: impl AsyncFn() -> P,
    remove: impl AsyncFn(P),
) -> Vec<String> {
    let unknown = differences
        .iter()
        .map(|known| known.scenario)
        .filter(|name| scenarios.iter().all(|scenario| scenario.name != *name))
        .map(|name| format!("{name} is no scenario: remove it from the list"));
    let mut failures: Vec<String> = unknown.collect();
    let runs = scenarios.iter().map(async |scenario| {
        let place = make().await;
        let told = AssertUnwindSafe((scenario.run)(&place)).catch_unwind().await;
        remove(place).await;
        let known = differences.iter().find(|known| known.scenario == scenario.name);
        match (told, known) {
            (Ok(()), None) | (Err(_), Some(_)) => None,
            (Ok(()), Some(known)) => Some(format!(
                "{} passes: remove it from the list, where it says: {}",
                scenario.name, known.instead
            )),
            (Err(panic), None) => Some(format!("{} fails: {}", scenario.name, message(panic.as_ref()))),
        }
    });
    let mut runs = stream::iter(runs).buffer_unordered(at_once);
    while let Some(failure) = runs.next().await {
        failures.extend(failure);
    }
    failures
}

fn message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("it panicked")
}
