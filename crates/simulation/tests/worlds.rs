//! A few random worlds, and that the same seed is the same world.

use simulation::random::{Plan, live};

/// A world that was broken once comes here with the change that mends it. A change of what worlds are like makes other worlds of these
/// seeds.
const RECORDED: [u64; 8] = [1, 2, 3, 4, 5, 6, 7, 8];

fn holds(seed: u64) {
    let life = live(&Plan::of(seed));
    assert_eq!(
        life.broken, [""; 0],
        "cargo xtask simulate --worlds 1 --seed {seed}"
    );
    assert!(
        life.calls.len() >= 1000,
        "seed {seed} has {} calls only",
        life.calls.len()
    );
}

#[test]
fn recorded_worlds_hold() {
    RECORDED.into_iter().for_each(holds);
}

#[test]
fn a_world_goes_the_same_way_each_time() {
    let plan = Plan {
        failing: 60,
        ..Plan::of(11)
    };
    let (one, same) = (live(&plan), live(&plan));
    assert_eq!(one.steps, same.steps);
    assert_eq!(one.calls, same.calls);
    assert!(one.faults.len() > 20, "{} faults", one.faults.len());
}

/// Leaving out what a rule forbids to leave out is noticed: the audit is awake.
#[test]
fn a_world_without_the_condition_of_a_quota_is_broken() {
    let condition = live(&Plan::of(1)).conditions.seen;
    let quota = condition
        .iter()
        .find(|condition| condition.contains("free_bytes >="));
    let without = quota.cloned().expect("uploads reserve bytes");
    let broken = (1..60).any(|seed| {
        let plan = Plan {
            quota: 1_200_000,
            without: Some(without.clone()),
            ..Plan::of(seed)
        };
        !live(&plan).broken.is_empty()
    });
    assert!(broken, "{without}");
}
