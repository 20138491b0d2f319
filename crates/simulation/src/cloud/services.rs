//! The cloud itself.

use super::call::{Call, Service, operation};
use super::condition::Conditions;
use super::counts::Counts;
use super::fault::Faults;
use super::heat::{self, Heat, Write};
use super::latency::{Latency, Peer};
use super::lock::lock;
use crate::{DynamoDb, DynamoDbError, S3, Secrets, Sqs, Usage};
use bytes::Bytes;
use host::{Clock, Rng};
use http::{HeaderValue, Request, Response};
use jiff::Timestamp;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use tokio::sync::Notify;

/// Where AWS is for the functions. An address, so that the SDK puts a bucket's name into the path.
pub const AWS: &str = "http://127.0.0.1";
/// The table.
pub(crate) const TABLE: &str = "Table";
/// Who signs, there and at the targets.
pub(crate) const KEY_ID: &str = "AKIASIMULATION";
/// With what.
pub(crate) const SECRET_KEY: &str = "a key that everybody knows";

/// What there is.
pub struct Services {
    /// The table's.
    pub dynamodb: DynamoDb,
    /// The primary store.
    pub s3: S3,
    /// The queues.
    pub sqs: Sqs,
    /// The secrets.
    pub secrets: Secrets,
    /// The replica targets by host.
    pub targets: BTreeMap<String, S3>,
}

/// All of it. Clones are the same cloud.
#[derive(Clone)]
pub struct Cloud {
    pub(super) shared: Arc<Shared>,
}

pub(super) struct Shared {
    pub(super) clock: Clock,
    /// Of how long calls take.
    rng: Rng,
    latency: Mutex<Latency>,
    services: Mutex<Services>,
    pub(super) calls: Mutex<Vec<Call>>,
    /// Something happened to a queue.
    queues_changed: Notify,
    pub(super) faults: Mutex<Faults>,
    pub(super) conditions: Mutex<Conditions>,
    /// The write that is held is let go.
    pub(super) let_go: Notify,
    counts: Mutex<Counts>,
    /// None where nobody asks for it: it takes as long as the calls themselves.
    heat: Mutex<Option<Heat>>,
}

impl Cloud {
    /// A cloud in which nothing has happened.
    ///
    /// # Errors
    /// [`DynamoDbError`] when there can be no database.
    pub fn new(clock: Clock, rng: Rng) -> Result<Self, DynamoDbError> {
        let services = Services {
            dynamodb: DynamoDb::new()?,
            s3: S3::new(KEY_ID, SECRET_KEY),
            sqs: Sqs::new(),
            secrets: Secrets::new(),
            targets: BTreeMap::new(),
        };
        Ok(Self {
            shared: Arc::new(Shared {
                clock,
                rng,
                latency: Mutex::default(),
                services: Mutex::new(services),
                calls: Mutex::default(),
                queues_changed: Notify::new(),
                faults: Mutex::default(),
                conditions: Mutex::default(),
                let_go: Notify::new(),
                counts: Mutex::default(),
                heat: Mutex::default(),
            }),
        })
    }

