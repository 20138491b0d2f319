//! The model as stateright explores it.

use super::properties::INVARIANTS;
use super::{Action, Model, World};
use stateright::{Checker, HasDiscoveries, Property};
use std::collections::BTreeSet;
use std::fmt::Write;

impl stateright::Model for Model {
    type State = World;
    type Action = Action;

    fn init_states(&self) -> Vec<World> {
        vec![self.begin]
    }

    fn actions(&self, world: &World, actions: &mut Vec<Action>) {
        self.possible(world, actions);
    }

    fn next_state(&self, world: &World, action: Action) -> Option<World> {
        let next = self.after(world, action);
        (next != *world).then_some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        let always = INVARIANTS
            .into_iter()
            .map(|(name, holds)| Property::always(name, holds));
        // A property is a function that knows the model only: the number is how it finds its own.
        let reached = self.reached.iter().zip(REACHED);
        always
            .chain(reached.map(|((name, _), is)| Property::sometimes(name, is)))
            .collect()
    }
}

const REACHED: [fn(&Model, &World) -> bool; 3] = [
    |model, world| model.reached[0].1(world),
    |model, world| model.reached[1].1(world),
    |model, world| model.reached[2].1(world),
];

/// Explores every world that can be, and asserts that all properties hold in all of them, that there are at least
/// `floor` of them, and that those which the model must reach are among them.
#[track_caller]
pub(super) fn check(model: &Model, floor: usize) {
    assert!(
        model.reached.len() <= REACHED.len(),
        "more than can be looked for"
    );
    let started = std::time::Instant::now();
    let checker = stateright::Model::checker(model.clone())
        .finish_when(HasDiscoveries::AnyFailures)
        .spawn_bfs()
        .join();
    let found = checker.discoveries();
    if let Some((name, _)) = INVARIANTS.iter().find(|(name, _)| found.contains_key(name)) {
        panic!("not true: {name}\n{}", shortest(model, name).unwrap_or_default());
    }
    let (count, took) = (checker.unique_state_count(), started.elapsed());
    println!("{count} worlds, {took:.1?}");
    for (name, _) in &model.reached {
        assert!(found.contains_key(name), "never reached: {name}");
    }
    assert!(count >= floor, "only {count} worlds");
}

/// Asserts that a broken rule is found: the shortest way to a world in which `property` does not hold.
#[track_caller]
pub(super) fn check_finds(model: &Model, property: &'static str) {
    let Some(story) = shortest(model, property) else {
        panic!("in all worlds: {property}")
    };
    println!("{story}");
}

/// The shortest way to a world in which a property does not hold.
fn shortest(model: &Model, property: &'static str) -> Option<String> {
    let checker = stateright::Model::checker(model.clone())
        .finish_when(HasDiscoveries::AnyOf(BTreeSet::from([property])))
        .spawn_bfs()
        .join();
    let actions = checker.discovery(property)?.into_actions();
    let (mut world, mut text) = (model.begin, format!("  not true: {property}\n"));
    for action in actions {
        let who = match action {
            Action::Step(slot)
            | Action::Repeat(slot)
            | Action::Corrupt(slot)
            | Action::Die(slot)
            | Action::SendAnew(slot)
            | Action::GiveUp(slot) => world.workers[slot].map(|worker| format!("{worker:?}")),
            Action::StepOther(slot) | Action::OtherDies(slot) => {
                world.others[slot].map(|other| format!("{other:?}"))
            }
            _ => None,
        };
        let _ = writeln!(text, "  {action:?} {}", who.unwrap_or_default());
        world = model.after(&world, action);
    }
    let _ = writeln!(text, "  {world:?}");
    Some(text)
}
