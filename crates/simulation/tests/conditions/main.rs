//! What each condition of a write is for: dropped, it breaks a world or a race; or else the list says why nothing depends on it
//! alone. `cargo xtask simulate --conditions` looks for worlds that need one.

#![allow(clippy::expect_used, reason = "a test stops where it fails, and says so")]

mod list;
mod races;

use list::{Evidence, LIST};
use simulation::on_all_cores;
use simulation::random::{Plan, live};
use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Worlds that write whatever there is to be written.
const WORLDS: std::ops::Range<u64> = 1..17;
/// How many worlds are lived instead of one that a change of the code has made another.
const OTHERS: u64 = 40;

/// Runs something for each item on all cores. Returns what it returns that is something.
fn each<T: Sync>(items: &[T], run: impl Fn(&T) -> Option<String> + Sync) -> Vec<String> {
    let (next, found) = (AtomicUsize::new(0), Mutex::<Vec<String>>::default());
    on_all_cores(|| {
        while let Some(item) = items.get(next.fetch_add(1, Ordering::Relaxed)) {
            let result = run(item);
            found.lock().expect("no panic").extend(result);
        }
    });
    found.into_inner().expect("no panic")
}

#[test]
fn every_condition_is_in_the_list() {
    let seeds: Vec<u64> = WORLDS.collect();
    let seen = Mutex::<BTreeSet<String>>::default();
    each(&seeds, |seed| {
        let conditions = live(&Plan::of(*seed)).conditions;
        seen.lock().expect("no panic").extend(conditions.seen);
        None
    });
    let seen = seen.into_inner().expect("no panic");
    let listed: BTreeSet<String> = LIST
        .iter()
        .map(|(condition, _)| (*condition).to_owned())
        .collect();
    let unlisted: Vec<_> = seen.difference(&listed).collect();
    assert!(unlisted.is_empty(), "what are they for? {unlisted:#?}");
    let races = LIST
        .iter()
        .filter(|(_, evidence)| matches!(evidence, Evidence::Race(_)));
    let races: BTreeSet<String> = races.map(|(condition, _)| (*condition).to_owned()).collect();
    let unseen: Vec<_> = listed
        .difference(&seen)
        .filter(|name| !races.contains(*name))
        .collect();
    assert!(unseen.is_empty(), "nothing is written with them: {unseen:#?}");
}

#[test]
fn worlds_and_races_need_their_conditions() {
    let missed = each(LIST, |(condition, evidence)| {
        let needed = match evidence {
            Evidence::World(seed) => {
                let others = (1..=OTHERS).map(|more| seed + more);
                [*seed].into_iter().chain(others).any(|seed| {
                    let without = Some((*condition).to_owned());
                    let plan = Plan {
                        without,
                        ..Plan::of(seed)
                    };
                    !live(&plan).broken.is_empty()
                })
            }
            Evidence::Race(race) => race(Some(condition)).is_some(),
            Evidence::NotAlone(why) | Evidence::NotFound(why) => !why.is_empty(),
        };
        (!needed).then(|| (*condition).to_owned())
    });
    assert!(missed.is_empty(), "nothing is broken without {missed:#?}");
}

#[test]
fn races_with_all_conditions_are_won_by_nobody() {
    let wrong = each(LIST, |(condition, evidence)| match evidence {
        Evidence::Race(race) => race(None).map(|wrong| format!("{condition}: {wrong}")),
        _ => None,
    });
    assert!(wrong.is_empty(), "{wrong:#?}");
}
