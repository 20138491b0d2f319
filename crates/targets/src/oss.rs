//! Alibaba Cloud OSS by its own API, which returns the CRC-64 of everything: bytes are verified end to end.
//!
//! Nothing is overwritten by accident: writes forbid it. A key is Longshore's own and its content never changes, so what
//! exists already is either right, or was damaged and is overwritten. It is never deleted first, because another
//! worker may just have written the right bytes.

mod checksum;
mod encoding;
mod exchange;
mod failure;
mod signature;
#[cfg(test)]
mod tests;
mod xml;

use crate::error::{Cause, Failure, ReplicaError};
use crate::rate_limiter::RateLimiter;
use crate::target::{Copy, Receipt, ReplicaTarget, Stored, TargetFuture};
use crate::verified_body::{RequestedChecksum, Sums, Verdict, VerifiedBody};
use aws_sdk_s3::primitives::SdkBody;
use domain::targets;
use exchange::{Bucket, Call, ExchangeResult};
use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use store::Environment;
use tokio::time::timeout;
use xml::{CompleteMultipartUpload, Document, Part};

const CRC: &str = "x-oss-hash-crc64ecma";
/// Refused because the object is there.
const EXISTS: &str = "FileAlreadyExists";

/// A bucket of Alibaba Cloud OSS.
pub struct OssTarget {
    name: String,
    bucket: Bucket,
    rate_limiter: Arc<RateLimiter>,
    /// Keys that may be overwritten by the next attempt, which is soon: a worker tries again at once.
    written_over: Mutex<HashSet<String>>,
}

impl OssTarget {
    /// A target as configured. Nothing is sent yet.
    ///
    /// # Errors
    /// [`ReplicaError::Misconfigured`] when its CA bundle cannot be used.
    pub fn new(
        target: &targets::Target,
        rate_limiter: Arc<RateLimiter>,
        environment: &Environment,
    ) -> Result<Self, ReplicaError> {
        Ok(Self {
            name: target.name.clone(),
            bucket: Bucket::new(target, environment)?,
            rate_limiter,
            written_over: Mutex::default(),
        })
    }

    /// Unless it succeeds, the next attempt may overwrite what it finds: the object may have other bytes, or OSS may
    /// have refused, for the object being there, and closed the connection before it had read all, so that its answer got
    /// lost.
    async fn put(&self, key: &str, copy: Copy) -> Result<String, ReplicaError> {
        let overwrite = self.written_over().contains(key);
        let length = copy.length;
        let (body, verdict) =
            VerifiedBody::for_request(copy, RequestedChecksum::Crc64, &self.rate_limiter).await?;
        let call = Call {
            operation: "PutObject",
            method: "PUT",
            key,
            query: Vec::new(),
            headers: forbid_overwrite(!overwrite),
        };
        let outcome = self.stream(&call, body, length, &verdict).await;
        // The target also fails when the source does; the source is to blame then.
        verdict.source()?;
        let refused = matches!(&outcome, ExchangeResult::Refused(refusal) if refusal.code == EXISTS);
        let result = if refused {
            self.compare(&call, length, &verdict).await
        } else {
            self.done(&call, outcome)
                .and_then(|answer| self.verify("the object", &answer, verdict.sums()))
                .map(|sums| sums.crc64.to_string())
        };
        match &result {
            Ok(_) => self.written_over().remove(key),
            Err(_) => self.written_over().insert(key.to_owned()),
        };
        result
    }

    /// The object was there already: usually by this very request, whose answer got lost, or by another worker. The
    /// source can be read once only: what was not sent of it is read here, to compare.
    async fn compare(&self, call: &Call<'_>, length: u64, verdict: &Verdict) -> Result<String, ReplicaError> {
        let failed = |cause: &str| self.failed(call, Failure::Passing, Cause::of_ours(cause));
        let sums = timeout(self.rate_limiter.read_timeout(length), verdict.drain()).await;
        let sums = sums.map_err(|_| failed("the source is slow"))??;
        let crc = sums.map(|sums| sums.crc64.to_string()).unwrap_or_default();
        let right = Some(Stored {
            size: length,
            checksum: crc.clone(),
        });
        if self.head(call.key).await? == right {
            Ok(crc)
        } else {
            Err(failed(
                "other bytes are there, they are written over the next time",
            ))
        }
    }