    /// The time there.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.shared.clock.now()
    }

    /// What there is, to look at it or to change it from outside. No call is answered meanwhile.
    pub fn services(&self) -> MutexGuard<'_, Services> {
        lock(&self.shared.services)
    }

    /// From now on calls fail as these say.
    pub fn set_faults(&self, faults: Faults) {
        *lock(&self.shared.faults) = faults;
    }

    /// From now on these conditions of writes hold whatever is in the table.
    pub fn drop_conditions(&self, conditions: Conditions) {
        *lock(&self.shared.conditions) = conditions;
    }

    /// The function that next writes with this condition is killed when it sends that. It is done when it is let go: those who
    /// read meanwhile do not see it.
    pub fn hold(&self, condition: &str) {
        lock(&self.shared.conditions).hold(condition);
    }

    /// Has the write done that is held. Returns whether there was one.
    pub async fn let_go(&self) -> bool {
        let there = !lock(&self.shared.conditions).waits();
        self.shared.let_go.notify_waiters();
        // Until it is there.
        tokio::time::sleep(Duration::from_secs(5)).await;
        there
    }

    /// From now on calls take as long as this says.
    pub fn set_latency(&self, latency: Latency) {
        *lock(&self.shared.latency) = latency;
    }

    /// How long calls take.
    pub(super) fn latency(&self) -> Latency {
        *lock(&self.shared.latency)
    }

    /// What a function computes in an invocation takes so long.
    pub(crate) fn computing(&self) -> Duration {
        self.latency().computing()
    }

    /// Counts what functions and clients do not ask for themselves.
    pub(crate) fn count(&self, count: impl FnOnce(&mut Counts)) {
        count(&mut lock(&self.shared.counts));
    }

    /// The conditions of all writes so far.
    #[must_use]
    pub fn conditions(&self) -> Conditions {
        lock(&self.shared.conditions).clone()
    }

    /// What was asked of AWS so far.
    #[must_use]
    pub fn counts(&self) -> Counts {
        lock(&self.shared.counts).clone()
    }

    /// From now on it is written down what each partition takes.
    pub fn watch_heat(&self) {
        *lock(&self.shared.heat) = Some(Heat::default());
    }

    /// What each partition took since then.
    #[must_use]
    pub fn heat(&self) -> Heat {
        lock(&self.shared.heat).clone().unwrap_or_default()
    }

    /// The calls that functions made so far, in the order in which they were sent.
    #[must_use]
    pub fn calls(&self) -> Vec<Call> {
        lock(&self.shared.calls).clone()
    }

    /// Sends a request as a client does who is no function: it takes its time, and no fault happens to it.
    pub async fn send(&self, request: Request<Bytes>) -> Response<Bytes> {
        let peer = self.peer(&request);
        self.travel(peer, request.body().len()).await;
        let answer = self.answer(&request);
        self.travel(peer, answer.body().len()).await;
        answer
    }

    /// Returns when something happens to a queue.
    pub async fn queues_changed(&self) {
        self.shared.queues_changed.notified().await;
    }

    /// Answers a request now.
    pub(super) fn answer(&self, request: &Request<Bytes>) -> Response<Bytes> {
        let now = self.now();
        let services = &mut *self.services();
        let host = request.uri().host().unwrap_or_default();
        if let Some(target) = services.targets.get_mut(host) {
            return target.answer(request, now);
        }
        let mut counts = lock(&self.shared.counts);
        counts.request(operation(request));
        match Service::of(request) {
            Service::DynamoDb => match &mut *lock(&self.shared.heat) {
                None => counted(&mut services.dynamodb, &mut counts, request, now).0,
                Some(heat) => {
                    let takes = self.latency().at_an_item();
                    let writes = writes(&mut services.dynamodb, request, now);
                    heat.transaction(&writes, now.as_millisecond(), takes);
                    watched(heat, &writes, &mut services.dynamodb, &mut counts, request, now)
                }
            },
            Service::S3 => services.s3.answer(request, now),
            Service::Sqs => {
                self.shared.queues_changed.notify_waiters();
                services.sqs.answer(request, now)
            }
            Service::SecretsManager => services.secrets.answer(request, now),
        }
    }

    /// Whom a request is for.
    pub(super) fn peer(&self, request: &Request<Bytes>) -> Peer {
        let host = request.uri().host().unwrap_or_default();
        if self.services().targets.contains_key(host) {
            return Peer::Target;
        }
        Peer::Aws(Service::of(request))
    }

    /// For as long as a request or an answer with so many bytes is under way.
    pub(super) async fn travel(&self, peer: Peer, bytes: usize) {
        let time = self.latency().travel(&self.shared.rng, peer, bytes);
        tokio::time::sleep(time).await;
    }
}

/// Has the table answer, and counts what that cost.
fn counted(
    dynamodb: &mut DynamoDb,
    counts: &mut Counts,
    request: &Request<Bytes>,
    now: Timestamp,
) -> (Response<Bytes>, Option<Usage>) {
    let answer = dynamodb.answer(request, now);
    let usage = dynamodb.last_usage().cloned();
    if let Some(usage) = &usage {
        counts.units(usage);
    }
    (answer, usage)
}

/// The items that a request writes, as they are before.
fn writes(dynamodb: &mut DynamoDb, request: &Request<Bytes>, now: Timestamp) -> Vec<Write> {
    let parameters: Value = serde_json::from_slice(request.body()).unwrap_or_default();
    heat::writes(&operation(request), &parameters, &mut |key| {
        item(dynamodb, key, now)
    })
}

/// Has the table answer, counts what that cost, and writes down which partitions took it.
fn watched(
    heat: &mut Heat,
    writes: &[Write],
    dynamodb: &mut DynamoDb,
    counts: &mut Counts,
    request: &Request<Bytes>,
    now: Timestamp,
) -> Response<Bytes> {
    let (answer, usage) = counted(dynamodb, counts, request, now);
    let second = now.as_second();
    for write in writes {
        let after = item(dynamodb, &write.key, now);
        heat.written(write, &after, second);
    }
    if let Some(usage) = usage.filter(|_| writes.is_empty()) {
        heat.read(&usage, second);
    }
    answer
}

/// What the table has under a key.
fn item(dynamodb: &mut DynamoDb, key: &Value, now: Timestamp) -> Value {
    let asked = json!({ "TableName": TABLE, "Key": key, "ConsistentRead": true });
    let mut request = Request::new(asked.to_string().into());
    let operation = HeaderValue::from_static("DynamoDB_20120810.GetItem");
    request.headers_mut().insert("x-amz-target", operation);
    let answer = dynamodb.answer(&request, now);
    let mut answer: Value = serde_json::from_slice(answer.body()).unwrap_or_default();
    answer["Item"].take()
}
