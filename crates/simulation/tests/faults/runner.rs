//! A scenario, and how it is run with each fault at each call.

use crate::cast::{Cast, founding};
use crate::settling::{ALL, SWEEP, settle, work};
use futures::future::{FutureExt, LocalBoxFuture};
use serde_json::Value;
use simulation::cloud::{Call, Fault, Faults};
use simulation::events::consume_batch;
use simulation::gateway::{Request, Response, send};
use simulation::lambda::Outcome;
use simulation::world::{World, run};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};
use tokio::time::sleep;

/// What a function is invoked with.
#[derive(Clone)]
pub(crate) enum Act {
    /// By the gateway.
    Request(Request),
    /// By a schedule or an administrator.
    Event(Value),
    /// By the messages that are in a queue, as many as are one batch.
    Messages(&'static str),
}

type Then<'w> = Box<dyn FnOnce(Response) -> LocalBoxFuture<'w, ()> + 'w>;

/// A world in which a function has something to do.
pub(crate) struct Case<'w> {
    act: Act,
    good: &'static [u16],
    also: &'static [u16],
    at_once: LocalBoxFuture<'w, ()>,
    then: Then<'w>,
}

impl<'w> Case<'w> {
    /// A function is invoked so. It succeeds with the first of these statuses, and may answer the others when a call fails.
    pub(crate) fn new(act: Act, good: &'static [u16], also: &'static [u16]) -> Self {
        Self {
            act,
            good,
            also,
            at_once: async {}.boxed_local(),
            then: Box::new(|_| async {}.boxed_local()),
        }
    }

    /// A request.
    pub(crate) fn request(request: &Request, good: &'static [u16], also: &'static [u16]) -> Self {
        Self::new(Act::Request(request.clone()), good, also)
    }

    /// What somebody does before everything settles: without it that would not happen.
    pub(crate) fn at_once(mut self, what: impl Future<Output = ()> + 'w) -> Self {
        self.at_once = what.boxed_local();
        self
    }

    /// What somebody does afterwards who got that answer, good or not, and what must be true then.
    pub(crate) fn then<F: Future<Output = ()> + 'w>(mut self, then: impl FnOnce(Response) -> F + 'w) -> Self {
        self.then = Box::new(|answer| then(answer).boxed_local());
        self
    }
}

/// One call that fails.
#[derive(Clone)]
struct Harm {
    call: Call,
    fault: Fault,
}

impl Harm {
    /// Without what it reads when it starts a function cannot begin.
    fn is_at_start(&self) -> bool {
        self.call.operation.starts_with("SecretsManager")
    }
}

/// Runs a scenario: once without faults, and then with each fault at each call of that run, in a new world each.
pub(crate) fn every_fault(function: &str, prepare: &impl for<'w> AsyncFn(Cast<'w>) -> Case<'w>) {
    let began = Instant::now();
    let calls = scene(function, prepare, None);
    let operations: Vec<&str> = calls.iter().map(|call| call.operation.as_str()).collect();
    println!("{function}: {} calls: {operations:?}", calls.len());
    assert!(!calls.is_empty());
    let harms = harms(&calls);
    let mut failed = Vec::new();
    for harm in &harms {
        let what = format!(
            "{:?} at call {}, {}",
            harm.fault, harm.call.site, harm.call.operation
        );
        let scene = || scene(function, prepare, Some(harm));
        if let Err(panic) = catch_unwind(AssertUnwindSafe(scene)) {
            let said = panic.downcast_ref::<String>().map(String::as_str);
            let said = said
                .or_else(|| panic.downcast_ref::<&str>().copied())
                .unwrap_or_default();
            failed.push(format!("{what}: {said}"));
        }
    }
    println!("{function}: {} cases in {:?}", harms.len(), began.elapsed());
    assert!(
        failed.is_empty(),
        "{function}: {} of {}:\n{}",
        failed.len(),
        harms.len(),
        failed.join("\n")
    );
}

