//! What an operator does, and what happens to them: a target is added, or drained for a while, or loses an object; the signing key is
//! replaced.

use crate::world::{TARGET_BUCKET, World};
use host::Rng;
use serde_json::json;
use std::cell::{Cell, RefCell};
use std::time::Duration;
use tokio::time::sleep;

/// How many things happen.
const STEPS: usize = 4;

/// The operator.
pub(super) struct Operator<'w> {
    world: &'w World,
    rng: Rng,
    steps: &'w RefCell<Vec<String>>,
    /// The key that signs.
    key: Cell<u128>,
}

impl<'w> Operator<'w> {
    pub(super) fn new(world: &'w World, steps: &'w RefCell<Vec<String>>) -> Self {
        Self {
            world,
            rng: Rng::seeded(world.rng.random()),
            steps,
            key: Cell::new(world.signing_key),
        }
    }

    pub(super) async fn work(&self) {
        for _ in 0..STEPS {
            sleep(Duration::from_secs(self.rng.within(5..60))).await;
            match self.rng.within(0..6) {
                0 => self.lose(),
                1 => self.set_targets(&["near", "far", "third"], &[]),
                2 => self.set_targets(&["near", "far"], &["far"]),
                3 => self.replace_key(),
                4 => self.twice("sweep").await,
                _ => self.twice("reconcile").await,
            }
        }
    }

    /// In the end nothing is drained, and everything is to be everywhere.
    pub(super) fn repair(&self) {
        let third = self
            .world
            .cloud
            .services()
            .targets
            .contains_key("third.simulation");
        let names: &[&str] = if third {
            &["near", "far", "third"]
        } else {
            &["near", "far"]
        };
        self.set_targets(names, &[]);
    }

    /// An event is delivered at least once.
    async fn twice(&self, function: &str) {
        self.note(&format!("{function} twice at once"));
        let once = async || self.world.invoke(function, json!({})).await;
        let (_, _) = tokio::join!(once(), once());
    }

    fn set_targets(&self, names: &[&str], draining: &[&str]) {
        self.note(&format!("the targets are {names:?}, draining {draining:?}"));
        self.world.set_targets(names, draining);
    }

    /// The one before stays good for what was signed with it.
    fn replace_key(&self) {
        let now = self.world.cloud.now();
        let (current, previous) = (self.rng.random::<u128>(), self.key.get());
        let key = format!(r#"{{"current":"{current:064x}","previous":"{previous:064x}"}}"#);
        self.key.set(current);
        self.world
            .cloud
            .services()
            .secrets
            .set("SigningSecret", &key, now);
        self.note("another signing key");
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
