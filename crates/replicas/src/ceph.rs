//! The S3-compatible kind of target, as Ceph's gateway has it.
//!
//! What a Ceph gateway does not do shapes this file (`docs/architecture.md`, "Replicating"): it ignores
//! `x-amz-checksum-*`, so bytes are verified by MD5; it answers a complete with an empty `ETag`, so the object is
//! looked at afterwards; it may hang without limit, so every request has its own time-out.

use crate::config::CephConfig;
use crate::error::ReplicaError;
use crate::verified_body::{Verdict, VerifiedBody};
use aws_config::timeout::TimeoutConfig;
use aws_credential_types::Credentials;
use aws_sdk_s3::Client;
use aws_sdk_s3::config::{
    BehaviorVersion, Builder, Region, RequestChecksumCalculation, ResponseChecksumValidation,
};
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::primitives::{ByteStream, SdkBody};
use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use domain::content::PartDigest;
use domain::id::BlobId;
use md5::{Digest, Md5};
use std::time::Duration;
use store::error::describe;

/// The slowest transfer that is not given up, in bytes a second.
const SLOWEST: u64 = 1024 * 1024;

/// An S3-compatible target.
pub struct CephTarget {
    name: String,
    bucket: String,
    prefix: String,
    client: Client,
}

/// What the target says of an object.
#[derive(Debug, PartialEq, Eq)]
pub struct Head {
    /// Its length in bytes.
    pub size: u64,
    /// Its `ETag`, without quotes.
    pub etag: String,
}

