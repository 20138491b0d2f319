//! The S3-compatible kind of target, as Ceph's gateway has it.
//!
//! The limits of a Ceph gateway shape this file (`docs/architecture.md`, "Replicating"): it ignores
//! `x-amz-checksum-*`, so bytes are verified by MD5 unless the target says that it has better; it answers a complete with
//! an empty `ETag`, so the object is looked at afterwards; it may hang without limit, so every request has its own
//! time-out.

mod checksum;
mod failure;
mod multipart;

use crate::error::{Cause, Failure, ReplicaError};
use crate::http::{self, CONNECT_TIMEOUT};
use crate::progress::Still;
use crate::rate_limiter::RateLimiter;
use crate::target::{Copy, Receipt, ReplicaTarget, Stored, TargetFuture};
use crate::verified_body::VerifiedBody;
use aws_config::timeout::TimeoutConfig;
use aws_credential_types::Credentials;
use aws_sdk_s3::Client;
use aws_sdk_s3::config::{
    BehaviorVersion, Builder, Region, RequestChecksumCalculation, ResponseChecksumValidation,
    StalledStreamProtectionConfig,
};
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::ChecksumMode;
use checksum::ReportedChecksum;
use domain::targets::{self, Addressing, Checksum};
use failure::status;
use host::Clock;
use secrecy::ExposeSecret;
use std::sync::Arc;
use std::time::Duration;
use store::Environment;
use store::error::describe;
use store::objects::presigning;

/// An S3-compatible target.
pub struct CephTarget {
    name: String,
    bucket: String,
    checksum: Checksum,
    rate_limiter: Arc<RateLimiter>,
    client: Client,
    clock: Clock,
}

impl CephTarget {
    /// A target as configured. Nothing is sent yet.
    ///
    /// # Errors
    /// [`ReplicaError::Misconfigured`] when its CA bundle cannot be used.
    pub fn new(
        target: &targets::Target,
        checksum: Checksum,
        rate_limiter: Arc<RateLimiter>,
        environment: &Environment,
    ) -> Result<Self, ReplicaError> {
        let credentials = &target.credentials;
        let token = credentials.session_token.as_ref();
        let credentials = Credentials::new(
            &credentials.access_key_id,
            credentials.secret_access_key.expose_secret(),
            token.map(|token| token.expose_secret().to_owned()),
            None,
            "targets secret",
        );
        let sdk = Builder::new()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(target.region.clone()))
            .endpoint_url(&target.endpoint)
            .credentials_provider(credentials)
            .force_path_style(target.addressing == Addressing::Path)
            .http_client(http::client(target, environment)?)
            // A Ceph gateway refuses the SDK's streaming checksums (411) and ignores all others.
            .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
            .response_checksum_validation(ResponseChecksumValidation::WhenRequired)
            .timeout_config(timeouts(rate_limiter.timeout()))
            // It would give up streams that stall for a while; requests with streams are watched here.
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
            .build();
        Ok(Self {
            name: target.name.clone(),
            bucket: target.bucket.clone(),
            checksum,
            rate_limiter,
            client: Client::from_conf(sdk),
            clock: environment.clock,
        })
    }

    fn by_sha256(&self) -> bool {
        self.checksum == Checksum::Sha256
    }

    async fn put(&self, key: &str, copy: Copy) -> Result<String, ReplicaError> {
        let (length, digest) = (copy.length, copy.digest);
        let (body, verdict) =
            VerifiedBody::for_request(copy, checksum::requested(self.checksum), &self.rate_limiter).await?;
        let request = self
            .client
            .put_object()
            .bucket(&self.bucket)
            .key(key)
            .content_length(i64::try_from(length).unwrap_or(i64::MAX))
            .set_checksum_sha256(self.by_sha256().then(|| digest.to_string()))
            .body(ByteStream::new(body))
            .customize()
            .config_override(endless());
        let answer = verdict.watch(&self.rate_limiter, request.send()).await;
        // The target also fails when the source does; the source is to blame then.
        verdict.source()?;
        let answer = answer
            .map_err(|still| self.still("PutObject", still, length))?
            .map_err(|e| self.error("PutObject", &e))?;
        let mut sha256 = answer.checksum_sha256().map(str::to_owned);
        if self.by_sha256() && sha256.is_none() {
            // Some stores check it, and return it only on request.
            sha256 = self.head(key).await?.map(|stored| stored.checksum);
        }
        let reported = ReportedChecksum {
            etag: answer.e_tag(),
            sha256: sha256.as_deref(),
        };
        reported
            .proves(self.checksum, verdict.sums(), &digest)
            .map_err(|detail| self.corrupt(format!("the object has {detail}")))
    }

    async fn head(&self, key: &str) -> Result<Option<Stored>, ReplicaError> {
        let request = self.client.head_object().bucket(&self.bucket).key(key);
        let mode = self.by_sha256().then_some(ChecksumMode::Enabled);
        let answer = match request.set_checksum_mode(mode).send().await {
            Ok(answer) => answer,
            Err(error) if status(&error) == Some(404) => return Ok(None),
            Err(error) => return Err(self.error("HeadObject", &error)),
        };
        let size = answer.content_length().and_then(|n| u64::try_from(n).ok());
        let reported = ReportedChecksum {
            etag: answer.e_tag(),
            sha256: answer.checksum_sha256(),
        };
        Ok(Some(Stored {
            size: size.unwrap_or_default(),
            checksum: reported.of_object(self.checksum),
        }))
    }

    async fn delete(&self, key: &str) -> Result<(), ReplicaError> {
        let request = self.client.delete_object().bucket(&self.bucket).key(key);
        match request
            .send()
            .await
            .map_err(|e| (status(&e), self.error("DeleteObject", &e)))
        {
            // A missing bucket is a 404, too, and is told apart by its code.
            Err((Some(404), error)) if error.failure() != Some(Failure::Permanent) => Ok(()),
            Err((_, error)) => Err(error),
            Ok(_) => Ok(()),
        }
    }

    async fn sign_read(
        &self,
        key: &str,
        media_type: &str,
        disposition: &str,
    ) -> Result<String, ReplicaError> {
        let failed = |cause: &dyn std::error::Error| {
            self.failed(
                "signing GetObject",
                Failure::Permanent,
                Cause::no_answer(describe(cause)),
            )
        };
        let lifetime = presigning(self.clock.now()).map_err(|e| failed(&e))?;
        let request = self
            .client
            .get_object()
            .bucket(&self.bucket)
            .key(key)
            .response_content_type(media_type)
            .response_content_disposition(disposition)
            .presigned(lifetime)
            .await
            .map_err(|e| failed(&e))?;
        Ok(request.uri().to_owned())
    }

    fn still(&self, operation: &'static str, still: Still, length: u64) -> ReplicaError {
        self.failed(operation, Failure::Passing, still.cause(length))
    }

    fn corrupt(&self, detail: String) -> ReplicaError {
        ReplicaError::target_corrupt(&self.name, detail)
    }

    fn failed(&self, operation: &'static str, failure: Failure, cause: Cause) -> ReplicaError {
        ReplicaError::target(&self.name, operation, failure, cause)
    }

    fn error<E>(&self, operation: &'static str, error: &SdkError<E>) -> ReplicaError
    where
        E: std::error::Error + ProvideErrorMetadata + Send + Sync + 'static,
    {
        self.failed(operation, failure::of(error, false), failure::cause(error))
    }
}

