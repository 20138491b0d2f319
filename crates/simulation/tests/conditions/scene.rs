//! A world in which a write comes too late: the function that sent it is long dead, and others have done what it wanted to do.

use crate::seen;
use bytes::Bytes;
use serde_json::{Value, json};
use simulation::audit::Audit;
use simulation::cloud::Conditions;
use simulation::events::consume_batch;
use simulation::gateway::{self, Request, Response};
use simulation::lambda::Outcome;
use simulation::person::{PART, Person};
use simulation::world::{TABLE, World, run};
use std::time::Duration;
use tokio::time::sleep;

/// Lives with a condition or without it. Returns what goes wrong.
pub(crate) type Late = fn(condition: &str, is_dropped: bool) -> Option<String>;

/// The queues of messages that begin a replica, and that copy a part of one.
pub(crate) const STARTS: &str = "ReplicateQueue";
pub(crate) const COPIES: &str = "CopyQueue";
/// In how many rounds messages are worked on: those that go round for ever are what goes wrong.
const ROUNDS: usize = 60;

/// The world, and somebody in it.
pub(crate) struct Scene<'w> {
    pub(crate) world: &'w World,
    pub(crate) ann: Person<'w>,
    condition: &'w str,
}

/// Lives in a new world.
pub(crate) fn lived(
    condition: &str,
    is_dropped: bool,
    live: impl AsyncFnOnce(&Scene<'_>) -> Option<String>,
) -> Option<String> {
    run(1, async |world| {
        // It writes the table's format, and tells the functions of the targets.
        let _ = world.invoke("sweep", json!({})).await;
        if is_dropped {
            world.cloud.drop_conditions(Conditions::without(condition));
        }
        let ann = Person::sign_up(world, "ann").await.expect("an account");
        let ann = ann.patient();
        let scene = Scene {
            world,
            ann,
            condition,
        };
        let wrong = live(&scene).await;
        if !is_dropped {
            seen::note(world);
        }
        wrong
    })
}

impl Scene<'_> {
    /// The next write with the condition is held, and its function dies.
    pub(crate) fn hold(&self) {
        self.world.cloud.hold(self.condition);
    }

    /// The write that was held is done.
    pub(crate) async fn let_go(&self) {
        let held = self.world.cloud.let_go().await;
        assert!(held, "nothing was written with {}", self.condition);
    }

    pub(crate) async fn invoke(&self, function: &str, event: Value) -> Value {
        match self.world.invoke(function, event).await {
            Outcome::Answered(answer) => answer,
            _ => Value::Null,
        }
    }

    /// Works on one batch of a queue, when there is one.
    pub(crate) async fn batch(&self, queue: &str) {
        let (cloud, lambda) = (&self.world.cloud, &self.world.lambda);
        let visible_at = cloud.services().sqs.next_visible_at(queue).ok().flatten();
        let wait = visible_at.map_or(Duration::ZERO, |at| {
            at.duration_since(cloud.now()).try_into().unwrap_or_default()
        });
        sleep(wait + Duration::from_millis(1)).await;
        let source = self.world.sources().iter().find(|source| source.queue == queue);
        let worked = consume_batch(cloud, lambda, "replicate", source.expect("a queue")).await;
        assert!(worked.is_some(), "{queue} is empty");
    }

    /// Works on all messages until there are none, if that ever is.
    pub(crate) async fn messages(&self) {
        self.world.work_off_messages(ROUNDS).await;
    }

    /// Changes a row as no function does.
    pub(crate) fn change(&self, row: &Value, mut update: Value) {
        update["TableName"] = json!(TABLE);
        update["Key"] = json!({ "pk": { "S": row["pk"] }, "sk": { "S": row["sk"] } });
        self.world.dynamodb("UpdateItem", &update);
    }

    pub(crate) async fn sweep_after(&self, wait: Duration) {
        sleep(wait).await;
        self.invoke("sweep", json!({})).await;
    }

    pub(crate) async fn reconcile_after(&self, wait: Duration) {
        sleep(wait).await;
        self.invoke("reconcile", json!({})).await;
    }

    /// Lets everything come to its end. Returns what does not hold then.
    pub(crate) async fn settled(&self) -> Option<String> {
        for _ in 0..3 {
            for _ in 0..4 {
                self.sweep_after(Duration::from_mins(20)).await;
                self.messages().await;
            }
            self.reconcile_after(Duration::ZERO).await;
            self.messages().await;
        }
        Audit::of(self.world).check().into_iter().next()
    }

    /// Stores a file of one's own, and returns its id.
    pub(crate) async fn store(&self, name: &str, bytes: &Bytes) -> String {
        let stored = self.ann.store(name, None, bytes, false, "fail").await;
        stored.expect("a file")
    }

    pub(crate) async fn delete(&self, file: &str) {
        let answer = self.ann.remove(file).await;
        assert_eq!(answer.status, 204, "{answer:?}");
    }

    /// Deletes a file, until nothing is left of it.
    pub(crate) async fn reclaim(&self, file: &str) {
        self.delete(file).await;
        self.sweep_after(Duration::from_hours(25)).await;
        self.messages().await;
        self.sweep_after(Duration::from_mins(25)).await;
        self.messages().await;
    }

    /// Sends a request once.
    pub(crate) async fn send(&self, request: &Request) -> Response {
        gateway::send(&self.world.lambda, request).await
    }
}

/// Bytes that are one segment of two parts.
pub(crate) fn two_parts() -> Bytes {
    Bytes::from(vec![7; PART + 5])
}
