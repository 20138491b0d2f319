//! What the worlds of the tests have shown.

use simulation::cloud::{Call, Conditions};
use simulation::world::World;
use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

/// What was seen.
#[derive(Default)]
pub(crate) struct Seen {
    /// The conditions of writes.
    pub(crate) conditions: BTreeSet<String>,
    /// The functions that have written something.
    pub(crate) writers: BTreeSet<String>,
}

static SEEN: Mutex<Seen> = Mutex::new(Seen {
    conditions: BTreeSet::new(),
    writers: BTreeSet::new(),
});

/// Notes what was written in a world.
pub(crate) fn note(world: &World) {
    note_all(world.cloud.conditions(), &world.cloud.calls());
}

/// The same of a world that is over.
pub(crate) fn note_all(conditions: Conditions, calls: &[Call]) {
    let mut seen = SEEN.lock().unwrap_or_else(PoisonError::into_inner);
    seen.conditions.extend(conditions.seen);
    let writes = calls.iter().filter(|call| !call.reads());
    seen.writers.extend(writes.map(|call| call.function.clone()));
}

/// All of it, once.
pub(crate) fn take() -> Seen {
    std::mem::take(&mut SEEN.lock().unwrap_or_else(PoisonError::into_inner))
}
