//! The model as stateright explores it.

use crate::model::{Action, Model};
use crate::properties::INVARIANTS;
use crate::world::World;
use stateright::{Checker, HasDiscoveries, Property};
use std::collections::BTreeSet;
use std::fmt::Write;

impl stateright::Model for Model {
    type State = World;
    type Action = Action;

    fn init_states(&self) -> Vec<World> {
        vec![self.world]
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

type Condition = fn(&Model, &World) -> bool;

const REACHED: [Condition; 4] = [
    |model, world| model.reached[0].1(world),
    |model, world| model.reached[1].1(world),
    |model, world| model.reached[2].1(world),
    |model, world| model.reached[3].1(world),
];

/// Explores every world that can be, and asserts that all properties hold in all of them, that there are at least
/// `floor` of them, and that those which the model must reach are among them.
#[track_caller]
pub(crate) fn check(model: &Model, floor: usize) {
    let started = std::time::Instant::now();
    let explored = stateright::Model::checker(model.clone()).finish_when(HasDiscoveries::AnyFailures);
    let checker = explored.spawn_dfs().join();
    let found = checker.discoveries();
    if let Some((name, _)) = INVARIANTS.iter().find(|(name, _)| found.contains_key(name)) {
        panic!("not true: {name}\n{}", shortest(model, name).unwrap_or_default());
    }
    let count = checker.unique_state_count();
    println!(
        "{count} worlds, at most {} steps, {:.1?}",
        checker.max_depth(),
        started.elapsed()
    );
    let model = checker.model();
    assert!(
        model.reached.len() <= REACHED.len(),
        "more than can be looked for"
    );
    for (name, _) in &model.reached {
        assert!(found.contains_key(name), "never reached: {name}");
    }
    assert!(count >= floor, "only {count} worlds");
}

/// Asserts that a broken rule is found: the shortest way to a world in which `property` does not hold.
#[track_caller]
pub(crate) fn check_finds(model: &Model, property: &'static str) {
    assert!(
        INVARIANTS.iter().any(|(name, _)| *name == property),
        "no such property"
    );
    let story = shortest(model, property);
    let Some(story) = story else {
        panic!("in all worlds: {property}")
    };
    println!("{story}");
}

/// The shortest way to a world in which a property does not hold.
fn shortest(model: &Model, property: &'static str) -> Option<String> {
    let wanted = HasDiscoveries::AnyOf(BTreeSet::from([property]));
    let checker = stateright::Model::checker(model.clone())
        .finish_when(wanted)
        .spawn_bfs()
        .join();
    Some(story(model, &checker.discovery(property)?.into_actions()))
}

/// What happened, a line for each.
fn story(model: &Model, actions: &[Action]) -> String {
    let mut world = model.world;
    let mut text = String::new();
    for action in actions {
        let who = match action {
            Action::Request(number) => format!("{:?}", model.script[*number]),
            Action::Step(slot) | Action::Repeat(slot) | Action::Unanswered(slot) | Action::Die(slot) => world
                .processes[*slot]
                .map(|process| format!("{process:?}"))
                .unwrap_or_default(),
            _ => String::new(),
        };
        let _ = writeln!(text, "  {action:?} {who}");
        world = model.after(&world, *action);
    }
    let left = crate::properties::leftovers(model, &world);
    let _ = writeln!(text, "  {left:?}\n  {world:?}");
    text
}
