//! Multipart uploads at an S3-compatible target.

use super::checksum::{self, ReportedChecksum, unquoted};
use super::{CephTarget, endless, failure, timeouts};
use crate::error::{Failure, ReplicaError};
use crate::target::{Copy, Receipt};
use crate::verified_body::VerifiedBody;
use aws_sdk_s3::config::Builder;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{ChecksumAlgorithm, ChecksumType, CompletedMultipartUpload, CompletedPart};

impl CephTarget {
    pub(super) async fn begin(&self, key: &str) -> Result<String, ReplicaError> {
        let answer = self
            .client
            .create_multipart_upload()
            .bucket(&self.bucket)
            .key(key)
            .set_checksum_algorithm(self.by_sha256().then_some(ChecksumAlgorithm::Sha256))
            .set_checksum_type(self.by_sha256().then_some(ChecksumType::Composite))
            .send()
            .await
            .map_err(|e| self.error("CreateMultipartUpload", &e))?;
        answer
            .upload_id
            .ok_or_else(|| self.corrupt("a multipart upload without an id".to_owned()))
    }

    pub(super) async fn put_part(
        &self,
        key: &str,
        id: &str,
        part: u32,
        copy: Copy,
    ) -> Result<Receipt, ReplicaError> {
        let (length, digest) = (copy.length, copy.digest);
        let (body, verdict) =
            VerifiedBody::for_request(copy, checksum::requested(self.checksum), &self.rate_limiter).await?;
        let request = self
            .client
            .upload_part()
            .bucket(&self.bucket)
            .key(key)
            .upload_id(id)
            .part_number(i32::try_from(part).unwrap_or(i32::MAX))
            .content_length(i64::try_from(length).unwrap_or(i64::MAX))
            .set_checksum_sha256(self.by_sha256().then(|| digest.to_string()))
            .body(ByteStream::new(body))
            .customize()
            .config_override(endless());
        let answer = verdict.watch(&self.rate_limiter, request.send()).await;
        verdict.source()?;
        let answer = answer
            .map_err(|still| self.still("UploadPart", still, length))?
            .map_err(|e| self.error_of_multipart("UploadPart", &e))?;
        let reported = ReportedChecksum {
            etag: answer.e_tag(),
            sha256: answer.checksum_sha256(),
        };
        let proof = reported
            .proves(self.checksum, verdict.sums(), &digest)
            .map_err(|detail| self.corrupt(format!("part {part} has {detail}")))?;
        Ok(checksum::receipt(self.checksum, &unquoted(answer.e_tag()), proof))
    }

    pub(super) async fn complete(
        &self,
        key: &str,
        id: &str,
        receipts: &[Receipt],
    ) -> Result<(), ReplicaError> {
        let parts = (1..).zip(receipts).map(|(number, receipt)| {
            let (etag, sha256) = checksum::of_receipt(receipt);
            CompletedPart::builder()
                .part_number(number)
                .e_tag(etag)
                .set_checksum_sha256(sha256.map(str::to_owned))
                .build()
        });
        let parts = CompletedMultipartUpload::builder()
            .set_parts(Some(parts.collect()))
            .build();
        let timeout = self.rate_limiter.complete_timeout(receipts.len());
        let result = self
            .client
            .complete_multipart_upload()
            .bucket(&self.bucket)
            .key(key)
            .upload_id(id)
            .multipart_upload(parts)
            .set_checksum_type(self.by_sha256().then_some(ChecksumType::Composite))
            .customize()
            .config_override(Builder::new().timeout_config(timeouts(timeout)))
            .send()
            .await;
        let Err(error) = result else { return Ok(()) };
        let mut failure = failure::of(&error, true);
        // Of an upload that is gone Ceph says with a 500 that it is being completed already.
        if failure == Failure::Passing && !self.has_multipart(key, id).await.unwrap_or(true) {
            failure = Failure::MultipartGone;
        }
        Err(self.failed("CompleteMultipartUpload", failure, failure::cause(&error)))
    }

    pub(super) async fn abort(&self, key: &str, id: &str) -> Result<(), ReplicaError> {
        let request = self
            .client
            .abort_multipart_upload()
            .bucket(&self.bucket)
            .key(key)
            .upload_id(id);
        let result = request.send().await;
        match result.map_err(|e| self.error_of_multipart("AbortMultipartUpload", &e)) {
            Err(error) if !error.multipart_is_gone() => Err(error),
            _ => Ok(()),
        }
    }

    pub(super) async fn has_multipart(&self, key: &str, id: &str) -> Result<bool, ReplicaError> {
        let request = self
            .client
            .list_parts()
            .bucket(&self.bucket)
            .key(key)
            .upload_id(id)
            .max_parts(1);
        let result = request.send().await;
        match result.map_err(|e| self.error_of_multipart("ListParts", &e)) {
            Err(error) if error.multipart_is_gone() => Ok(false),
            Err(error) => Err(error),
            Ok(_) => Ok(true),
        }
    }

    pub(super) async fn multiparts(&self, key: &str) -> Result<Vec<String>, ReplicaError> {
        let (mut ids, mut after) = (Vec::new(), (None, None));
        loop {
            let answer = self
                .client
                .list_multipart_uploads()
                .bucket(&self.bucket)
                .prefix(key)
                .set_key_marker(after.0.clone())
                .set_upload_id_marker(after.1.clone())
                .send()
                .await
                .map_err(|e| self.error("ListMultipartUploads", &e))?;
            let own = answer.uploads().iter().filter(|upload| upload.key() == Some(key));
            ids.extend(own.filter_map(|upload| upload.upload_id().map(str::to_owned)));
            if answer.is_truncated() != Some(true) || answer.next_key_marker().is_none() {
                return Ok(ids);
            }
            let next = (answer.next_key_marker, answer.next_upload_id_marker);
            if next == after {
                return Err(self.corrupt("a list of multipart uploads that does not go on".to_owned()));
            }
            after = next;
        }
    }

    fn error_of_multipart<E>(&self, operation: &'static str, error: &SdkError<E>) -> ReplicaError
    where
        E: std::error::Error + ProvideErrorMetadata + Send + Sync + 'static,
    {
        self.failed(operation, failure::of(error, true), failure::cause(error))
    }
}