/// Every way in which these calls can fail. Of many reads of a kind in a row, the first and the last do.
fn harms(calls: &[Call]) -> Vec<Harm> {
    let same = |at: usize, other: Option<usize>| {
        other
            .and_then(|other| calls.get(other))
            .is_some_and(|other| other.operation == calls[at].operation)
    };
    let amid = |at: usize| same(at, at.checked_sub(1)) && same(at, Some(at + 1));
    let sites = calls
        .iter()
        .enumerate()
        .filter(|(at, call)| !call.reads() || !amid(*at));
    let harms = sites.flat_map(|(_, call)| {
        Fault::of(call).iter().map(|fault| Harm {
            call: call.clone(),
            fault: *fault,
        })
    });
    harms.collect()
}

/// Everything that happens in one world. Returns the calls of the function that was invoked.
fn scene(
    function: &str,
    prepare: &impl for<'w> AsyncFn(Cast<'w>) -> Case<'w>,
    harm: Option<&Harm>,
) -> Vec<Call> {
    let founding = founding();
    run(2, async |world| {
        let case = prepare(Cast::enter(world, founding).await).await;
        world.lambda.forget_instances();
        let before = world.cloud.calls().len();
        if let Some(harm) = harm {
            world
                .cloud
                .set_faults(Faults::at(function, harm.call.site, harm.fault));
        }
        let answer = act(world, function, &case.act).await;
        world.cloud.set_faults(Faults::none());
        let mut calls = world.cloud.calls().split_off(before);
        calls.retain(|call| call.attempt == 1 && call.function == function);
        let met = |harm: &Harm| {
            let there = |call: &&Call| call.site == harm.call.site;
            calls
                .iter()
                .find(there)
                .is_some_and(|call| call.operation == harm.call.operation)
        };
        assert!(harm.is_none_or(met), "it did not come to that call: {answer:?}");
        check(&case, &answer, harm);
        case.at_once.await;
        // What these did not do they do themselves, another time: items that failed wait, and so does a pass.
        let functions = match function {
            // It may die before it has written down that it began a multipart upload. It is found when the upload ends; until
            // then it is the reconciler's.
            "reconcile" | "upload-sign-parts" => ALL,
            _ => SWEEP,
        };
        let again: &[u64] = match function {
            "sweep" => &[2, 6],
            "reconcile" => &[70],
            _ => &[],
        };
        for minutes in again {
            sleep(Duration::from_mins(*minutes)).await;
            work(world, functions).await;
        }
        settle(world, functions).await;
        (case.then)(answer).await;
        settle(world, functions).await;
        calls
    })
}

fn check(case: &Case<'_>, answer: &Response, harm: Option<&Harm>) {
    let status = answer.status;
    let Some(harm) = harm else {
        assert!(case.good.contains(&status), "without a fault: {answer:?}");
        return;
    };
    if harm.fault.kills() {
        assert_eq!(status, 502, "killed, and answers {answer:?}");
        return;
    }
    let fits = case.good.contains(&status)
        || case.also.contains(&status)
        || status == 503
        || status == 502 && harm.is_at_start();
    assert!(fits, "{answer:?}");
}

/// Invokes the function. What is no request has the statuses of one: 200, 502 when it was killed or has not begun, 503 when it
/// failed, 504 when it took too long.
async fn act(world: &World, function: &str, act: &Act) -> Response {
    let outcome = match act {
        Act::Request(request) => return send(&world.lambda, request).await,
        Act::Event(event) => world.invoke(function, event.clone()).await,
        Act::Messages(queue) => {
            let source = world.sources().iter().find(|source| source.queue == *queue);
            let source = source.unwrap_or_else(|| panic!("nobody works on {queue}"));
            let worked = consume_batch(&world.cloud, &world.lambda, function, source).await;
            worked.unwrap_or_else(|| panic!("{queue} is empty"))
        }
    };
    let (status, body) = match outcome {
        Outcome::Answered(answer) => (200, answer),
        Outcome::Failed(error) => (503, error.into()),
        Outcome::Killed => (502, Value::Null),
        Outcome::TimedOut => (504, Value::Null),
    };
    Response {
        status,
        body,
        location: None,
    }
}