impl CephTarget {
    /// A target as configured. Nothing is sent yet.
    #[must_use]
    pub fn new(config: CephConfig) -> Self {
        let credentials = Credentials::new(
            config.access_key_id,
            config.secret_access_key,
            None,
            None,
            "targets secret",
        );
        let sdk = Builder::new()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(config.region))
            .endpoint_url(config.endpoint)
            .credentials_provider(credentials)
            .force_path_style(config.path_style)
            // A Ceph gateway refuses the SDK's streaming checksums (411) and ignores all others.
            .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
            .response_checksum_validation(ResponseChecksumValidation::WhenRequired)
            .timeout_config(patience(0))
            .build();
        Self {
            name: config.name,
            bucket: config.bucket,
            prefix: config.prefix,
            client: Client::from_conf(sdk),
        }
    }

    /// The key that a blob has here.
    #[must_use]
    pub fn key(&self, blob: &BlobId) -> String {
        format!("{}{blob}", self.prefix)
    }

    /// Puts a whole object; the target checks its MD5 before it stores anything.
    ///
    /// # Errors
    /// [`ReplicaError::Target`].
    pub async fn put(&self, key: &str, bytes: Bytes) -> Result<(), ReplicaError> {
        self.client
            .put_object()
            .bucket(&self.bucket)
            .key(key)
            .content_md5(BASE64.encode(Md5::digest(&bytes)))
            .body(ByteStream::from(bytes))
            .send()
            .await
            .map_err(|e| self.error("PutObject", &e))?;
        Ok(())
    }

    /// Begins a multipart upload and gives its id.
    ///
    /// # Errors
    /// [`ReplicaError::Target`].
    pub async fn begin_multipart(&self, key: &str) -> Result<String, ReplicaError> {
        let request = self
            .client
            .create_multipart_upload()
            .bucket(&self.bucket)
            .key(key);
        let answer = request
            .send()
            .await
            .map_err(|e| self.error("CreateMultipartUpload", &e))?;
        answer
            .upload_id
            .ok_or_else(|| self.corrupt("a multipart upload without an id"))
    }

    /// Streams one part, which must have `length` bytes and the digest `expected`: otherwise the target gets
    /// no complete part. Gives the part's `ETag`, which is the MD5 of what was sent.
    ///
    /// # Errors
    /// [`ReplicaError::SourceCorrupt`] when the source has other bytes, [`ReplicaError::TargetCorrupt`] when
    /// the target got other bytes, [`ReplicaError::Target`].
    pub async fn put_part(
        &self,
        key: &str,
        multipart_id: &str,
        part: u32,
        source: ByteStream,
        length: u64,
        expected: PartDigest,
    ) -> Result<String, ReplicaError> {
        let (body, verdict): (_, Verdict) = VerifiedBody::new(source.into_inner(), length, expected);
        let answer = self
            .client
            .upload_part()
            .bucket(&self.bucket)
            .key(key)
            .upload_id(multipart_id)
            .part_number(i32::try_from(part).unwrap_or(i32::MAX))
            .content_length(i64::try_from(length).unwrap_or(i64::MAX))
            .body(ByteStream::new(SdkBody::from_body_1_x(body)))
            .customize()
            .config_override(Builder::new().timeout_config(patience(length)))
            .send()
            .await;
        if verdict.is_corrupt() {
            return Err(ReplicaError::SourceCorrupt { part });
        }
        let answer = answer.map_err(|e| self.error("UploadPart", &e))?;
        let etag = unquoted(answer.e_tag());
        let sent = verdict.md5().map(hex);
        if sent.as_ref() == Some(&etag) {
            Ok(etag)
        } else {
            Err(self.corrupt(&format!(
                "part {part} has the ETag {etag}, the MD5 of what was sent is {sent:?}"
            )))
        }
    }

    /// Completes a multipart upload from its parts' `ETag`s, in order.
    ///
    /// # Errors
    /// [`ReplicaError::Target`].
    pub async fn complete_multipart(
        &self,
        key: &str,
        multipart_id: &str,
        etags: &[String],
    ) -> Result<(), ReplicaError> {
        let parts = (1..)
            .zip(etags)
            .map(|(number, etag)| CompletedPart::builder().part_number(number).e_tag(etag).build());
        let parts = CompletedMultipartUpload::builder()
            .set_parts(Some(parts.collect()))
            .build();
        self.client
            .complete_multipart_upload()
            .bucket(&self.bucket)
            .key(key)
            .upload_id(multipart_id)
            .multipart_upload(parts)
            .send()
            .await
            .map_err(|e| self.error("CompleteMultipartUpload", &e))?;
        Ok(())
    }

    /// Aborts a multipart upload. One that is not there is as good as aborted.
    ///
    /// # Errors
    /// [`ReplicaError::Target`].
    pub async fn abort_multipart(&self, key: &str, multipart_id: &str) -> Result<(), ReplicaError> {
        let request = self
            .client
            .abort_multipart_upload()
            .bucket(&self.bucket)
            .key(key)
            .upload_id(multipart_id);
        match request
            .send()
            .await
            .map_err(|e| self.error("AbortMultipartUpload", &e))
        {
            Err(error) if !error.multipart_is_gone() => Err(error),
            _ => Ok(()),
        }
    }

    /// Aborts every multipart upload of a key, also those whose ids nobody wrote down.
    ///
    /// # Errors
    /// [`ReplicaError::Target`].
    pub async fn abort_all_multiparts(&self, key: &str) -> Result<(), ReplicaError> {
        let request = self
            .client
            .list_multipart_uploads()
            .bucket(&self.bucket)
            .prefix(key);
        let answer = request
            .send()
            .await
            .map_err(|e| self.error("ListMultipartUploads", &e))?;
        for upload in answer.uploads().iter().filter(|upload| upload.key() == Some(key)) {
            if let Some(id) = upload.upload_id() {
                self.abort_multipart(key, id).await?;
            }
        }
        Ok(())
    }

    /// Whether a multipart upload is under way.
    ///
    /// # Errors
    /// [`ReplicaError::Target`].
    pub async fn has_multipart(&self, key: &str, multipart_id: &str) -> Result<bool, ReplicaError> {
        let request = self
            .client
            .list_parts()
            .bucket(&self.bucket)
            .key(key)
            .upload_id(multipart_id)
            .max_parts(1);
        match request.send().await {
            Ok(_) => Ok(true),
            // Ceph says that there is no such key.
            Err(error)
                if error
                    .raw_response()
                    .is_some_and(|raw| raw.status().as_u16() == 404) =>
            {
                Ok(false)
            }
            Err(error) => Err(self.error("ListParts", &error)),
        }
    }

    /// What is there under a key; `None` when nothing is.
    ///
    /// # Errors
    /// [`ReplicaError::Target`].
    pub async fn head(&self, key: &str) -> Result<Option<Head>, ReplicaError> {
        match self
            .client
            .head_object()
            .bucket(&self.bucket)
            .key(key)
            .send()
            .await
        {
            Ok(answer) => {
                let size = answer
                    .content_length()
                    .and_then(|n| u64::try_from(n).ok())
                    .unwrap_or_default();
                Ok(Some(Head {
                    size,
                    etag: unquoted(answer.e_tag()),
                }))
            }
            Err(error)
                if error
                    .raw_response()
                    .is_some_and(|raw| raw.status().as_u16() == 404) =>
            {
                Ok(None)
            }
            Err(error) => Err(self.error("HeadObject", &error)),
        }
    }

    /// Deletes an object. One that is not there is as good as deleted.
    ///
    /// # Errors
    /// [`ReplicaError::Target`].
    pub async fn delete(&self, key: &str) -> Result<(), ReplicaError> {
        let request = self.client.delete_object().bucket(&self.bucket).key(key);
        request.send().await.map_err(|e| self.error("DeleteObject", &e))?;
        Ok(())
    }

    pub(crate) fn corrupt(&self, detail: &str) -> ReplicaError {
        ReplicaError::TargetCorrupt {
            target: self.name.clone(),
            detail: detail.to_owned(),
        }
    }

    fn error<E>(&self, operation: &'static str, error: &SdkError<E>) -> ReplicaError
    where
        E: std::error::Error + ProvideErrorMetadata + Send + Sync + 'static,
    {
        let service = error.as_service_error();
        let code = service.and_then(ProvideErrorMetadata::code).map(str::to_owned);
        let cause = match (&code, service.and_then(ProvideErrorMetadata::message)) {
            (Some(code), message) => format!("{code}: {}", message.unwrap_or("no message")),
            (None, _) => describe(error),
        };
        ReplicaError::Target {
            target: self.name.clone(),
            operation,
            code,
            cause,
        }
    }
}

