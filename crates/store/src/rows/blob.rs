//! Blobs: content, life, part digests.

use super::keys::blob_partition;
use crate::error::StoreError;
use crate::table::{Key, Row};
use domain::blob::Life;
use domain::content::{ContentId, PartDigest, PartPlan};
use domain::id::{AccountId, BlobId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The blob that has this content. At most one blob has it that new files may refer to.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ContentRow {
    /// The content.
    pub content_id: ContentId,
    /// For whose files the blob is; none is everybody's (`DEDUP_SCOPE`).
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub scope: Option<AccountId>,
    /// The blob.
    pub blob: BlobId,
}

impl ContentRow {
    /// Where a content is.
    #[must_use]
    pub fn key_of(content: &ContentId, scope: Option<&AccountId>) -> Key {
        let of = scope.map(|account| format!("#{account}")).unwrap_or_default();
        Key {
            pk: format!("CONTENT#{content}{of}"),
            sk: "CONTENT".to_owned(),
        }
    }
}

impl Row for ContentRow {
    fn key(&self) -> Key {
        Self::key_of(&self.content_id, self.scope.as_ref())
    }
}

/// A blob.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct BlobRow {
    /// Its id.
    pub id: BlobId,
    /// What identifies its bytes.
    pub content_id: ContentId,
    /// For whose files it is; none is everybody's (`DEDUP_SCOPE`).
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub scope: Option<AccountId>,
    /// How many there are.
    pub size: u64,
    /// How many files refer to it.
    pub references: u64,
    /// Its bytes are being deleted.
    #[serde(default)]
    pub reclaiming: bool,
    /// Since when its object is known to be gone.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub lost_since: Option<Timestamp>,
    /// When the sweep looks at it, in seconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub due_at: Option<i64>,
    /// When it was made.
    pub created_at: Timestamp,
}

impl BlobRow {
    /// The sort key of every blob.
    pub const SK: &str = crate::key::BLOB;

    /// Where a blob is.
    #[must_use]
    pub fn key_of(blob: &BlobId) -> Key {
        Key {
            pk: blob_partition(blob),
            sk: Self::SK.to_owned(),
        }
    }

    /// What decides about its life.
    #[must_use]
    pub fn life(&self) -> Life {
        let next_check_at = self.due_at.and_then(|second| Timestamp::from_second(second).ok());
        Life {
            references: self.references,
            reclaiming: self.reclaiming,
            lost: self.lost_since.is_some(),
            next_check_at,
        }
    }

    /// How it is cut into parts.
    ///
    /// # Errors
    /// `ErrorKind::Corrupt` when the stored size has no plan.
    pub fn parts(&self) -> Result<PartPlan, StoreError> {
        PartPlan::for_size(self.size).map_err(StoreError::corrupt)
    }
}

impl Row for BlobRow {
    fn key(&self) -> Key {
        Self::key_of(&self.id)
    }
}

/// A page of a blob's part digests: the digests of up to [`PartDigestsRow::PARTS`] parts, as S3 gave them.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PartDigestsRow {
    /// The blob.
    pub blob: BlobId,
    /// Which page, from 0.
    pub page: u32,
    /// The digests, in the order of the parts.
    pub digests: Vec<PartDigest>,
}

impl PartDigestsRow {
    /// How many parts a page has: 44 characters each, far from DynamoDB's 400 KB an item.
    pub const PARTS: u32 = 1000;
    /// What all pages' sort keys begin with.
    pub const PREFIX: &str = "DIGESTS#";

    /// Where a page is.
    #[must_use]
    pub fn key_of(blob: &BlobId, page: u32) -> Key {
        Key {
            pk: blob_partition(blob),
            sk: format!("{}{page:04}", Self::PREFIX),
        }
    }

    /// All part digests of a blob, in pages.
    #[must_use]
    pub fn pages(blob: &BlobId, digests: &[PartDigest]) -> Vec<Self> {
        let pages = (0u32..).zip(digests.chunks(Self::PARTS as usize));
        pages
            .map(|(page, digests)| Self {
                blob: blob.clone(),
                page,
                digests: digests.to_vec(),
            })
            .collect()
    }
}

impl Row for PartDigestsRow {
    fn key(&self) -> Key {
        Self::key_of(&self.blob, self.page)
    }
}
