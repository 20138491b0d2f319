//! A presigned URL of a file's bytes: in the primary store, or, when they are lost there, at a target.

mod disposition;

use crate::configured_targets::TargetsCache;
use disposition::attachment;
use domain::name::Name;
use domain::reconcile::Found;
use domain::time::saturating_add;
use futures::stream::{FuturesUnordered, StreamExt};
use jiff::Timestamp;
use std::time::Duration;
use store::objects::URL_LIFETIME;
use store::rows::{BlobRow, FileContent, ReplicaRow, object_key};
use store::{Environment, Objects, StoreError, Table};
use targets::error::ReplicaError;

/// What the bytes are when nobody said (RFC 9110, section 8.3).
const UNKNOWN: &str = "application/octet-stream";
/// How long targets may take to say that they have them; the gateway waits 29 seconds.
const TIMEOUT: Duration = Duration::from_secs(12);

/// Where a file's bytes can be read for a while.
#[derive(Debug)]
pub struct ReadUrl {
    /// A URL that needs no token, and must get none.
    pub url: String,
    /// When it stops working.
    pub expires_at: Timestamp,
}

/// What came of signing a URL.
#[derive(Debug)]
pub enum SignResult {
    /// The URL.
    Signed(ReadUrl),
    /// The file was deleted meanwhile.
    Deleted,
    /// The primary store has lost the bytes, and no replica of them can be reached.
    Unavailable,
}

/// Signs the URLs.
pub struct ReadUrls {
    /// Where files and replicas are looked up.
    pub table: Table,
    objects: Objects,
    targets: TargetsCache,
}

/// What the answer of a store says besides the bytes.
struct Headers<'a> {
    content_type: &'a str,
    disposition: String,
}

impl ReadUrls {
    /// As the environment configures them.
    ///
    /// # Errors
    /// `ErrorKind::Misconfigured` when a variable is missing.
    pub fn from_env(environment: &Environment) -> Result<Self, StoreError> {
        Ok(Self {
            table: Table::from_env(environment)?,
            objects: Objects::from_env(environment)?,
            targets: TargetsCache::new(environment.clone()),
        })
    }

    /// A URL of the bytes of a file with this name.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn sign(&self, name: &Name, file: &FileContent) -> Result<SignResult, StoreError> {
        let headers = Headers {
            content_type: file.content_type.as_deref().unwrap_or(UNKNOWN),
            disposition: attachment(name),
        };
        let Some(blob) = self.table.blobs().get(&file.blob).await? else {
            return Ok(SignResult::Deleted);
        };
        if self.is_lost(&blob).await? {
            let found = self.at_a_target(&blob, &headers).await?;
            return Ok(found.map_or(SignResult::Unavailable, SignResult::Signed));
        }
        let (key, expires_at) = (object_key(&blob.id), expiry(self.table.now()));
        let url = self
            .objects
            .sign_read(&key, headers.content_type, &headers.disposition)
            .await?;
        Ok(SignResult::Signed(ReadUrl { url, expires_at }))
    }

    /// Whether the primary store has lost the object. Where it does not answer it is taken at its last word.
    async fn is_lost(&self, blob: &BlobRow) -> Result<bool, StoreError> {
        let lost = blob.lost_since.is_some();
        match self
            .objects
            .look_for(&object_key(&blob.id), &blob.content_id)
            .await
        {
            // The reconciler takes the mark away.
            Ok(found) if found.is_certain(blob.size) => Ok(false),
            Ok(found) if found.is_another(blob.size) => {
                if !lost {
                    self.table.blobs().lose(blob, self.table.now()).await?;
                }
                Ok(true)
            }
            Ok(Found::Nothing | Found::Object { .. }) => Ok(lost),
            Err(error) => {
                tracing::warn!(blob = %blob.id, error = error.for_log(), "the object cannot be checked");
                Ok(lost)
            }
        }
    }

    /// A URL of the bytes at the first target that has them, verified when they arrived and again now.
    async fn at_a_target(
        &self,
        blob: &BlobRow,
        headers: &Headers<'_>,
    ) -> Result<Option<ReadUrl>, StoreError> {
        let replicas = self.table.replicas().readable(&blob.id).await?;
        let asked = replicas.iter().map(|replica| Box::pin(self.at(replica, headers)));
        // The first that has them: one that is dead must not keep the others from being asked.
        let mut answers = asked.collect::<FuturesUnordered<_>>();
        while let Some(answer) = answers.next().await {
            if answer.is_some() {
                tracing::warn!(blob = %blob.id, "a replica takes the place of a lost object");
                return Ok(answer);
            }
        }
        tracing::error!(blob = %blob.id, "an object is lost, and no replica of it can be had");
        Ok(None)
    }

    async fn at(&self, replica: &ReplicaRow, headers: &Headers<'_>) -> Option<ReadUrl> {
        let target = &replica.target;
        match tokio::time::timeout(TIMEOUT, self.sign_at(replica, headers)).await {
            Ok(Ok(url)) => url,
            Ok(Err(error)) => {
                tracing::warn!(target, error = error.for_log(), "a replica cannot be read");
                None
            }
            Err(_) => {
                tracing::warn!(target, "a target takes too long");
                None
            }
        }
    }

    async fn sign_at(
        &self,
        replica: &ReplicaRow,
        headers: &Headers<'_>,
    ) -> Result<Option<ReadUrl>, ReplicaError> {
        let (Some(key), Some(checksum), Some(_)) = (&replica.key, &replica.checksum, replica.available_at)
        else {
            return Ok(None);
        };
        let targets = self.targets.get(&[&replica.target]).await?;
        let store = &targets.get(&replica.target)?.store;
        let there = store.head(key).await?;
        if !there.is_some_and(|there| there.is(replica.size, checksum)) {
            return Ok(None);
        }
        let expires_at = expiry(self.table.now());
        let url = store
            .sign_read(key, headers.content_type, &headers.disposition)
            .await?;
        Ok(Some(ReadUrl { url, expires_at }))
    }
}

/// When a URL that is signed now stops working. What signs it knows whole seconds.
fn expiry(now: Timestamp) -> Timestamp {
    let second = Timestamp::from_second(now.as_second()).unwrap_or_default();
    saturating_add(second, URL_LIFETIME)
}
