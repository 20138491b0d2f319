//! This model as stateright explores it.

use super::actions::Action;
use super::model::Model;
use super::properties::INVARIANTS;
use super::world::World;
use crate::checking::Explored;
use stateright::Property;

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
        }
    }

    fn end(&self, world: &World) -> String {
        format!("  {world:?}\n")
    }
}
