//! A world: everything that is deployed, at one time, from one seed.

use crate::cloud::{Cloud, KEY_ID, SECRET_KEY};
use crate::lambda::{Lambda, Outcome};
use crate::sqs::{QueueSettings, Redrive};
use crate::template::{Source, Template};
use crate::{S3, events};
use futures::future::{FutureExt, join_all, select};
use host::{Clock, Rng};
use jiff::Timestamp;
use serde_json::{Value, json};
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use tokio::runtime::Builder;

/// The bucket of primary objects.
pub const BUCKET: &str = "Bucket";
/// The table.
pub const TABLE: &str = crate::cloud::TABLE;
/// The bucket at each target.
pub const TARGET_BUCKET: &str = "replicas";
/// The queues by logical id.
pub const QUEUES: [&str; 3] = ["ReplicateQueue", "CopyQueue", "ReplicateDeadLetters"];
/// When every world begins.
const BEGINNING: i64 = 1_800_000_000;
/// The function that works on messages.
const WORKER: &str = "replicate";
/// The invocations of a worker at a time, for each queue.
const WORKERS: usize = 2;

/// A world, in which time passes only while everybody waits.
pub struct World {
    /// AWS and the targets.
    pub cloud: Cloud,
    /// The functions.
    pub lambda: Lambda,
    /// Random numbers for those who live in it.
    pub rng: Rng,
    /// What access tokens are signed with at first.
    pub signing_key: u128,
    /// Nothing fails here, so every request must be answered.
    pub answers_all: Cell<bool>,
    /// Whether what clients send and what they are answered is lost now and then.
    pub clients_fail: Cell<bool>,
    /// How many workers targets have places for that are set from now on, if that is limited.
    pub max_workers: Cell<Option<u16>>,
    /// What somebody saw that must not be.
    seen_wrong: RefCell<Vec<String>>,
    /// Targets that were not in the secret for a while, although they had replicas: nobody could remove what they have.
    dropped: RefCell<BTreeSet<String>>,
}

/// Runs something in a new world, and returns when it is done.
///
/// # Panics
/// When the world cannot be made, which is a fault of the simulation or the template.
pub fn run<T>(seed: u64, live: impl AsyncFnOnce(&World) -> T) -> T {
    run_with(seed, &[], live)
}

/// The same with other parameters of the template.
///
/// # Panics
/// The same.
#[expect(
    clippy::expect_used,
    reason = "without a world there is nothing to go on with"
)]
pub fn run_with<T>(seed: u64, parameters: &[(&str, &str)], live: impl AsyncFnOnce(&World) -> T) -> T {
    fastrand::seed(seed);
    let runtime = Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build();
    runtime.expect("a runtime").block_on(async {
        let world = World::new(seed, parameters).expect("a world");
        live(&world).await
    })
}