/// Time-outs for a request that carries `length` bytes.
fn patience(length: u64) -> TimeoutConfig {
    let attempt = Duration::from_secs(30 + length / SLOWEST);
    TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(5))
        .operation_attempt_timeout(attempt)
        .operation_timeout(attempt * 2)
        .build()
}

fn unquoted(etag: Option<&str>) -> String {
    etag.unwrap_or_default().trim_matches('"').to_owned()
}

pub(crate) fn hex(bytes: [u8; 16]) -> String {
    format!("{:032x}", u128::from_be_bytes(bytes))
}

/// The `ETag` of a multipart object: the MD5 over its parts' MD5s, and how many there are. `None` when one of
/// `etags` is no MD5.
pub(crate) fn multipart_etag(etags: &[String]) -> Option<String> {
    let mut md5 = Md5::new();
    for etag in etags {
        if etag.len() != 32 {
            return None;
        }
        for pair in 0..16 {
            md5.update([u8::from_str_radix(etag.get(pair * 2..pair * 2 + 2)?, 16).ok()?]);
        }
    }
    Some(format!("{}-{}", hex(md5.finalize().into()), etags.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_etag_of_a_multipart_object() {
        let parts: Vec<String> = [b"hello ", b"world!"]
            .map(|part| hex(Md5::digest(part).into()))
            .into();
        // Computed with Python's hashlib.
        assert_eq!(
            multipart_etag(&parts).unwrap(),
            "8ae2532e3bf1d4178d0aa9ca8a20f149-2"
        );
        assert_eq!(multipart_etag(&["xyz".to_owned()]), None);
        assert_eq!(multipart_etag(&["é".repeat(16)]), None);
    }
}
