//! What every kind of target can do. A new kind implements [`ReplicaTarget`] and passes `tests/conformance`.

use crate::error::ReplicaError;
use aws_sdk_s3::primitives::ByteStream;
use domain::content::PartDigest;
use futures::future::BoxFuture;

/// Bytes on their way to a target: a part, or a whole object.
pub struct Copy {
    /// The bytes.
    pub source: ByteStream,
    /// How many there are.
    pub length: u64,
    /// What they must be. A target never gets a complete object or part of other bytes.
    pub digest: PartDigest,
}

/// A target's answer to a part, stored until the object is complete: what completing
/// needs, and what tells the checksum of the whole.
pub type Receipt = String;

/// An object at a target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// Its length in bytes.
    pub size: u64,
    /// The target's own checksum of it, in the form that [`ReplicaTarget::put`] and
    /// [`ReplicaTarget::checksum_of`] return.
    pub checksum: String,
}

impl Stored {
    /// Whether it is what was sent.
    #[must_use]
    pub fn is(&self, size: u64, checksum: &str) -> bool {
        self.size == size && self.checksum == checksum
    }
}

/// The future result of an operation.
pub type TargetFuture<'a, T> = BoxFuture<'a, Result<T, ReplicaError>>;

/// A place for replicas. Every operation may be repeated, and be under way twice at once with the same bytes.
pub trait ReplicaTarget: Send + Sync {
    /// Puts a whole object, and returns the target's checksum of it, which was compared with what was sent.
    ///
    /// # Errors
    /// [`ReplicaError::SourceCorrupt`] when the source has other bytes, [`ReplicaError::TargetCorrupt`] when the target
    /// got other bytes, [`ReplicaError::Target`].
    fn put<'a>(&'a self, key: &'a str, copy: Copy) -> TargetFuture<'a, String>;

    /// Begins a multipart upload and returns its id.
    ///
    /// # Errors
    /// [`ReplicaError::Target`].
    fn begin_multipart<'a>(&'a self, key: &'a str) -> TargetFuture<'a, String>;

    /// Puts one part, numbered from 1, and returns the receipt, which was compared with what was sent.
    ///
    /// # Errors
    /// As [`ReplicaTarget::put`].
    fn put_part<'a>(
        &'a self,
        key: &'a str,
        multipart_id: &'a str,
        part: u32,
        copy: Copy,
    ) -> TargetFuture<'a, Receipt>;

    /// The checksum that the target must return for an object of parts with these receipts and lengths, in order.
    /// `None`: a receipt is not one of this target's.
    fn checksum_of(&self, parts: &[(Receipt, u64)]) -> Option<String>;

    /// Completes a multipart upload from all its parts' receipts, in order.
    ///
    /// # Errors
    /// [`ReplicaError::Target`].
    fn complete_multipart<'a>(
        &'a self,
        key: &'a str,
        multipart_id: &'a str,
        receipts: &'a [Receipt],
    ) -> TargetFuture<'a, ()>;

    /// Aborts a multipart upload. One that is not there is as good as aborted.
    ///
    /// # Errors
    /// [`ReplicaError::Target`].
    fn abort_multipart<'a>(&'a self, key: &'a str, multipart_id: &'a str) -> TargetFuture<'a, ()>;

    /// The ids of all multipart uploads of a key that are under way.
    ///
    /// # Errors
    /// [`ReplicaError::Target`].
    fn multiparts<'a>(&'a self, key: &'a str) -> TargetFuture<'a, Vec<String>>;

    /// The object of a key; `None` when there is none.
    ///
    /// # Errors
    /// [`ReplicaError::Target`].
    fn head<'a>(&'a self, key: &'a str) -> TargetFuture<'a, Option<Stored>>;

    /// Deletes an object. One that is not there is as good as deleted.
    ///
    /// # Errors
    /// [`ReplicaError::Target`].
    fn delete<'a>(&'a self, key: &'a str) -> TargetFuture<'a, ()>;

    /// A URL from which anybody can read an object for [`URL_LIFETIME`](store::objects::URL_LIFETIME), with these response headers.
    ///
    /// # Errors
    /// [`ReplicaError::Target`].
    fn sign_read<'a>(
        &'a self,
        key: &'a str,
        content_type: &'a str,
        disposition: &'a str,
    ) -> TargetFuture<'a, String>;

    /// Aborts every multipart upload of a key, also those whose ids were never stored.
    ///
    /// # Errors
    /// [`ReplicaError::Target`].
    fn abort_all_multiparts<'a>(&'a self, key: &'a str) -> TargetFuture<'a, ()> {
        Box::pin(async move {
            for id in self.multiparts(key).await? {
                self.abort_multipart(key, &id).await?;
            }
            Ok(())
        })
    }
}
