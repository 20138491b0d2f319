//! What is in the bucket, a page at a time, and what an object is.

use super::Objects;
use super::content::same_content;
use crate::error::{ErrorKind, StoreError, remote};
use aws_sdk_s3::types::ChecksumMode;
use domain::content::ContentId;
use domain::reconcile::pass::Marker;
use domain::reconcile::{Checksum, Found};
use jiff::Timestamp;

/// An object in the bucket.
#[derive(Debug, Clone)]
pub struct ListedObject {
    /// Its key.
    pub key: String,
    /// Its length in bytes.
    pub size: u64,
    /// When it was made, as the store says.
    pub made_at: Timestamp,
}

/// A multipart upload under way.
#[derive(Debug, Clone)]
pub struct ListedMultipart {
    /// The key of what it may become.
    pub key: String,
    /// Its id.
    pub id: String,
    /// When it began, as the store says.
    pub begun_at: Timestamp,
}

/// What the store says of one object.
#[derive(Debug, Clone)]
pub struct Head {
    /// Its length in bytes.
    pub size: u64,
    /// Its SHA-256 checksum, if it has one.
    sha256: Option<String>,
}

impl Head {
    /// How its checksum compares with a content id.
    #[must_use]
    pub fn compare(&self, content_id: &ContentId) -> Checksum {
        match &self.sha256 {
            None => Checksum::Unknown,
            Some(text) if same_content(text, content_id) => Checksum::Same,
            Some(_) => Checksum::Other,
        }
    }
}

impl Objects {
    /// What is at a key, compared with the content that should be there.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn look_for(&self, key: &str, content_id: &ContentId) -> Result<Found, StoreError> {
        let head = self.head(key).await?;
        Ok(head.map_or(Found::Nothing, |head| Found::Object {
            size: head.size,
            checksum: head.compare(content_id),
        }))
    }

    /// Up to `limit` objects, whatever their keys, in the order of their keys, after the key `after`; and whether there
    /// are more.
    ///
    /// # Errors
    /// [`StoreError`] when the store's answer lacks something.
    pub async fn list(
        &self,
        after: Option<&str>,
        limit: u32,
    ) -> Result<(Vec<ListedObject>, bool), StoreError> {
        let request = self
            .client
            .list_objects_v2()
            .bucket(&self.bucket)
            .set_start_after(after.map(str::to_owned))
            .max_keys(i32::try_from(limit).unwrap_or(i32::MAX));
        let answer = request.send().await.map_err(remote("ListObjectsV2"))?;
        let read = |object: &aws_sdk_s3::types::Object| {
            Some(ListedObject {
                key: object.key()?.to_owned(),
                size: object.size()?.try_into().ok()?,
                made_at: timestamp(object.last_modified())?,
            })
        };
        let objects: Option<Vec<_>> = answer.contents().iter().map(read).collect();
        let objects = objects.ok_or_else(|| incomplete("ListObjectsV2"))?;
        Ok((objects, answer.is_truncated == Some(true)))
    }

    /// Up to `limit` multipart uploads, whatever their keys, in the order of their keys and then of their beginnings; and
    /// whether there are more. Where the one that `after` names is gone, they begin after all those of its key.
    ///
    /// # Errors
    /// [`StoreError`] when the store's answer lacks something.
    pub async fn list_multiparts(
        &self,
        after: Option<&Marker>,
        limit: u32,
    ) -> Result<(Vec<ListedMultipart>, bool), StoreError> {
        let request = |id: Option<String>| {
            self.client
                .list_multipart_uploads()
                .bucket(&self.bucket)
                .set_key_marker(after.map(|marker| marker.key.clone()))
                .set_upload_id_marker(id)
                .max_uploads(i32::try_from(limit).unwrap_or(i32::MAX))
        };
        let id = after.and_then(|marker| marker.id.clone());
        let by_id = id.is_some();
        let mut answer = request(id).send().await.map_err(remote("ListMultipartUploads"));
        let gone = |error: &StoreError| matches!(error.kind, ErrorKind::NotFound | ErrorKind::Invalid);
        if by_id && answer.as_ref().is_err_and(gone) {
            answer = request(None).send().await.map_err(remote("ListMultipartUploads"));
        }
        let answer = answer?;
        let read = |upload: &aws_sdk_s3::types::MultipartUpload| {
            Some(ListedMultipart {
                key: upload.key()?.to_owned(),
                id: upload.upload_id()?.to_owned(),
                begun_at: timestamp(upload.initiated())?,
            })
        };
        let multiparts: Option<Vec<_>> = answer.uploads().iter().map(read).collect();
        let multiparts = multiparts.ok_or_else(|| incomplete("ListMultipartUploads"))?;
        Ok((multiparts, answer.is_truncated == Some(true)))
    }

    /// Looks at an object; `None` when there is none. Without the permission to list the bucket the store would not say
    /// that there is none, but refuse.
    ///
    /// # Errors
    /// [`StoreError`] when the store does not give its size; `ErrorKind::Misconfigured` when there is no bucket.
    pub async fn head(&self, key: &str) -> Result<Option<Head>, StoreError> {
        let request = self
            .client
            .head_object()
            .bucket(&self.bucket)
            .key(key)
            .checksum_mode(ChecksumMode::Enabled);
        let answer = match request.send().await {
            Ok(answer) => answer,
            Err(error)
                if error
                    .raw_response()
                    .is_some_and(|raw| raw.status().as_u16() == 404) =>
            {
                // The answer to a HEAD has no body to say what is not there: the object, or the bucket with all of them.
                self.find_bucket().await?;
                return Ok(None);
            }
            Err(error) => return Err(remote("HeadObject")(error)),
        };
        let size = answer.content_length().and_then(|n| u64::try_from(n).ok());
        Ok(Some(Head {
            size: size.ok_or_else(|| incomplete("HeadObject"))?,
            sha256: answer.checksum_sha256().map(str::to_owned),
        }))
    }

    /// Fails when there is no bucket of this name.
    async fn find_bucket(&self) -> Result<(), StoreError> {
        let bucket = &self.bucket;
        let answer = self.client.head_bucket().bucket(bucket).send().await;
        match answer.map_err(remote("HeadBucket")) {
            Err(error) if error.kind == ErrorKind::NotFound => {
                let text = format!("there is no bucket {bucket}");
                Err(StoreError::said("HeadBucket", Some("NoSuchBucket"), &text))
            }
            answer => answer.map(|_| ()),
        }
    }
}

fn incomplete(operation: &str) -> StoreError {
    StoreError::corrupt(format!("the answer to {operation} is incomplete"))
}

fn timestamp(time: Option<&aws_sdk_s3::primitives::DateTime>) -> Option<Timestamp> {
    Timestamp::from_second(time?.secs()).ok()
}
