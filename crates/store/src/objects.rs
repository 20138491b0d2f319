//! The primary store: presigned URLs, multipart uploads, reads.

mod content;
mod deleting;
pub mod listing;

use crate::environment::Environment;
use crate::error::{Conflict, ErrorKind, StoreError, remote};
use aws_sdk_s3::Client;
use aws_sdk_s3::presigning::PresigningConfig;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{ChecksumAlgorithm, ChecksumType, CompletedMultipartUpload, CompletedPart};
use content::same_content;
use domain::content::{ContentId, PartDigest};
use domain::reconcile::Found;
use domain::time::saturating_add;
use host::Clock;
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::ops::Range;
use std::time::Duration;

/// How long a presigned URL lives: it dies with the function's credentials anyway, and can be asked for again.
pub const URL_LIFETIME: Duration = Duration::from_mins(15);

/// What clients are not asked to send: a length is sent by every client by itself, and browsers refuse to be told;
/// the trace id is the SDK's own note about this invocation, and is not signed.
const UNASKED: [&str; 2] = ["content-length", "x-amzn-trace-id"];

/// A presigned request.
pub struct SignedRequest {
    /// Where to.
    pub url: String,
    /// Headers that must be sent exactly so.
    pub headers: BTreeMap<String, String>,
    /// Until when it may begin.
    pub expires_at: Timestamp,
}

/// A part that the store has.
#[derive(Debug, Clone)]
pub struct StoredPart {
    /// Its number, from 1.
    pub number: u32,
    /// Its length in bytes.
    pub size: u64,
    /// The digest that the store computed of it.
    pub digest: PartDigest,
    /// The store's `ETag` for it.
    pub etag: String,
}

/// What came of a request to complete a multipart upload.
#[derive(Debug)]
pub enum Completion {
    /// The object is there.
    Done,
    /// There is no such multipart upload (any more): it may have been completed before.
    NoSuchUpload,
    /// A part is not what was listed (any more).
    PartsChanged,
    /// No answer within the time given; the store may be busy with it.
    Unanswered,
}

/// The bucket of primary objects.
#[derive(Clone)]
pub struct Objects {
    client: Client,
    /// Makes the presigned URLs. It never sends anything.
    signer: Client,
    bucket: String,
    clock: Clock,
}

impl Objects {
    /// The bucket that `BUCKET_NAME` names. Presigned URLs begin with `PUBLIC_STORE_ENDPOINT` where that is set and
    /// not empty: a function in a container may know the store under a name that clients do not.
    ///
    /// # Errors
    /// `ErrorKind::Misconfigured` when the bucket's variable is missing.
    pub fn from_env(environment: &Environment) -> Result<Self, StoreError> {
        Ok(Self::named(
            environment,
            environment.variable("BUCKET_NAME")?.to_owned(),
        ))
    }

    /// The bucket of this name.
    #[must_use]
    pub fn named(environment: &Environment, bucket: String) -> Self {
        let client = Client::new(environment.sdk());
        let public = environment.optional("PUBLIC_STORE_ENDPOINT").unwrap_or_default();
        let signer = if public.is_empty() {
            client.clone()
        } else {
            // The bucket goes into the path: below such a name there are none for buckets.
            let config = aws_sdk_s3::config::Builder::from(environment.sdk())
                .endpoint_url(public)
                .force_path_style(true);
            Client::from_conf(config.build())
        };
        Self {
            client,
            signer,
            bucket,
            clock: environment.clock,
        }
    }

