//! What is invoked by something else than a request: messages, schedules, administrators.

use crate::table::Table;
use serde_json::{Value, json};
use simulation::events::consume_batch;
use simulation::lambda::Outcome;
use simulation::person::{PART, Person};
use std::time::Duration;
use tokio::time::sleep;

/// More than a day: until a deleted file's bytes may go.
const DAY: Duration = Duration::from_hours(25);
/// Between marking a blob and reclaiming it.
const MARKED: Duration = Duration::from_mins(25);

impl Table<'_> {
    /// Every trigger, twice like the requests.
    pub(crate) async fn all_triggers(&mut self) {
        for recording in [false, true] {
            self.recording = recording;
            let person = self.person().await;
            self.administrators(&person).await;
            self.messages(&person).await;
        }
        for recording in [false, true] {
            self.recording = recording;
            self.schedules().await;
        }
    }

    /// What `account-invite` answers has a code.
    pub(crate) async fn code(&self, wanted: Value) -> String {
        let answer = match self.world.invoke("account-invite", wanted).await {
            Outcome::Answered(answer) => answer,
            other => Value::String(format!("{other:?}")),
        };
        answer["code"].as_str().expect("a code").to_owned()
    }

    async fn invoked(&mut self, by: &str, function: &str, case: &str, event: Value) {
        let before = self.world.cloud.calls().len();
        let outcome = self.world.invoke(function, event).await;
        assert!(matches!(outcome, Outcome::Answered(_)), "{function}: {outcome:?}");
        let calls = self.world.cloud.calls().split_off(before);
        self.note_trigger(by, function, case, &calls);
    }

    async fn administrators(&mut self, person: &Person<'_>) {
        let username = &person.username;
        for (function, case, event) in [
            ("account-invite", "an invitation", json!({ "action": "create" })),
            (
                "account-invite",
                "a code for a password",
                json!({ "action": "reset_password", "username": username }),
            ),
            ("account-invite", "the list", json!({ "action": "list" })),
            (
                "account-set-quota",
                "",
                json!({ "username": username, "quota_bytes": 1_000_000_000_000_u64 }),
            ),
            (
                "account-set-role",
                "",
                json!({ "username": username, "role": "operator" }),
            ),
        ] {
            self.invoked("an administrator", function, case, event).await;
        }
    }

    async fn messages(&mut self, person: &Person<'_>) {
        // What the requests left behind.
        while self.world.work_on_messages().await {}
        self.store(person, 1).await;
        self.batch(0, "a file of one part").await;
        self.store(person, 10).await;
        self.batch(0, "ten files of one part").await;
        let part = self.fresh(PART);
        let parts = 9;
        let wanted = json!({ "name": self.new_name(), "size": parts * PART });
        let begun = person.call("POST", "/v1/uploads", Some(wanted)).await;
        let id = begun.body["id"].as_str().expect("begun");
        person.send(id, vec![part; parts]).await.expect("sent");
        assert_eq!(person.complete(id).await.status, 200);
        self.batch(0, "a file of nine parts: it begins").await;
        self.batch(1, "its two segments, of eight parts and of one").await;
        self.batch(0, "it is completed").await;
        assert!(!self.world.work_on_messages().await, "nothing is left");
    }

    async fn store(&mut self, person: &Person<'_>, files: usize) {
        for _ in 0..files {
            let stored = person
                .store(&self.new_name(), None, &self.fresh(10), false, "fail")
                .await;
            stored.expect("stored");
        }
    }

    /// The worker gets the messages of one of its queues, as many at once as it may have.
    async fn batch(&mut self, queue: usize, case: &str) {
        let source = self.world.sources().get(queue).expect("a queue");
        let before = self.world.cloud.calls().len();
        let worked = consume_batch(&self.world.cloud, &self.world.lambda, "replicate", source).await;
        assert!(matches!(worked, Some(Outcome::Answered(_))), "{case}: {worked:?}");
        let calls = self.world.cloud.calls().split_off(before);
        self.note_trigger("messages", "replicate", case, &calls);
    }

    async fn schedules(&mut self) {
        const SWEEP: [&str; 2] = ["each minute", "sweep"];
        const RECONCILE: [&str; 2] = ["each 15 minutes", "reconcile"];
        // All that the others left behind.
        for _ in 0..4 {
            let _ = self.world.invoke("sweep", json!({})).await;
            let _ = self.world.invoke("reconcile", json!({})).await;
            while self.world.work_on_messages().await {}
            sleep(DAY).await;
        }
        for _ in 0..2 {
            let _ = self.world.invoke("sweep", json!({})).await;
            sleep(MARKED).await;
        }
        let case = "nothing is due";
        self.invoked(SWEEP[0], SWEEP[1], case, json!({})).await;
        let case = "a pass over all that is there";
        self.invoked(RECONCILE[0], RECONCILE[1], case, json!({})).await;
        let case = "a pass has been made lately";
        self.invoked(RECONCILE[0], RECONCILE[1], case, json!({})).await;

        let person = self.person().await;
        let content = self.fresh(10);
        let begun = person.begin("left", None, &content, false, "fail").await;
        let id = begun.body["id"].as_str().expect("begun").to_owned();
        person.send_parts(&id, &content).await.expect("sent");
        // It finds it untouched, and looks again when it expires.
        sleep(Duration::from_mins(10)).await;
        let _ = self.world.invoke("sweep", json!({})).await;
        sleep(Duration::from_hours(3)).await;
        let case = "an upload has expired";
        self.invoked(SWEEP[0], SWEEP[1], case, json!({})).await;

        person.sign_in().await.expect("signed in");
        let stored = person.store("gone", None, &self.fresh(10), false, "fail").await;
        let file = stored.expect("stored");
        while self.world.work_on_messages().await {}
        assert_eq!(person.remove(&file).await.status, 204);
        sleep(DAY).await;
        let case = "a blob without files is marked";
        self.invoked(SWEEP[0], SWEEP[1], case, json!({})).await;
        sleep(MARKED).await;
        let case = "it is reclaimed, with its replica";
        self.invoked(SWEEP[0], SWEEP[1], case, json!({})).await;
    }
}