impl ReplicaTarget for CephTarget {
    fn put<'a>(&'a self, key: &'a str, copy: Copy) -> TargetFuture<'a, String> {
        Box::pin(self.put(key, copy))
    }

    fn begin_multipart<'a>(&'a self, key: &'a str) -> TargetFuture<'a, String> {
        Box::pin(self.begin(key))
    }

    fn put_part<'a>(
        &'a self,
        key: &'a str,
        multipart_id: &'a str,
        part: u32,
        copy: Copy,
    ) -> TargetFuture<'a, Receipt> {
        Box::pin(self.put_part(key, multipart_id, part, copy))
    }

    fn checksum_of(&self, parts: &[(Receipt, u64)]) -> Option<String> {
        checksum::of_parts(self.checksum, parts)
    }

    fn complete_multipart<'a>(
        &'a self,
        key: &'a str,
        multipart_id: &'a str,
        receipts: &'a [Receipt],
    ) -> TargetFuture<'a, ()> {
        Box::pin(self.complete(key, multipart_id, receipts))
    }

    fn abort_multipart<'a>(&'a self, key: &'a str, multipart_id: &'a str) -> TargetFuture<'a, ()> {
        Box::pin(self.abort(key, multipart_id))
    }

    fn multiparts<'a>(&'a self, key: &'a str) -> TargetFuture<'a, Vec<String>> {
        Box::pin(self.multiparts(key))
    }

    fn head<'a>(&'a self, key: &'a str) -> TargetFuture<'a, Option<Stored>> {
        Box::pin(self.head(key))
    }

    fn delete<'a>(&'a self, key: &'a str) -> TargetFuture<'a, ()> {
        Box::pin(self.delete(key))
    }

    fn sign_read<'a>(
        &'a self,
        key: &'a str,
        content_type: &'a str,
        disposition: &'a str,
    ) -> TargetFuture<'a, String> {
        Box::pin(self.sign_read(key, content_type, disposition))
    }
}

fn timeouts(attempt: Duration) -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .operation_attempt_timeout(attempt)
        .operation_timeout(attempt * 2)
        .build()
}

/// Requests with streams take as long as they move.
fn endless() -> Builder {
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .disable_operation_attempt_timeout()
        .disable_operation_timeout();
    Builder::new().timeout_config(timeouts.build())
}
