//! What each condition of a write is for: dropped, it breaks a world, or a race, or a scene in which the write comes late;
//! or else the list says why nothing depends on it alone. `cargo xtask simulate --conditions` looks for worlds that need one.

#![allow(clippy::expect_used, reason = "a test stops where it fails, and says so")]

mod accounts;
mod blobs;
mod counting;
mod evidence;
mod failing;
mod list;
mod races;
mod replicas;
mod scene;
mod seen;
mod trash;
mod tree;
mod versions;

use evidence::Evidence;
use list::LIST;
use simulation::on_all_cores;
use simulation::random::{Plan, live};
use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Worlds that write whatever there is to be written.
const WORLDS: std::ops::Range<u64> = 1..65;
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
fn with_all_conditions_nothing_goes_wrong_and_all_are_in_the_list() {
    let wrong = each(LIST, |(condition, evidence)| {
        let wrong = match evidence {
            Evidence::Race(race) => race(None),
            Evidence::Late(late) => late(condition, false),
            Evidence::World(_) | Evidence::NotAlone(_) => None,
        };
        wrong.map(|wrong| format!("{condition}: {wrong}"))
    });
    assert!(wrong.is_empty(), "{wrong:#?}");
    let seeds: Vec<u64> = WORLDS.collect();
    each(&seeds, |seed| {
        let lived = live(&Plan::of(*seed));
        seen::note_all(lived.conditions, &lived.calls);
        None
    });
    let seen = seen::take();
    let listed: BTreeSet<String> = LIST
        .iter()
        .map(|(condition, _)| (*condition).to_owned())
        .collect();
    let unlisted: Vec<_> = seen.conditions.difference(&listed).collect();
    assert!(unlisted.is_empty(), "what are they for? {unlisted:#?}");
    let unseen: Vec<_> = listed.difference(&seen.conditions).collect();
    assert!(unseen.is_empty(), "nothing is written with them: {unseen:#?}");
    // What a function writes that nobody has invoked may have other conditions.
    let silent = functions::ALL.iter().filter(|(function, _)| {
        let only_reads = wire::endpoint(function).is_some_and(|endpoint| endpoint.method == "GET");
        !only_reads && !seen.writers.contains(*function)
    });
    let silent: Vec<_> = silent.map(|(function, _)| *function).collect();
    assert!(silent.is_empty(), "they have written nothing: {silent:#?}");
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
            Evidence::Late(late) => late(condition, true).is_some(),
            Evidence::NotAlone(why) => !why.is_empty(),
        };
        (!needed).then(|| (*condition).to_owned())
    });
    assert!(missed.is_empty(), "nothing is broken without {missed:#?}");
}
