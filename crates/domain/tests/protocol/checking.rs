//! Models as stateright explores them.

use crate::model::{Action, Model};
use crate::properties::{INVARIANTS, leftovers};
use crate::world::World;
use stateright::{Checker, HasDiscoveries, Property};
use std::collections::BTreeSet;
use std::fmt::{Debug, Write};
use std::hash::Hash;

/// A model that says what must hold in all worlds, and which worlds there must be among them.
pub(crate) trait Explored:
    stateright::Model<
        State: Clone + Debug + Hash + PartialEq + Send + Sync,
        Action: Copy + Debug + PartialEq + Send + Sync,
    > + Clone
    + Send
    + Sync
    + 'static
{
    /// The names of what must hold in all worlds.
    fn invariants() -> Vec<&'static str>;

    /// The names of what must be found in some world, or the model does not say much.
    fn reached(&self) -> Vec<&'static str>;

    /// The process that acts, if it is one.
    fn who(&self, world: &Self::State, action: Self::Action) -> Option<String>;

    /// What is shown of a world at the end of a counterexample.
    fn end(&self, world: &Self::State) -> String;
}

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

impl Explored for Model {
    fn invariants() -> Vec<&'static str> {
        INVARIANTS.map(|(name, _)| name).to_vec()
    }

    fn reached(&self) -> Vec<&'static str> {
        assert!(self.reached.len() <= REACHED.len(), "more than can be looked for");
        self.reached.iter().map(|(name, _)| *name).collect()
    }

    fn who(&self, world: &World, action: Action) -> Option<String> {
        match action {
            Action::Request(number) => Some(format!("{:?}", self.script[number])),
            Action::Step(slot) | Action::Repeat(slot) | Action::Unanswered(slot) | Action::Die(slot) => {
                world.processes[slot].map(|process| format!("{process:?}"))
            }
            _ => None,
        }
    }

    fn end(&self, world: &World) -> String {
        format!("  {:?}\n  {world:?}\n", leftovers(self, world))
    }
}

/// Explores every world that can be, and asserts that all properties hold in all of them, that there are at least
/// `floor` of them, and that those which the model must reach are among them.
#[track_caller]
pub(crate) fn check<M: Explored>(model: &M, floor: usize) {
    let reached = model.reached();
    let started = std::time::Instant::now();
    let explored = model.clone().checker().finish_when(HasDiscoveries::AnyFailures);
    let checker = explored.spawn_dfs().join();
    let found = checker.discoveries();
    if let Some(name) = M::invariants().into_iter().find(|name| found.contains_key(name)) {
        panic!("not true: {name}\n{}", shortest(model, name).unwrap_or_default());
    }
    let count = checker.unique_state_count();
    println!(
        "{count} worlds, at most {} steps, {:.1?}",
        checker.max_depth(),
        started.elapsed()
    );
    for name in reached {
        assert!(found.contains_key(name), "never reached: {name}");
    }
    assert!(count >= floor, "only {count} worlds");
}

/// Asserts that a broken rule is found: the shortest way to a world in which `property` does not hold.
#[track_caller]
pub(crate) fn check_finds<M: Explored>(model: &M, property: &'static str) {
    assert!(M::invariants().contains(&property), "no such property");
    let Some(story) = shortest(model, property) else {
        panic!("in all worlds: {property}")
    };
    println!("{story}");
}

/// The shortest way to a world in which a property does not hold.
fn shortest<M: Explored>(model: &M, property: &'static str) -> Option<String> {
    let wanted = HasDiscoveries::AnyOf(BTreeSet::from([property]));
    let checker = model.clone().checker().finish_when(wanted).spawn_bfs().join();
    Some(story(
        model,
        property,
        checker.discovery(property)?.into_actions(),
    ))
}

/// What happened, a line for each.
fn story<M: Explored>(model: &M, property: &str, actions: Vec<M::Action>) -> String {
    let mut text = format!("  not true: {property}\n");
    let Some(mut world) = model.init_states().into_iter().next() else {
        return text;
    };
    for action in actions {
        let who = model.who(&world, action).unwrap_or_default();
        let _ = writeln!(text, "  {action:?} {who}");
        world = model.next_state(&world, action).unwrap_or(world);
    }
    text + &model.end(&world)
}