    async fn begin(&self, key: &str) -> Result<String, ReplicaError> {
        let call = |forbid| Call {
            operation: "InitiateMultipartUpload",
            method: "POST",
            key,
            query: vec![("uploads", String::new())],
            headers: forbid_overwrite(forbid),
        };
        let answer = self
            .call_unless_there(call, b"", self.rate_limiter.timeout())
            .await?;
        match Document::read(&answer.body) {
            Some(Document::InitiateMultipartUploadResult(begun)) if !begun.upload_id.is_empty() => {
                Ok(begun.upload_id)
            }
            _ => Err(self.corrupt("a multipart upload without an id".to_owned())),
        }
    }

    async fn put_part(&self, key: &str, id: &str, part: u32, copy: Copy) -> Result<Receipt, ReplicaError> {
        let length = copy.length;
        let (body, verdict) =
            VerifiedBody::for_request(copy, RequestedChecksum::Crc64, &self.rate_limiter).await?;
        let call = Call {
            operation: "UploadPart",
            method: "PUT",
            key,
            query: vec![("partNumber", part.to_string()), ("uploadId", id.to_owned())],
            headers: Vec::new(),
        };
        let outcome = self.stream(&call, body, length, &verdict).await;
        verdict.source()?;
        let answer = self.done(&call, outcome)?;
        let sums = self.verify(&format!("part {part}"), &answer, verdict.sums())?;
        let etag = answer.header("etag").unwrap_or_default().trim_matches('"');
        checksum::receipt(etag, sums.crc64)
            .ok_or_else(|| self.corrupt(format!("part {part} has the ETag {etag:?}")))
    }

    /// OSS goes on completing when the connection breaks off, and the upload is gone by then: the next time it says so,
    /// and the caller checks the object.
    async fn complete(&self, key: &str, id: &str, receipts: &[Receipt]) -> Result<(), ReplicaError> {
        let part = |(part_number, receipt): (u32, &Receipt)| Part {
            part_number,
            etag: format!("\"{}\"", checksum::etag(receipt)),
        };
        let completion = CompleteMultipartUpload {
            parts: (1..).zip(receipts).map(part).collect(),
        };
        let body = completion
            .write()
            .map_err(|error| self.corrupt(format!("receipts that cannot be sent: {error}")))?;
        let call = |forbid| {
            let mut headers = forbid_overwrite(forbid);
            headers.push(("content-type", "application/xml".to_owned()));
            Call {
                operation: "CompleteMultipartUpload",
                method: "POST",
                key,
                query: vec![("uploadId", id.to_owned())],
                headers,
            }
        };
        let timeout = self.rate_limiter.complete_timeout(receipts.len());
        self.call_unless_there(call, body.as_bytes(), timeout).await?;
        Ok(())
    }

    async fn abort(&self, key: &str, id: &str) -> Result<(), ReplicaError> {
        let call = Call {
            operation: "AbortMultipartUpload",
            method: "DELETE",
            key,
            query: vec![("uploadId", id.to_owned())],
            headers: Vec::new(),
        };
        match self.call(&call).await {
            Err(error) if !error.multipart_is_gone() => Err(error),
            _ => Ok(()),
        }
    }

    async fn multiparts(&self, key: &str) -> Result<Vec<String>, ReplicaError> {
        let (mut ids, mut after) = (Vec::new(), Vec::new());
        loop {
            let mut query = vec![("uploads", String::new()), ("prefix", key.to_owned())];
            query.extend(after.iter().cloned());
            let call = Call {
                operation: "ListMultipartUploads",
                method: "GET",
                key: "",
                query,
                headers: Vec::new(),
            };
            let answer = self.call(&call).await?;
            let Some(Document::ListMultipartUploadsResult(list)) = Document::read(&answer.body) else {
                return Err(self.corrupt("a list of multipart uploads that is none".to_owned()));
            };
            let uploads = list.uploads.into_iter().filter(|upload| upload.key == key);
            ids.extend(uploads.map(|upload| upload.upload_id));
            if !list.is_truncated || list.next_key_marker.is_empty() {
                return Ok(ids);
            }
            let next = vec![
                ("key-marker", list.next_key_marker),
                ("upload-id-marker", list.next_upload_id_marker),
            ];
            if next == after {
                return Err(self.corrupt("a list of multipart uploads that does not go on".to_owned()));
            }
            after = next;
        }
    }

