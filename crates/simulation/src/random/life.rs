//! How a plan is lived.

use super::faults::{FaultPlan, Happened};
use super::operator::Operator;
use super::plan::Plan;
use super::user::User;
use crate::audit::Audit;
use crate::cloud::{Call, Conditions, Faults, Latency};
use crate::world::{World, run_with};
use futures::future::{join, join_all};
use serde_json::json;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::time::{sleep, timeout};

/// How a world went.
#[derive(Debug, Default)]
pub struct Life {
    /// The calls that functions made.
    pub calls: Vec<Call>,
    /// The faults that happened.
    pub faults: Vec<Happened>,
    /// What users and the operator did, and what they got.
    pub steps: Vec<String>,
    /// What does not hold in the end.
    pub broken: Vec<String>,
    /// The conditions that functions wrote with.
    pub conditions: Conditions,
}

/// How long users may be at work.
const LONGEST_LIFE: Duration = Duration::from_hours(12);
/// For how long nothing goes on between two looks at a world that settles.
const PAUSE: Duration = Duration::from_mins(20);
/// After how many of them everything must hold.
const PAUSES: usize = 24;
/// In how many rounds messages are worked on at most between two pauses: those that go round for ever are a fault.
const ROUNDS: usize = 400;

/// Lives a plan. Where something panics, that is what is broken.
#[must_use]
pub fn live(plan: &Plan) -> Life {
    let [expiry, quota, visibility, versions] =
        [plan.expiry, plan.quota, plan.visibility, plan.versions].map(|number| number.to_string());
    let parameters = [
        ("UploadExpirySeconds", expiry.as_str()),
        ("DefaultQuotaBytes", quota.as_str()),
        ("VersionsKept", versions.as_str()),
        ("ReplicateVisibilitySeconds", visibility.as_str()),
        // That it comes while others work on it is no failure.
        ("MaxReceives", if plan.visibility < 60 { "1000" } else { "4" }),
    ];
    let lived = catch_unwind(AssertUnwindSafe(|| {
        run_with(plan.seed, &parameters, async |world| life(plan, world).await)
    }));
    lived.unwrap_or_else(|panic| {
        let said = panic.downcast_ref::<String>().cloned();
        let said = said.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
        Life {
            broken: vec![format!("a panic: {}", said.unwrap_or_default())],
            ..Life::default()
        }
    })
}

async fn life(plan: &Plan, world: &World) -> Life {
    let happened = Arc::<Mutex<Vec<Happened>>>::default();
    let steps = RefCell::new(Vec::new());
    world
        .cloud
        .set_faults(FaultPlan::new(plan.seed, plan.failing, plan.only.clone()).faults(&happened));
    world.cloud.set_latency(Latency::Uneven(plan.slow));
    world
        .answers_all
        .set(plan.failing == 0 && plan.slow == 0 && plan.only.is_none());
    world.clients_fail.set(plan.failing > 0);
    if let Some(condition) = &plan.without {
        world.cloud.drop_conditions(Conditions::without(condition));
    }
    let accounts: Vec<_> = (0..plan.accounts).map(|_| Rc::default()).collect();
    let themes = world.rng.random();
    let user = |number: usize| {
        let account = number % plan.accounts;
        let username = format!("user-{account}");
        User::new(world, number, username, &accounts[account], &steps, themes)
    };
    let mut users: Vec<_> = (0..plan.clients).map(user).collect();
    let operator = Operator::new(world, &steps);
    let active = async {
        // The first sweep writes the table's format, and tells the functions of the targets.
        sleep(Duration::from_secs(30)).await;
        let living = join_all(users.iter_mut().map(|user| user.live(plan.steps, plan.pauses)));
        let operating = async {
            if plan.operator {
                operator.work().await;
            }
        };
        join(living, operating).await;
    };
    let ended = world.while_functions_work(timeout(LONGEST_LIFE, active)).await;
    world.cloud.set_faults(Faults::none());
    world.cloud.set_latency(Latency::Random);
    operator.repair();
    let mut broken = settle(world, &users).await;
    broken.extend(world.seen_wrong());
    if world.answers_all.get() {
        broken.extend(finalized_twice(&world.cloud.calls()));
    }
    if ended.is_err() {
        broken.push(format!("somebody waits for more than {LONGEST_LIFE:?}"));
    }
    drop(users);
    drop(operator);
    Life {
        calls: world.cloud.calls(),
        faults: crate::cloud::lock(&happened).clone(),
        steps: steps.into_inner(),
        broken,
        conditions: world.cloud.conditions(),
    }
}

/// Uploads whose parts were put together more than once. Where nothing fails, a lease keeps the others from that.
fn finalized_twice(calls: &[Call]) -> Vec<String> {
    let mut times = BTreeMap::<&str, usize>::new();
    let of_primary =
        |call: &&Call| call.operation == "S3 CompleteMultipartUpload" && call.function != "replicate";
    for call in calls.iter().filter(of_primary) {
        *times.entry(&call.to).or_default() += 1;
    }
    times.retain(|_, times| *times > 1);
    let twice = times.into_iter();
    twice
        .map(|(object, times)| format!("put together {times} times: {object}"))
        .collect()
}

/// Lets everything come to its end, without faults, and returns what does not hold then.
async fn settle(world: &World, users: &[User<'_>]) -> Vec<String> {
    let mut broken = vec!["nobody has looked".to_owned()];
    for pause in 1..=PAUSES {
        sleep(PAUSE).await;
        let _ = world.invoke("sweep", json!({})).await;
        if pause % 4 == 0 {
            let _ = world.invoke("reconcile", json!({})).await;
        }
        if !world.work_off_messages(ROUNDS).await {
            return vec!["messages go round for ever".to_owned()];
        }
        if pause % 4 == 0 && pause > 8 {
            broken = Audit::of(world).check();
            if broken.is_empty() {
                for user in users {
                    broken.extend(user.check().await);
                }
                return broken;
            }
        }
    }
    broken
}