impl World {
    fn new(seed: u64, others: &[(&str, &str)]) -> Result<Self, Box<dyn std::error::Error>> {
        let rng = Rng::seeded(seed);
        let clock = Clock::set_to(Timestamp::from_second(BEGINNING)?);
        let part = || Rng::seeded(rng.random());
        let cloud = Cloud::new(clock, part())?;
        let mut parameters = BTreeMap::from([
            ("SignUp", "open".to_owned()),
            ("AccountsPerHourAndSource", "1000000".to_owned()),
            ("SignInsPerHourAndSource", "1000000".to_owned()),
            ("SignInsPerHourAndAccount", "1000000".to_owned()),
            ("UploadExpirySeconds", "7200".to_owned()),
            ("MaxReceives", "4".to_owned()),
            ("ReplicateTimeoutSeconds", "120".to_owned()),
            ("ReplicateVisibilitySeconds", "120".to_owned()),
            ("ReconcileIntervalHours", "1".to_owned()),
            ("ReconcileMinAgeSeconds", "3600".to_owned()),
            ("ReconcileSample", "1".to_owned()),
        ]);
        parameters.extend(others.iter().map(|(name, value)| (*name, (*value).to_owned())));
        let mut template = Template::read(&parameters)?;
        for function in template.functions.values_mut() {
            // Metrics are lines on the standard output.
            function.variables.remove("METRICS_NAMESPACE");
        }
        let signing_key = rng.random();
        let lambda = Lambda::deploy(&cloud, clock, &part(), &template);
        {
            let services = &mut *cloud.services();
            services.dynamodb.create_table(TABLE, clock.now())?;
            services.s3.create_bucket(BUCKET);
            for (url, settings) in &template.queues {
                let redrive = settings.redrive.as_ref().map(|(to, receives)| Redrive {
                    dead_letters: to.clone(),
                    max_receives: *receives,
                });
                let visibility_seconds = settings.visibility_seconds;
                let settings = QueueSettings {
                    visibility_seconds,
                    redrive,
                    ..QueueSettings::default()
                };
                services.sqs.create(url, settings);
            }
            let key = format!(r#"{{"current":"{signing_key:064x}"}}"#);
            services.secrets.set("SigningSecret", &key, clock.now());
        }
        let world = Self {
            cloud,
            lambda,
            rng: part(),
            signing_key,
            answers_all: Cell::new(false),
            clients_fail: Cell::new(false),
            max_workers: Cell::new(None),
            seen_wrong: RefCell::default(),
            dropped: RefCell::default(),
        };
        world.set_targets(&["near", "far"], &[]);
        Ok(world)
    }

    /// Somebody sees something that must not be.
    pub fn see_wrong(&self, what: String) {
        self.seen_wrong.borrow_mut().push(what);
    }

    /// All of that.
    #[must_use]
    pub fn seen_wrong(&self) -> Vec<String> {
        self.seen_wrong.borrow().clone()
    }

    /// Whether a target was not in the secret for a while.
    #[must_use]
    pub fn was_dropped(&self, host: &str) -> bool {
        self.dropped.borrow().contains(host)
    }

    /// Replicates to these targets from now on, and empties those that are draining. Those that are new are made.
    pub fn set_targets(&self, names: &[&str], draining: &[&str]) {
        let mut targets = Vec::new();
        let now = self.cloud.now();
        let services = &mut *self.cloud.services();
        let left_out = services.targets.keys().filter(|host| {
            let name = host.trim_end_matches(".simulation");
            !names.contains(&name)
        });
        self.dropped.borrow_mut().extend(left_out.cloned());
        for name in names {
            let host = format!("{name}.simulation");
            targets.push(json!({
                "name": name, "kind": "ceph", "endpoint": format!("http://{host}"), "region": "us-east-1",
                "bucket": TARGET_BUCKET, "access_key_id": KEY_ID, "secret_access_key": SECRET_KEY,
                "addressing": "path", "draining": draining.contains(name), "max_workers": self.max_workers.get(),
            }));
            services.targets.entry(host).or_insert_with(|| {
                let mut target = S3::new(KEY_ID, SECRET_KEY);
                target.create_bucket(TARGET_BUCKET);
                target
            });
        }
        let document = json!({ "targets": targets }).to_string();
        services.secrets.set("TargetsSecret", &document, now);
    }

    /// Has the scheduled functions and the workers do their work while something else goes on, until that is done.
    pub async fn while_functions_work<T>(&self, live: impl Future<Output = T>) -> T {
        let live = Box::pin(live);
        let work = Box::pin(self.work());
        match select(live, work).await {
            futures::future::Either::Left((done, _)) => done,
            futures::future::Either::Right(((), live)) => live.await,
        }
    }

    async fn work(&self) {
        let mut loops = vec![
            events::schedule(&self.lambda, "sweep", Duration::from_mins(1)).boxed_local(),
            events::schedule(&self.lambda, "reconcile", Duration::from_mins(15)).boxed_local(),
        ];
        for source in self.sources() {
            for _ in 0..source.concurrency.min(WORKERS) {
                loops.push(events::consume(&self.cloud, &self.lambda, WORKER, source).boxed_local());
            }
        }
        join_all(loops).await;
    }

    /// The queues whose messages the worker works on.
    pub fn sources(&self) -> &[Source] {
        self.lambda.sources(WORKER)
    }

    /// Works on one batch of each queue. Returns whether there were any messages that can be received.
    pub async fn work_on_messages(&self) -> bool {
        let mut any = false;
        for source in self.sources() {
            let worked = events::consume_batch(&self.cloud, &self.lambda, WORKER, source).await;
            any |= worked.is_some();
        }
        any
    }

    /// Works on all messages that can be received, in so many rounds at most, and waits for those that are hidden. Returns whether
    /// there was an end of them.
    pub async fn work_off_messages(&self, rounds: usize) -> bool {
        for _ in 0..rounds {
            if self.work_on_messages().await {
                continue;
            }
            let visible_at = {
                let services = self.cloud.services();
                let of = |source: &Source| services.sqs.next_visible_at(&source.queue).ok().flatten();
                self.sources().iter().filter_map(of).min()
            };
            let Some(at) = visible_at else { return true };
            let wait = at.duration_since(self.cloud.now()).unsigned_abs();
            tokio::time::sleep(wait.max(Duration::from_millis(1))).await;
        }
        false
    }

    /// Invokes a function that is triggered.
    pub async fn invoke(&self, function: &str, event: Value) -> Outcome<Value> {
        self.lambda.event(function, event).await
    }

    /// All that is written in the table, as plain JSON.
    ///
    /// # Panics
    /// When the table cannot be read.
    #[must_use]
    pub fn rows(&self) -> Vec<Value> {
        self.items().iter().map(plain).collect()
    }

    /// The same as DynamoDB has it.
    ///
    /// # Panics
    /// When the table cannot be read.
    #[must_use]
    pub fn items(&self) -> Vec<Value> {
        let mut items = Vec::new();
        let mut after = Value::Null;
        loop {
            let mut asked = json!({ "TableName": TABLE });
            if !after.is_null() {
                asked["ExclusiveStartKey"] = after;
            }
            let mut page = self.dynamodb("Scan", &asked);
            items.extend(
                page["Items"]
                    .as_array_mut()
                    .map(std::mem::take)
                    .unwrap_or_default(),
            );
            after = page["LastEvaluatedKey"].take();
            if after.is_null() {
                return items;
            }
        }
    }

    /// A call to the table that nobody sees and that takes no time.
    ///
    /// # Panics
    /// When it is refused.
    pub fn dynamodb(&self, operation: &str, asked: &Value) -> Value {
        let mut request = http::Request::new(asked.to_string().into());
        let target = format!("DynamoDB_20120810.{operation}");
        if let Ok(target) = target.parse() {
            request.headers_mut().insert("x-amz-target", target);
        }
        let now = self.cloud.now();
        let answer = self.cloud.services().dynamodb.answer(&request, now);
        assert!(answer.status().is_success(), "{operation}: {answer:?}");
        serde_json::from_slice(answer.body()).unwrap_or_default()
    }
}

/// An item of DynamoDB's without its types.
fn plain(item: &Value) -> Value {
    let members = item.as_object().into_iter().flatten();
    members
        .map(|(name, value)| (name.clone(), plain_value(value)))
        .collect()
}

fn plain_value(value: &Value) -> Value {
    let Some((kind, inner)) = value.as_object().and_then(|typed| typed.iter().next()) else {
        return Value::Null;
    };
    match kind.as_str() {
        "N" => inner
            .as_str()
            .and_then(|text| serde_json::from_str(text).ok())
            .unwrap_or_default(),
        "M" => plain(inner),
        "L" => inner.as_array().into_iter().flatten().map(plain_value).collect(),
        "NULL" => Value::Null,
        _ => inner.clone(),
    }
}
