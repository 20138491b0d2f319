//! A load, and what came of it.

use crate::cloud::{Assumptions, Counts, Heat, Latency};
use crate::cost::measure::{AS_DEPLOYED, SMALL};
use crate::events::{consume_batch, schedule};
use crate::person::Person;
use crate::template::Source;
use crate::world::{World, run_with};
use bytes::Bytes;
use futures::future::{FutureExt, join_all, select};
use futures::stream::{FuturesUnordered, StreamExt};
use jiff::Timestamp;
use serde_json::json;
use std::cell::{Cell, RefCell};
use std::time::Duration;
use tokio::time::{Instant, sleep, sleep_until};

/// Uploads in the hour that is meant.
pub const UPLOADS: f64 = 1e6;
/// The accounts that they are of.
pub const ACCOUNTS: f64 = 10_000.0;
/// The workers for small files.
pub const WORKERS: u32 = 1000;

/// How long replicas are waited for when the last upload has come.
const AFTER: Duration = Duration::from_mins(10);

/// What is asked of Longshore.
#[derive(Debug, Clone, Copy)]
pub struct Load {
    /// How many times fewer uploads come than a million an hour.
    pub less: u32,
    /// Whether any come at all.
    pub uploads: bool,
    /// For how long.
    pub seconds: u32,
    /// How many accounts they are of: each upload of any of them.
    pub accounts: u32,
    /// How many workers there are for small files.
    pub workers: u32,
}

/// An hour with so many times less of everything.
#[must_use]
pub fn hour(less: u32) -> Load {
    Load {
        less,
        uploads: true,
        seconds: 3600,
        accounts: 10_000 / less,
        workers: (WORKERS / less).max(1),
    }
}

/// Everything for some seconds, but for accounts: to make one takes this machine a while.
#[must_use]
pub fn in_full(workers: u32, seconds: u32) -> Load {
    Load {
        less: 1,
        uploads: true,
        seconds,
        accounts: 100,
        workers,
    }
}

/// What was seen.
#[derive(Debug)]
pub struct Lived {
    /// Under what.
    pub load: Load,
    /// Uploads that became files.
    pub uploads: usize,
    /// Those that did not, and why.
    pub failed: Vec<String>,
    /// What each partition took while uploads came.
    pub heat: Heat,
    /// What each partition takes in as long a time in which nothing comes: schedules do not become more with the load.
    pub idle: Heat,
    /// What was asked of AWS meanwhile.
    pub counts: Counts,
    /// How long uploads took, in order.
    pub took: Vec<Duration>,
    /// How long replicas took, from the file to the verified copy, in order. Those that are not there are missing.
    pub lags: Vec<Duration>,
    /// How many messages could be received, each second.
    pub queued: Vec<usize>,
    /// The most messages that were being worked on.
    pub in_flight: usize,
}

/// Lives a load in a world of its own, and as long a time without any in another one.
#[must_use]
pub fn live(load: &Load) -> Lived {
    let idle = Load {
        uploads: false,
        accounts: 1,
        ..*load
    };
    Lived {
        idle: once(&idle).heat,
        ..once(load)
    }
}

fn once(load: &Load) -> Lived {
    run_with(u64::from(load.less), &AS_DEPLOYED, async |world| {
        world.cloud.set_latency(Latency::Assumed(Assumptions::DOCUMENTED));
        world.set_targets(&["near"], &[]);
        // An empty table gets its format, and the reconciler's first pass is over.
        let _ = world.invoke("sweep", json!({})).await;
        let _ = world.invoke("reconcile", json!({})).await;
        let people = people(world, load.accounts).await;
        world.cloud.watch_heat();
        let before = world.cloud.counts();
        let (took, failed) = (
            RefCell::<Vec<Duration>>::default(),
            RefCell::<Vec<String>>::default(),
        );
        let (queued, in_flight) = (RefCell::default(), Cell::new(0));
        let mut during = None;
        let began = Instant::now();
        let come = async {
            join_all(arrivals(world, load).map(|(number, at)| {
                let person = people.get(world.rng.within(0..people.len()));
                let (took, failed) = (&took, &failed);
                async move {
                    sleep_until(at).await;
                    match upload(person, number).await {
                        Ok(()) => took.borrow_mut().push(at.elapsed()),
                        Err(why) => failed.borrow_mut().push(why),
                    }
                }
            }))
            .await;
            sleep_until(began + Duration::from_secs(load.seconds.into())).await;
            during = Some((world.cloud.heat(), world.cloud.counts().since(&before)));
            sleep(AFTER).await;
        };
        let work = async {
            let sweep = schedule(&world.lambda, "sweep", Duration::from_mins(1));
            let reconcile = schedule(&world.lambda, "reconcile", Duration::from_mins(15));
            let look = watch(world, &queued, &in_flight);
            let mut loops = vec![sweep.boxed_local(), reconcile.boxed_local(), look.boxed_local()];
            for source in world.sources() {
                loops.push(workers(world, source, load.workers).boxed_local());
            }
            join_all(loops).await;
        };
        select(Box::pin(come), Box::pin(work)).await;
        let (heat, counts) = during.unwrap_or_default();
        let mut took: Vec<Duration> = took.into_inner();
        took.sort_unstable();
        Lived {
            load: *load,
            uploads: took.len(),
            failed: failed.into_inner(),
            heat,
            idle: Heat::default(),
            counts,
            took,
            lags: lags(world),
            queued: queued.into_inner(),
            in_flight: in_flight.get(),
        }
    })
}

