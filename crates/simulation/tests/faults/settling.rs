//! How worlds come to rest.

use serde_json::{Map, Value};
use simulation::audit::Audit;
use simulation::lambda::Outcome;
use simulation::world::World;
use std::time::Duration;
use tokio::time::sleep;

/// After how many minutes everybody looks again at what is left. Uploads expire after two hours, and what they leave is
/// looked at after one; a day after it was deleted a blob is.
const PAUSES: [u64; 16] = [1, 5, 15, 10, 31, 10, 20, 31, 31, 60, 120, 360, 900, 30, 30, 30];

/// What the schedules begin. What a function leaves when it dies is the sweep's to end, not the reconciler's, which finds it only
/// when it compares everything.
pub(crate) const SWEEP: &[&str] = &["sweep"];
/// The same where the reconciler has something to do.
pub(crate) const ALL: &[&str] = &["sweep", "reconcile"];

/// Lets time pass until everything is as it must be. It must be in the end.
pub(crate) async fn settle(world: &World, functions: &[&str]) {
    let mut broken = Vec::new();
    for (round, pause) in PAUSES.into_iter().enumerate() {
        sleep(Duration::from_mins(pause)).await;
        if round > 0 {
            schedules(world, functions).await;
        }
        messages(world).await;
        broken = Audit::of(world).check();
        if broken.is_empty() {
            return;
        }
    }
    panic!("it stays so: {}", broken.join("\n  "));
}

/// Lets more than a day pass, with all that happens then.
pub(crate) async fn a_day_passes(world: &World) {
    for minutes in [26 * 60, 30, 30, 30] {
        sleep(Duration::from_mins(minutes)).await;
        let now = world.cloud.now();
        world.cloud.services().dynamodb.expire(now).expect("a table");
        work(world, SWEEP).await;
    }
}

/// Does what is due, once.
pub(crate) async fn work(world: &World, functions: &[&str]) {
    schedules(world, functions).await;
    messages(world).await;
}

async fn schedules(world: &World, functions: &[&str]) {
    for function in functions {
        let outcome = world.invoke(function, Value::Object(Map::default())).await;
        assert!(matches!(outcome, Outcome::Answered(_)), "{function}: {outcome:?}");
    }
}

/// Works on all messages that are to be had.
async fn messages(world: &World) {
    while world.work_on_messages().await {}
}