    async fn head(&self, key: &str) -> Result<Option<Stored>, ReplicaError> {
        let call = Call {
            operation: "HeadObject",
            method: "HEAD",
            key,
            query: Vec::new(),
            headers: Vec::new(),
        };
        let answer = match self.bucket.call(&call, b"", self.rate_limiter.timeout()).await {
            ExchangeResult::Refused(refusal) if refusal.is_no_such_key() => return Ok(None),
            outcome => self.done(&call, outcome)?,
        };
        let size = answer.header("content-length").and_then(|text| text.parse().ok());
        Ok(Some(Stored {
            size: size.unwrap_or_default(),
            checksum: answer.header(CRC).unwrap_or_default().to_owned(),
        }))
    }

    async fn delete(&self, key: &str) -> Result<(), ReplicaError> {
        let call = Call {
            operation: "DeleteObject",
            method: "DELETE",
            key,
            query: Vec::new(),
            headers: Vec::new(),
        };
        match self.bucket.call(&call, b"", self.rate_limiter.timeout()).await {
            ExchangeResult::Refused(refusal) if refusal.is_no_such_key() => Ok(()),
            outcome => self.done(&call, outcome).map(|_| ()),
        }
    }

    /// Sends a request with a stream, which takes as long as it makes progress.
    async fn stream(&self, call: &Call<'_>, body: SdkBody, length: u64, verdict: &Verdict) -> ExchangeResult {
        let exchange = self.bucket.exchange(call, body);
        match verdict.watch(&self.rate_limiter, exchange).await {
            Ok(outcome) => outcome,
            Err(still) => ExchangeResult::Lost(still.cause(length)),
        }
    }

    async fn call(&self, call: &Call<'_>) -> Result<exchange::OssResponse, ReplicaError> {
        let outcome = self.bucket.call(call, b"", self.rate_limiter.timeout()).await;
        self.done(call, outcome)
    }

    /// Sends a request that forbids overwriting; if there is an object already, once more without. The bytes that come
    /// are right, whatever is there.
    async fn call_unless_there<'a>(
        &self,
        call: impl Fn(bool) -> Call<'a>,
        body: &[u8],
        timeout: Duration,
    ) -> Result<exchange::OssResponse, ReplicaError> {
        let forbidding = call(true);
        match self.bucket.call(&forbidding, body, timeout).await {
            ExchangeResult::Refused(refusal) if refusal.code == EXISTS => {
                let call = call(false);
                let outcome = self.bucket.call(&call, body, timeout).await;
                self.done(&call, outcome)
            }
            outcome => self.done(&forbidding, outcome),
        }
    }

    fn done(&self, call: &Call<'_>, outcome: ExchangeResult) -> Result<exchange::OssResponse, ReplicaError> {
        match outcome {
            ExchangeResult::Done(answer) => Ok(answer),
            ExchangeResult::Refused(refusal) => Err(self.failed(call, refusal.failure(), refusal.cause())),
            ExchangeResult::Lost(cause) => Err(self.failed(call, Failure::Passing, cause)),
        }
    }

    /// The CRC-64 that OSS returned is that of the bytes sent.
    fn verify(
        &self,
        what: &str,
        answer: &exchange::OssResponse,
        sent: Option<Sums>,
    ) -> Result<Sums, ReplicaError> {
        let given = answer.header(CRC);
        match sent {
            Some(sums) if given == Some(sums.crc64.to_string().as_str()) => Ok(sums),
            _ => {
                let sent = sent.map(|sums| sums.crc64);
                let detail = format!("{what} has the CRC-64 {given:?}, of what was sent it is {sent:?}");
                Err(self.corrupt(detail))
            }
        }
    }

    fn written_over(&self) -> MutexGuard<'_, HashSet<String>> {
        self.written_over.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn corrupt(&self, detail: String) -> ReplicaError {
        ReplicaError::target_corrupt(&self.name, detail)
    }

    fn failed(&self, call: &Call<'_>, failure: Failure, cause: Cause) -> ReplicaError {
        ReplicaError::target(&self.name, call.operation, failure, cause)
    }
}

impl ReplicaTarget for OssTarget {
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
        checksum::of_parts(parts).map(|crc| crc.to_string())
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
        Box::pin(async move { Ok(self.bucket.sign_read(key, content_type, disposition)) })
    }
}

fn forbid_overwrite(forbid: bool) -> Vec<(&'static str, String)> {
    let header = ("x-oss-forbid-overwrite", "true".to_owned());
    forbid.then_some(header).into_iter().collect()
}