/// Accounts, each with a personal token: nobody has to sign in again.
async fn people(world: &World, count: u32) -> Vec<Person<'_>> {
    let mut people = Vec::new();
    for number in 0..count {
        let name = format!("somebody-{number}");
        let Some(person) = Person::sign_up(world, &name).await else {
            continue;
        };
        let token = json!({ "name": "load", "scopes": ["read", "upload"], "expires_in_days": 30 });
        let token = person.call("POST", "/v1/tokens", Some(token)).await;
        let token = token.body["token"].as_str().unwrap_or_default();
        people.push(Person::known(world, &name, &person.id, token).patient());
    }
    people
}

/// When uploads come: at random, each independent of all others.
fn arrivals(world: &World, load: &Load) -> impl Iterator<Item = (u32, Instant)> {
    let mean = 3600.0 * f64::from(load.less) / UPLOADS;
    let (began, long) = (Instant::now(), f64::from(load.seconds));
    let mut second = 0.0;
    let times = std::iter::from_fn(move || {
        let chance = f64::from(world.rng.within(1..=1_000_000_u32)) / 1e6;
        second -= mean * chance.ln();
        (load.uploads && second < long).then(|| began + Duration::from_secs_f64(second))
    });
    let times: Vec<_> = times.collect();
    (0..).zip(times)
}

async fn upload(person: Option<&Person<'_>>, number: u32) -> Result<(), String> {
    let person = person.ok_or("there is nobody")?;
    let content = Bytes::from(number.to_be_bytes().repeat(SMALL as usize / 4));
    let name = format!("file-{number}");
    person.store(&name, None, &content, true, "fail").await.map(drop)
}

/// Lambda: as long as there are messages and fewer than `most` workers at work, one more gets what there is. It gets it at once.
async fn workers(world: &World, source: &Source, most: u32) {
    let most = most as usize;
    let mut working = FuturesUnordered::new();
    loop {
        let next = loop {
            let now = world.cloud.now();
            let visible_at = world.cloud.services().sqs.next_visible_at(&source.queue);
            let visible_at = visible_at.ok().flatten();
            if working.len() >= most || visible_at.is_none_or(|at| at > now) {
                break visible_at.filter(|at| *at > now);
            }
            working.push(consume_batch(&world.cloud, &world.lambda, "replicate", source));
            // The first thing it does is to receive.
            let _ = futures::poll!(working.next());
        };
        let wait = next.map_or(Duration::from_mins(1), |at| {
            at.duration_since(world.cloud.now()).unsigned_abs()
        });
        tokio::select! {
            biased;
            _ = working.next(), if !working.is_empty() => {}
            () = world.cloud.queues_changed() => {}
            () = sleep(wait.max(Duration::from_millis(1))) => {}
        }
    }
}

/// Looks at the queue each second.
async fn watch(world: &World, queued: &RefCell<Vec<usize>>, in_flight: &Cell<usize>) {
    loop {
        let now = world.cloud.now();
        let mut visible = 0;
        let mut under_way = 0;
        for source in world.sources() {
            let depth = world.cloud.services().sqs.depth(&source.queue, now);
            let depth = depth.unwrap_or_default();
            visible += depth.visible;
            under_way += depth.in_flight;
        }
        queued.borrow_mut().push(visible);
        in_flight.set(in_flight.get().max(under_way));
        sleep(Duration::from_secs(1)).await;
    }
}

/// How long each replica took.
fn lags(world: &World) -> Vec<Duration> {
    let rows = world.rows();
    let replicas = rows.iter().filter(|row| row["state"] == "available");
    let time = |value: &serde_json::Value| value.as_str()?.parse::<Timestamp>().ok();
    let lag = |row: &serde_json::Value| {
        let (since, available) = (time(&row["since"])?, time(&row["available_at"])?);
        Some(available.duration_since(since).unsigned_abs())
    };
    let mut lags: Vec<_> = replicas.filter_map(lag).collect();
    lags.sort_unstable();
    lags
}
