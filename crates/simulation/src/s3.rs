//! S3 in memory: the operations that Longshore uses, refusals included, as AWS documents them.
//!
//! There are no permissions: the one key pair may do everything. Requests signed by header are taken as they are, because the
//! AWS SDK made them; presigned ones are checked, because clients send them. Left out on purpose: versions, encryption, redirects, the
//! CRC-64 that S3 computes of objects sent without a checksum, and answers that begin before the work is done.

mod answer;
mod bucket;
mod checksum;
mod deleting;
mod document;
mod listing;
mod multipart;
mod objects;
mod operation;
mod refusal;
mod request;
mod signature;
#[cfg(test)]
mod tests;

pub use bucket::{OpenUpload, StoredObject};

use answer::Answer;
use bucket::Bucket;
use bytes::Bytes;
use http::{Method, StatusCode};
use jiff::{SignedDuration, Timestamp};
use operation::Operation;
use refusal::Refusal;
use request::Request;
use signature::KeyPair;
use std::collections::BTreeMap;

/// Any number of buckets.
#[derive(Debug)]
pub struct S3 {
    keys: KeyPair,
    buckets: BTreeMap<String, Bucket>,
    remembers: SignedDuration,
    requests: u64,
}

/// The operation that a request asks for, such as `UploadPart`, by its method, path and query; `Unknown` when it is none of
/// those that [`S3`] has.
#[must_use]
pub fn operation(request: &http::Request<Bytes>) -> &'static str {
    let known = Request::read(request).map_or(Operation::Unknown, |request| request.operation());
    known.name()
}

impl S3 {
    /// A store without buckets, for requests that are signed with this key pair.
    #[must_use]
    pub fn new(access_key_id: impl Into<String>, secret_access_key: impl Into<String>) -> Self {
        Self {
            keys: KeyPair {
                id: access_key_id.into(),
                secret: secret_access_key.into(),
            },
            buckets: BTreeMap::new(),
            remembers: SignedDuration::ZERO,
            requests: 0,
        }
    }

    /// Another store without buckets, for requests that are signed with the same key pair.
    #[must_use]
    pub fn anew(&self) -> Self {
        Self::new(&self.keys.id, &self.keys.secret)
    }

    /// Makes an empty bucket, unless there is one of this name.
    pub fn create_bucket(&mut self, name: &str) {
        self.buckets.entry(name.to_owned()).or_default();
    }

    /// From now on the same `CompleteMultipartUpload`, sent again within this time, succeeds again, as long as its object is
    /// there. AWS documents `NoSuchUpload`, which is what happens without this; in fact S3 is known to do the former.
    pub fn remember_completed(&mut self, how_long: SignedDuration) {
        self.remembers = how_long;
    }

    /// The objects of a bucket, in the order of their keys. None when there is no such bucket.
    pub fn objects(&self, bucket: &str) -> impl Iterator<Item = StoredObject> {
        self.buckets.get(bucket).into_iter().flat_map(Bucket::stored)
    }

    /// The open multipart uploads of a bucket, in the order of their keys and then of their beginnings. None when there
    /// is no such bucket.
    pub fn uploads(&self, bucket: &str) -> impl Iterator<Item = OpenUpload> {
        self.buckets.get(bucket).into_iter().flat_map(Bucket::open)
    }

    /// The bytes of an object; `None` when there is none.
    #[must_use]
    pub fn read(&self, bucket: &str, key: &str) -> Option<Bytes> {
        let object = self.buckets.get(bucket)?.objects.get(key)?;
        Some(object.body.all())
    }

    /// Loses an object, as no store should. Returns whether there was one.
    pub fn remove_object(&mut self, bucket: &str, key: &str) -> bool {
        let bucket = self.buckets.get_mut(bucket);
        bucket.is_some_and(|bucket| bucket.objects.remove(key).is_some())
    }

    /// Aborts all multipart uploads, as a lifecycle rule does.
    pub fn remove_uploads(&mut self, bucket: &str) {
        if let Some(bucket) = self.buckets.get_mut(bucket) {
            bucket.uploads.clear();
        }
    }

    /// Answers a request, as of `now`. Never fails: what cannot be done is refused as S3 refuses it, and what this store has
    /// not is a `501 NotImplemented` that says what it is.
    pub fn answer(&mut self, request: &http::Request<Bytes>, now: Timestamp) -> http::Response<Bytes> {
        self.requests += 1;
        let request_id = format!("{:016X}", self.requests);
        let is_head = request.method() == Method::HEAD;
        self.try_answer(request, now)
            .unwrap_or_else(|refusal| Answer::refused(refusal, &request_id))
            .response(&request_id, is_head)
    }

    fn try_answer(&mut self, request: &http::Request<Bytes>, now: Timestamp) -> Result<Answer, Refusal> {
        signature::check(request, &self.keys, now)?;
        let request = &Request::read(request)
            .ok_or_else(|| Refusal::new(400, "InvalidURI", "Couldn't parse the specified URI."))?;
        request.check_body()?;
        let operation = request.operation();
        request.check_headers(operation)?;
        let name = &request.bucket;
        let bucket = self.buckets.get_mut(name).ok_or_else(|| {
            Refusal::new(404, "NoSuchBucket", "The specified bucket does not exist")
                .with("BucketName", name.as_str())
        })?;
        let (remembers, number) = (self.remembers, self.requests);
        match operation {
            Operation::AbortMultipartUpload => multipart::abort(bucket, request),
            Operation::CompleteMultipartUpload => multipart::complete(bucket, request, now, remembers),
            Operation::CreateMultipartUpload => multipart::create(bucket, request, now, number),
            Operation::DeleteObject => Ok(deleting::one(bucket, request)),
            Operation::DeleteObjects => deleting::many(bucket, request),
            Operation::GetObject => objects::get(bucket, request),
            Operation::HeadBucket => Ok(Answer::empty(StatusCode::OK)),
            Operation::HeadObject => objects::head(bucket, request),
            Operation::ListMultipartUploads => listing::uploads(bucket, request),
            Operation::ListObjectsV2 => listing::objects(bucket, request),
            Operation::ListParts => listing::parts(bucket, request),
            Operation::PutObject => objects::put(bucket, request, now),
            Operation::UploadPart => multipart::put_part(bucket, request, now),
            Operation::Unknown => Err(request.not_implemented()),
        }
    }
}
