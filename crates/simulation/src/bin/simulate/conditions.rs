//! What each condition of a write is for: worlds that are broken without it.

use simulation::cloud::Conditions;
use simulation::on_all_cores;
use simulation::random::{Plan, live};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// In how many worlds a condition is dropped at most: those in which it was false.
const TRIES: usize = 20;

/// The conditions that were seen, each with the seeds of worlds in which it was false.
type Seen = BTreeMap<String, BTreeSet<u64>>;

/// Lives worlds for so long, and then those again in which a condition was false, without it. Where it is always true,
/// dropping it changes nothing.
pub(super) fn look(first: u64, limit: Duration) {
    let seen: Vec<_> = worlds(first, limit).into_iter().collect();
    let next = AtomicUsize::new(0);
    let found = AtomicUsize::new(0);
    on_all_cores(|| {
        while let Some((condition, seeds)) = seen.get(next.fetch_add(1, Ordering::Relaxed)) {
            let broken = seeds.iter().take(TRIES).find_map(|seed| {
                let without = Some(condition.clone());
                let plan = Plan {
                    without,
                    ..Plan::of(*seed)
                };
                let broken = live(&plan).broken;
                broken.first().map(|broken| (*seed, broken.clone()))
            });
            match broken {
                Some((seed, broken)) => {
                    found.fetch_add(1, Ordering::Relaxed);
                    let broken: String = broken.chars().take(100).collect();
                    println!("seed {seed} needs it: {condition}\n    {broken}");
                }
                None if seeds.is_empty() => println!("never false: {condition}"),
                None => println!("false in {} worlds, none needs it: {condition}", seeds.len()),
            }
        }
    });
    println!("{} conditions, {} needed", seen.len(), found.into_inner());
}

#[expect(clippy::disallowed_methods, reason = "here real time counts")]
fn worlds(first: u64, limit: Duration) -> Seen {
    let (started, next) = (Instant::now(), AtomicU64::new(first));
    let seen = Mutex::<Seen>::default();
    on_all_cores(|| {
        while started.elapsed() < limit {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            let Conditions {
                seen: of_world,
                refused,
                ..
            } = live(&Plan::of(seed)).conditions;
            let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
            for condition in of_world {
                let seeds = seen.entry(condition.clone()).or_default();
                if refused.contains(&condition) {
                    seeds.insert(seed);
                }
            }
        }
    });
    println!("{} worlds from seed {first} on", next.into_inner() - first);
    seen.into_inner().unwrap_or_else(PoisonError::into_inner)
}
