//! Uploads.

use super::keys::{account_partition, blob_partition, object_key};
use super::tree::{FileContent, NodeRow};
use crate::error::StoreError;
use crate::table::{Key, Opened, Row};
use domain::content::{ContentId, PartPlan};
use domain::id::{AccountId, BlobId, InvalidId, NodeId, UploadId};
use domain::name::Name;
use domain::placement::{Destination, OnConflict};
use domain::proof::Challenge;
use domain::upload;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// An upload.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct UploadRow {
    /// Its id.
    pub id: UploadId,
    /// Whose it is.
    pub account: AccountId,
    /// Where it stands.
    pub state: upload::State,
    /// What the file will be called.
    pub name: Name,
    /// The folder it will be in; none is the root.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub parent: Option<NodeId>,
    /// Bytes, reserved of the account's quota while the upload lives.
    pub size: u64,
    /// What happens when the name is taken by the time there is a file.
    #[serde(default)]
    pub on_conflict: OnConflict,
    /// The media type that downloads will have.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub content_type: Option<String>,
    /// What the client says the bytes are, checked at finalize; what they are, once there is a file.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub content_id: Option<ContentId>,
    /// The blob that the parts become, unless their content exists already.
    pub blob: BlobId,
    /// What has to be answered to get the file without sending its bytes.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub challenge: Option<StoredChallenge>,
    /// S3's id of the multipart upload, once there is one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub multipart_id: Option<String>,
    /// When it expires if nobody touches it.
    pub expires_at: Timestamp,
    /// Until when a finalize holds it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub lease_until: Option<Timestamp>,
    /// The file it became.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub node: Option<NodeId>,
    /// It ended, and left something at the store that has to be discarded: since when.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub discard_since: Option<Timestamp>,
    /// When it ended, however it did.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub ended_at: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When the sweep looks at it, in seconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub due_at: Option<i64>,
    /// Counts the writes of this row.
    pub version: u64,
}

/// A challenge, and what it is about.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct StoredChallenge {
    /// The challenge.
    pub challenge: Challenge,
    /// The blob whose bytes are asked for.
    pub blob: BlobId,
}

impl FileContent {
    /// What the file of an upload refers to.
    #[must_use]
    pub fn of(upload: &UploadRow, content_id: ContentId, blob: &BlobId) -> Self {
        let (size, content_type) = (upload.size, upload.content_type.clone());
        Self::new(size, content_type, content_id, blob.clone())
    }
}

impl UploadRow {
    /// What all uploads' sort keys begin with.
    pub const PREFIX: &str = "UPLOAD#";

    /// Where an upload is.
    #[must_use]
    pub fn key_of(account: &AccountId, upload: &UploadId) -> Key {
        Key {
            pk: account_partition(account),
            sk: format!("{}{upload}", Self::PREFIX),
        }
    }

    /// Notes where its file shall go instead. Returns whether that is another place than before.
    pub fn redirect(&mut self, to: &Destination) -> bool {
        let before = (self.name.clone(), self.parent.clone(), self.on_conflict);
        (self.name, self.parent) = to.of(&self.name, self.parent.as_ref());
        self.on_conflict = to.on_conflict.unwrap_or(self.on_conflict);
        before != (self.name.clone(), self.parent.clone(), self.on_conflict)
    }

    /// Notes what file it became.
    pub fn became(&mut self, node: &NodeRow) {
        self.node = Some(node.id.clone());
        self.content_id = node.file.as_ref().map(|file| file.content_id).or(self.content_id);
    }

    /// Notes when the sweep looks at it, now that it is as it is. `noted` is when it would have.
    pub(crate) fn note_due(&mut self, noted: Option<Timestamp>) {
        let at = if self.state.is_final() {
            self.discard_since
        } else {
            Some(upload::next_check(&self.lifecycle(), noted))
        };
        self.due_at = at.map(Timestamp::as_second);
    }

    /// What decides about its state.
    #[must_use]
    pub fn lifecycle(&self) -> upload::Lifecycle {
        upload::Lifecycle {
            state: self.state,
            expires_at: self.expires_at,
            lease_until: self.lease_until,
            challenge_until: self.challenge.as_ref().map(|stored| stored.challenge.expires_at),
        }
    }

    /// How it is cut into parts. The size was checked when the upload was made.
    ///
    /// # Errors
    /// `ErrorKind::Corrupt` when the stored size has no plan.
    pub fn parts(&self) -> Result<PartPlan, StoreError> {
        PartPlan::for_size(self.size).map_err(StoreError::corrupt)
    }

