//! The cloud itself.

use super::call::{Call, Service, operation};
use super::condition::Conditions;
use super::counts::Counts;
use super::fault::Faults;
use super::latency::{Latency, Peer};
use super::lock::lock;
use crate::{DynamoDb, DynamoDbError, S3, Secrets, Sqs};
use bytes::Bytes;
use host::{Clock, Rng};
use http::{Request, Response};
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use tokio::sync::Notify;

/// Where AWS is for the functions. An address, so that the SDK puts a bucket's name into the path.
pub const AWS: &str = "http://127.0.0.1";
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
    counts: Mutex<Counts>,
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
                counts: Mutex::default(),
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
            Service::DynamoDb => {
                let answer = services.dynamodb.answer(request, now);
                services
                    .dynamodb
                    .last_usage()
                    .into_iter()
                    .for_each(|usage| counts.units(usage));
                answer
            }
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
