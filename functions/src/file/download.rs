//! Redirects to a presigned URL of the bytes: in the primary store, or, when they are lost there, at a target.

mod disposition;

use crate::{Exit, serve};
use api::{Handler, Problem, Request};
use disposition::attachment;
use domain::reconcile::Found;
use futures::stream::{FuturesUnordered, StreamExt};
use service::configured_targets::TargetsCache;
use std::time::Duration;
use store::rows::{BlobRow, ReplicaRow, object_key};
use store::{Environment, Objects, StoreError, Table};
use wire::answer::Redirect;
use wire::code;
use wire::file::Download;

pub fn main() -> Exit {
    serve::<FileDownload>()
}

/// What the bytes are when nobody said (RFC 9110, section 8.3).
const UNKNOWN: &str = "application/octet-stream";
/// How long targets may take to say that they have them; the gateway waits 29 seconds.
const TIMEOUT: Duration = Duration::from_secs(12);

pub struct FileDownload {
    table: Table,
    objects: Objects,
    targets: TargetsCache,
}

impl FileDownload {
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
        content_type: &str,
        disposition: &str,
    ) -> Result<String, Problem<Download>> {
        let replicas = self.table.replicas().readable(&blob.id).await?;
        let asked = replicas
            .iter()
            .map(|replica| Box::pin(self.at(replica, content_type, disposition)));
        // The first that has them: one that is dead must not keep the others from being asked.
        let mut answers = asked.collect::<FuturesUnordered<_>>();
        while let Some(answer) = answers.next().await {
            if let Some(url) = answer {
                tracing::warn!(blob = %blob.id, "a replica takes the place of a lost object");
                return Ok(url);
            }
        }
        tracing::error!(blob = %blob.id, "an object is lost, and no replica of it can be had");
        let detail = "the primary store has lost the file's bytes, and no replica of them can be reached now; \
                      try again later, or ask who operates this store";
        Err(Problem::new(code::BytesUnavailable, detail).retry_after(60))
    }

    async fn at(&self, replica: &ReplicaRow, content_type: &str, disposition: &str) -> Option<String> {
        let (key, checksum) = (replica.key.as_deref()?, replica.checksum.as_deref()?);
        replica.available_at?;
        let url = async {
            let targets = self.targets.get(&[&replica.target]).await?;
            let place = targets.get(&replica.target)?;
            let there = place.store.head(key).await?;
            if !there.is_some_and(|there| there.is(replica.size, checksum)) {
                return Ok(None);
            }
            place
                .store
                .sign_read(key, content_type, disposition)
                .await
                .map(Some)
        };
        let target = &replica.target;
        match tokio::time::timeout(TIMEOUT, url).await {
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
}

impl Handler for FileDownload {
    type Endpoint = Download;

    async fn new(environment: &Environment) -> Result<Self, StoreError> {
        Ok(Self {
            table: Table::from_env(environment)?,
            objects: Objects::from_env(environment)?,
            targets: TargetsCache::new(environment.clone()),
        })
    }

    async fn answer(&self, request: Request<Download>) -> Result<Redirect, Problem<Download>> {
        let node = api::lookup::node(&self.table, &request.caller.id, &request.path).await?;
        let Some(file) = &node.file else {
            return Err(Problem::not_found("file: this is a folder"));
        };
        let content_type = file.content_type.as_deref().unwrap_or(UNKNOWN);
        let disposition = attachment(&node.name);
        let Some(blob) = self.table.blobs().get(&file.blob).await? else {
            return Err(Problem::not_found("file: it was deleted just now"));
        };
        if self.is_lost(&blob).await? {
            return Ok(Redirect(
                self.at_a_target(&blob, content_type, &disposition).await?,
            ));
        }
        let key = object_key(&blob.id);
        Ok(Redirect(
            self.objects.sign_read(&key, content_type, &disposition).await?,
        ))
    }
}