    /// The key of the object that the parts become.
    #[must_use]
    pub fn object_key(&self) -> String {
        object_key(&self.blob)
    }
}

impl Row for UploadRow {
    fn key(&self) -> Key {
        Self::key_of(&self.account, &self.id)
    }

    fn due_at(&self) -> Option<Timestamp> {
        self.due_at.and_then(|second| Timestamp::from_second(second).ok())
    }

    fn opened(&self) -> Option<Opened> {
        let place = OpenUploadKey {
            parent: self.parent.clone(),
            upload: self.id.clone(),
        };
        (!self.state.is_final()).then(|| Opened {
            account: self.account.to_string(),
            place: place.in_index(),
        })
    }

    fn ttl(&self) -> Option<Timestamp> {
        let ended_at = self.ended_at.filter(|_| self.discard_since.is_none())?;
        ended_at.checked_add(upload::RETENTION).ok()
    }
}

/// Where an upload is among those that are open in its account: they are in the order of the folders that they go to.
/// As text it is what a list of uploads goes on after.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenUploadKey {
    /// The folder that it goes to; none is the root.
    pub parent: Option<NodeId>,
    /// The upload.
    pub upload: UploadId,
}

impl OpenUploadKey {
    /// What the places of all uploads into a folder begin with in the index of what is open.
    #[must_use]
    pub fn prefix(parent: Option<&NodeId>) -> String {
        format!("{}#", parent.map_or("", NodeId::as_str))
    }

    /// As the index of what is open has it.
    #[must_use]
    pub fn in_index(&self) -> String {
        format!("{}{}", Self::prefix(self.parent.as_ref()), self.upload)
    }

    /// As the index of what is open has it, read.
    #[must_use]
    pub fn from_index(place: &str) -> Option<Self> {
        let (parent, upload) = place.split_once('#')?;
        Some(Self {
            parent: match parent {
                "" => None,
                parent => Some(parent.parse().ok()?),
            },
            upload: upload.parse().ok()?,
        })
    }
}

impl fmt::Display for OpenUploadKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.parent {
            Some(parent) => write!(f, "{parent}.{}", self.upload),
            None => self.upload.fmt(f),
        }
    }
}

impl FromStr for OpenUploadKey {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let (parent, upload) = match text.split_once('.') {
            Some((parent, upload)) => (Some(parent.parse()?), upload),
            None => (None, text),
        };
        Ok(Self {
            parent,
            upload: upload.parse()?,
        })
    }
}

/// Which upload may make a blob's object. Written when its multipart upload begins; removed with everything else that is
/// written about the blob.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct UploadOwnerRow {
    /// The blob, which need not exist yet.
    pub blob: BlobId,
    /// Whose upload it is.
    pub account: AccountId,
    /// The upload.
    pub upload: UploadId,
}

impl UploadOwnerRow {
    /// The sort key of every upload owner.
    pub const SK: &str = "UPLOAD";

    /// Where an upload owner is.
    #[must_use]
    pub fn key_of(blob: &BlobId) -> Key {
        Key {
            pk: blob_partition(blob),
            sk: Self::SK.to_owned(),
        }
    }

    /// The upload owner of an upload.
    #[must_use]
    pub fn of(upload: &UploadRow) -> Self {
        Self {
            blob: upload.blob.clone(),
            account: upload.account.clone(),
            upload: upload.id.clone(),
        }
    }
}

impl Row for UploadOwnerRow {
    fn key(&self) -> Key {
        Self::key_of(&self.blob)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_of_an_upload_is_read_as_it_was_written() {
        let root = OpenUploadKey {
            parent: None,
            upload: "u-1".parse().unwrap(),
        };
        let inside = OpenUploadKey {
            parent: Some("f_1".parse().unwrap()),
            ..root.clone()
        };
        for (place, text, index) in [(&root, "u-1", "#u-1"), (&inside, "f_1.u-1", "f_1#u-1")] {
            assert_eq!(place.to_string(), text);
            assert_eq!(text.parse::<OpenUploadKey>().as_ref(), Ok(place));
            assert_eq!(place.in_index(), index);
            assert_eq!(OpenUploadKey::from_index(index).as_ref(), Some(place));
        }
        for bad in ["", ".", ".u", "f.", "f.u.v", "f#u", "é"] {
            assert_eq!(bad.parse::<OpenUploadKey>(), Err(InvalidId), "{bad:?}");
        }
        assert_eq!(OpenUploadKey::from_index("no place"), None);
    }
}