    /// Begins a multipart upload whose parts are verified by SHA-256, and returns its id.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn begin_multipart(&self, key: &str) -> Result<String, StoreError> {
        let answer = self
            .client
            .create_multipart_upload()
            .bucket(&self.bucket)
            .key(key)
            .checksum_algorithm(ChecksumAlgorithm::Sha256)
            .checksum_type(ChecksumType::Composite)
            .send()
            .await
            .map_err(remote("CreateMultipartUpload"))?;
        answer
            .upload_id
            .ok_or_else(|| StoreError::corrupt("a multipart upload without an id".to_owned()))
    }

    /// A request that puts exactly one part: these bytes, this many, or the store refuses it. The digest is
    /// signed as a header; in the query it would not be enforced.
    ///
    /// # Errors
    /// [`StoreError`] when there are no credentials to sign with.
    pub async fn sign_part(
        &self,
        key: &str,
        multipart_id: &str,
        number: u32,
        length: u64,
        digest: &PartDigest,
    ) -> Result<SignedRequest, StoreError> {
        let now = self.clock.now();
        let request = self
            .signer
            .upload_part()
            .bucket(&self.bucket)
            .key(key)
            .upload_id(multipart_id)
            .part_number(i32::try_from(number).unwrap_or(i32::MAX))
            .content_length(i64::try_from(length).unwrap_or(i64::MAX))
            .checksum_sha256(digest.to_string())
            .presigned(presigning(now)?)
            .await
            .map_err(remote("signing UploadPart"))?;
        Ok(SignedRequest {
            url: request.uri().to_owned(),
            headers: request
                .headers()
                .filter(|(name, _)| !UNASKED.iter().any(|header| name.eq_ignore_ascii_case(header)))
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
            expires_at: saturating_add(now, URL_LIFETIME),
        })
    }

    /// A URL to read an object, answered with this media type and `Content-Disposition`.
    ///
    /// # Errors
    /// [`StoreError`] when there are no credentials to sign with.
    pub async fn sign_read(
        &self,
        key: &str,
        content_type: &str,
        disposition: &str,
    ) -> Result<String, StoreError> {
        let request = self
            .signer
            .get_object()
            .bucket(&self.bucket)
            .key(key)
            .response_content_type(content_type)
            .response_content_disposition(disposition)
            .presigned(presigning(self.clock.now())?)
            .await
            .map_err(remote("signing GetObject"))?;
        Ok(request.uri().to_owned())
    }

    /// The parts that the store has, in order; `None` when there is no such multipart upload (any more).
    ///
    /// # Errors
    /// [`StoreError`] when a part has no SHA-256.
    pub async fn list_parts(
        &self,
        key: &str,
        multipart_id: &str,
    ) -> Result<Option<Vec<StoredPart>>, StoreError> {
        let mut parts = Vec::new();
        let mut marker = None;
        loop {
            let answer = self
                .client
                .list_parts()
                .bucket(&self.bucket)
                .key(key)
                .upload_id(multipart_id)
                .set_part_number_marker(marker)
                .send()
                .await
                .map_err(remote("ListParts"));
            let answer = match answer {
                Err(error) if error.kind == ErrorKind::NotFound => return Ok(None),
                answer => answer?,
            };
            for part in answer.parts() {
                parts.push(stored_part(part)?);
            }
            marker = answer
                .next_part_number_marker
                .filter(|_| answer.is_truncated == Some(true));
            if marker.is_none() {
                parts.sort_by_key(|part: &StoredPart| part.number);
                return Ok(Some(parts));
            }
        }
    }

    /// Turns the parts into an object: each must still have the digest that was listed, together they must
    /// have `size` bytes. Waits for the answer for `timeout` at most.
    ///
    /// # Errors
    /// [`StoreError`] when the store computed another content id.
    pub async fn complete_multipart(
        &self,
        key: &str,
        multipart_id: &str,
        parts: &[StoredPart],
        size: u64,
        content_id: &ContentId,
        timeout: Duration,
    ) -> Result<Completion, StoreError> {
        let parts = parts.iter().map(|part| {
            CompletedPart::builder()
                .part_number(i32::try_from(part.number).unwrap_or(i32::MAX))
                .e_tag(&part.etag)
                .checksum_sha256(part.digest.to_string())
                .build()
        });
        let parts = CompletedMultipartUpload::builder()
            .set_parts(Some(parts.collect()))
            .build();
        let timeouts = aws_config::timeout::TimeoutConfig::builder()
            .operation_attempt_timeout(timeout)
            .operation_timeout(timeout)
            .build();
        let request = self
            .client
            .complete_multipart_upload()
            .bucket(&self.bucket)
            .key(key)
            .upload_id(multipart_id)
            .multipart_upload(parts)
            .mpu_object_size(i64::try_from(size).unwrap_or(i64::MAX))
            .checksum_type(ChecksumType::Composite)
            .customize()
            .config_override(aws_sdk_s3::config::Builder::new().timeout_config(timeouts));
        let error = match request.send().await {
            Ok(answer) => {
                let computed = answer.checksum_sha256();
                return if computed.is_none_or(|text| same_content(text, content_id)) {
                    Ok(Completion::Done)
                } else {
                    Err(StoreError::corrupt(format!(
                        "the store computed {computed:?}, not {content_id}"
                    )))
                };
            }
            Err(error) => error,
        };
        if matches!(error, aws_sdk_s3::error::SdkError::TimeoutError(_)) {
            return Ok(Completion::Unanswered);
        }
        let error = remote("CompleteMultipartUpload")(error);
        match error.kind {
            ErrorKind::NotFound => Ok(Completion::NoSuchUpload),
            ErrorKind::Conflict(Conflict::PartsChanged) => Ok(Completion::PartsChanged),
            _ => Err(error),
        }
    }

    /// Whether there is an object with this size and content. Another one is as good as none: when a part is sent again and
    /// again, a late request can make an object of other parts than the part digests have by then. So one
    /// whose checksum the store does not tell is as good as none, too; S3 tells it of every object that was
    /// made of parts.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn has(&self, key: &str, size: u64, content_id: &ContentId) -> Result<bool, StoreError> {
        let found = self.look_for(key, content_id).await?;
        let same = found.is_certain(size);
        if !same && found != Found::Nothing {
            tracing::warn!(
                key,
                "the object was made of other parts than the part digests have"
            );
        }
        Ok(same)
    }

    /// Reads bytes of an object.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn read(&self, key: &str, range: &Range<u64>) -> Result<ByteStream, StoreError> {
        let request = self.client.get_object().bucket(&self.bucket).key(key);
        // An empty range cannot be asked for: it is an empty object.
        let request = if range.is_empty() {
            request
        } else {
            request.range(format!("bytes={}-{}", range.start, range.end - 1))
        };
        Ok(request.send().await.map_err(remote("GetObject"))?.body)
    }

    /// Aborts a multipart upload. One that is not there is as good as aborted.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn abort_multipart(&self, key: &str, multipart_id: &str) -> Result<(), StoreError> {
        let request = self
            .client
            .abort_multipart_upload()
            .bucket(&self.bucket)
            .key(key)
            .upload_id(multipart_id);
        match request.send().await.map_err(remote("AbortMultipartUpload")) {
            Err(error) if error.kind != ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// Aborts every multipart upload of a key, also those whose ids nobody wrote down.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn abort_all_multiparts(&self, key: &str) -> Result<(), StoreError> {
        let (mut ids, mut after) = (Vec::new(), (None, None));
        loop {
            let request = self
                .client
                .list_multipart_uploads()
                .bucket(&self.bucket)
                .prefix(key)
                .set_key_marker(after.0.clone())
                .set_upload_id_marker(after.1.clone());
            let answer = request.send().await.map_err(remote("ListMultipartUploads"))?;
            let own = answer.uploads().iter().filter(|upload| upload.key() == Some(key));
            ids.extend(own.filter_map(|upload| upload.upload_id().map(str::to_owned)));
            let next = (answer.next_key_marker, answer.next_upload_id_marker);
            // A store that does not say where the next ones begin, or says the same again, has no more to say.
            if answer.is_truncated != Some(true) || next.0.is_none() || next == after {
                break;
            }
            after = next;
        }
        for id in ids {
            self.abort_multipart(key, &id).await?;
        }
        Ok(())
    }
}

fn stored_part(part: &aws_sdk_s3::types::Part) -> Result<StoredPart, StoreError> {
    let read = || {
        Some(StoredPart {
            number: u32::try_from(part.part_number()?).ok()?,
            size: u64::try_from(part.size()?).ok()?,
            digest: part.checksum_sha256()?.parse().ok()?,
            etag: part.e_tag()?.to_owned(),
        })
    };
    read().ok_or_else(|| StoreError::corrupt(format!("part {:?} has no SHA-256", part.part_number())))
}

/// How requests are presigned that may begin from `now` on.
///
/// # Errors
/// `ErrorKind::Internal`, which never happens.
pub fn presigning(now: Timestamp) -> Result<PresigningConfig, StoreError> {
    PresigningConfig::builder()
        .start_time(now.into())
        .expires_in(URL_LIFETIME)
        .build()
        .map_err(|e| StoreError::internal("signing", e))
}
