//! The configured targets, ready to be used.

use domain::content::PartPlan;
use domain::id::BlobId;
use domain::targets::{self as config, Config};
use secrecy::ExposeSecret;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use store::Environment;
use store::rows::ReplicaRow;
use targets::error::ReplicaError;
use targets::target::ReplicaTarget;
use tokio::sync::{Mutex, Semaphore};
use tokio::time::Instant;

/// What all streams of a worker to one target may weigh together.
pub(crate) const WEIGHT: usize = 16;

/// One target.
pub struct ConfiguredTarget {
    /// As the operator configured it.
    pub config: config::Target,
    /// The store there.
    pub store: Box<dyn ReplicaTarget>,
    /// Bounds a worker's memory: the total weight of all its streams to this target. Each target has its own, so that
    /// one that is slow does not keep the others waiting.
    pub(crate) streams: Semaphore,
}

impl ConfiguredTarget {
    /// The key of a blob at this target.
    #[must_use]
    pub fn key(&self, blob: &BlobId) -> String {
        format!("{}{blob}", self.config.prefix)
    }
}

/// The configured targets by name.
pub struct Targets {
    by_name: BTreeMap<String, ConfiguredTarget>,
    /// The document that the operator stored.
    pub config: Config,
}

impl Targets {
    /// Reads the secret that `TARGETS_SECRET_ID` names.
    ///
    /// # Errors
    /// [`ReplicaError`] when it cannot be read or is not of the documented shape.
    pub async fn from_env(environment: &Environment) -> Result<Self, ReplicaError> {
        Self::new(Self::configured(environment).await?, environment)
    }

    async fn configured(environment: &Environment) -> Result<Config, ReplicaError> {
        let id = environment.variable("TARGETS_SECRET_ID")?;
        Ok(Config::parse(environment.secret(id).await?.text.expose_secret())?)
    }

    /// Nothing is sent yet.
    ///
    /// # Errors
    /// [`ReplicaError::Misconfigured`] when a CA bundle cannot be used.
    pub fn new(config: Config, environment: &Environment) -> Result<Self, ReplicaError> {
        let mut by_name = BTreeMap::new();
        for target in &config.targets {
            let store = targets::open(target, environment)?;
            let config = target.clone();
            let streams = Semaphore::new(WEIGHT);
            let place = ConfiguredTarget {
                config,
                store,
                streams,
            };
            by_name.insert(target.name.clone(), place);
        }
        Ok(Self { by_name, config })
    }

    /// Removes what a replica has at its target: multipart uploads under way, and the object. At a target that is not
    /// configured any more it is left: there are no credentials for it.
    ///
    /// # Errors
    /// [`ReplicaError::Target`].
    pub async fn remove(&self, replica: &ReplicaRow) -> Result<(), ReplicaError> {
        let Ok(place) = self.get(&replica.target) else {
            tracing::warn!(target = replica.target, key = replica.key, blob = %replica.blob, "left at a retired target");
            return Ok(());
        };
        let key = replica.key.clone().unwrap_or_else(|| place.key(&replica.blob));
        // A blob of one part is copied by one PUT: there is never a multipart upload of it.
        if PartPlan::for_size(replica.size).is_ok_and(|plan| plan.part_count() > 1) {
            place.store.abort_all_multiparts(&key).await?;
        }
        place.store.delete(&key).await
    }

    /// The target of this name.
    ///
    /// # Errors
    /// [`ReplicaError::Unknown`] when there is none.
    pub fn get(&self, name: &str) -> Result<&ConfiguredTarget, ReplicaError> {
        self.by_name
            .get(name)
            .ok_or_else(|| ReplicaError::Unknown(name.to_owned()))
    }
}

/// How long the secret is cached: a changed target is known after this.
const FRESH: Duration = Duration::from_secs(30);
/// How long a name that the secret does not have waits for the next read of it: messages for removed targets must
/// not cause a read each.
const REREAD_AFTER: Duration = Duration::from_secs(2);

/// The targets, read again from time to time.
pub struct TargetsCache {
    environment: Environment,
    read: Mutex<Option<(Instant, Arc<Targets>)>>,
}

impl TargetsCache {
    /// Nothing is read yet.
    #[must_use]
    pub fn new(environment: Environment) -> Self {
        let read = Mutex::new(None);
        Self { environment, read }
    }

    /// The targets, read half a minute ago at most; if `names` were not known then, read now, which
    /// may take two seconds.
    ///
    /// # Errors
    /// [`ReplicaError`] when the secret cannot be read or is not of the documented shape.
    pub async fn get(&self, names: &[&str]) -> Result<Arc<Targets>, ReplicaError> {
        let mut read = self.read.lock().await;
        if let Some((at, targets)) = &*read {
            let known = names.iter().all(|name| targets.get(name).is_ok());
            if known && at.elapsed() < FRESH {
                return Ok(Arc::clone(targets));
            }
            // It may have been added since.
            tokio::time::sleep(REREAD_AFTER.saturating_sub(at.elapsed())).await;
        }
        let at = Instant::now();
        let config = Targets::configured(&self.environment).await?;
        let targets = match read.take() {
            // Its connections are open.
            Some((_, targets)) if targets.config == config => targets,
            _ => Arc::new(Targets::new(config, &self.environment)?),
        };
        *read = Some((at, Arc::clone(&targets)));
        Ok(targets)
    }
}
