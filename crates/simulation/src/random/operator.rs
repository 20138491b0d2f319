//! What happens to targets: one loses an object, one is added, one is drained.

use crate::world::{TARGET_BUCKET, World};
use host::Rng;
use std::cell::RefCell;
use std::time::Duration;
use tokio::time::sleep;

/// How many things happen.
const STEPS: usize = 4;

/// The operator.
pub(super) struct Operator<'w> {
    world: &'w World,
    rng: Rng,
    steps: &'w RefCell<Vec<String>>,
}

impl<'w> Operator<'w> {
    pub(super) fn new(world: &'w World, steps: &'w RefCell<Vec<String>>) -> Self {
        Self {
            world,
            rng: Rng::seeded(world.rng.random()),
            steps,
        }
    }

    pub(super) async fn work(&self) {
        for _ in 0..STEPS {
            sleep(Duration::from_secs(self.rng.within(5..60))).await;
            match self.rng.within(0..3) {
                0 => self.lose(),
                1 => self.set_targets(&["near", "far", "third"]),
                _ => self.set_targets(&["near", "far"]),
            }
        }
    }

    /// Nobody is to be missed in the end, and nobody is left whose replicas are not looked after any more.
    pub(super) fn repair(&self) {
        if self
            .world
            .cloud
            .services()
            .targets
            .contains_key("third.simulation")
        {
            self.set_targets(&["near", "far", "third"]);
        }
    }

    fn set_targets(&self, names: &[&str]) {
        self.note(&format!("the targets are {names:?}"));
        self.world.set_targets(names);
    }

    fn lose(&self) {
        let mut services = self.world.cloud.services();
        let Some(target) = services.targets.get_mut("near.simulation") else {
            return;
        };
        let keys: Vec<String> = target.objects(TARGET_BUCKET).map(|object| object.key).collect();
        let Some(key) = self.rng.choose(&keys) else { return };
        target.remove_object(TARGET_BUCKET, key);
        drop(services);
        self.note(&format!("near loses {key}"));
    }

    fn note(&self, what: &str) {
        let now = self.world.cloud.now();
        self.steps.borrow_mut().push(format!("{now} operator: {what}"));
    }
}
