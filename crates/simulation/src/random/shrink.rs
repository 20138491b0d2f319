//! A smaller world that is broken as well, which is easier to understand.

use super::life::{Life, live};
use super::plan::Plan;
use std::collections::BTreeSet;

/// Leaves out of a plan whose world is broken what is not needed for that. Returns what is left, and how it goes.
#[must_use]
pub fn shrink(plan: &Plan, life: Life) -> (Plan, Life) {
    let (mut plan, mut life) = (plan.clone(), life);
    // From now on by name, so that they can be left out.
    let all = life.faults.iter().map(|happened| happened.key.clone()).collect();
    plan.only = Some(all);
    let mut attempt = |plan: &mut Plan, change: &dyn Fn(&mut Plan)| {
        let mut smaller = plan.clone();
        change(&mut smaller);
        if smaller == *plan {
            return false;
        }
        let lived = live(&smaller);
        let broken = !lived.broken.is_empty();
        if broken {
            *plan = smaller;
            life = lived;
        }
        broken
    };
    attempt(&mut plan, &|plan| plan.operator = false);
    while plan.clients > 1 && attempt(&mut plan, &|plan| plan.clients -= 1) {}
    while plan.steps > 1 && attempt(&mut plan, &|plan| plan.steps -= 1) {}
    attempt(&mut plan, &|plan| {
        plan.only = Some(BTreeSet::new());
    });
    let keys: Vec<_> = plan.only.iter().flatten().cloned().collect();
    for key in keys {
        attempt(&mut plan, &|plan| {
            if let Some(only) = &mut plan.only {
                only.remove(&key);
            }
        });
    }
    (plan, life)
}
