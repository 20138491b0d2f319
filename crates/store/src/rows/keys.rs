//! Keys of more than one kind of row.

use crate::table::Key;
use domain::id::{AccountId, BlobId};

/// The partition of everything that belongs to one account.
#[must_use]
pub fn account_partition(account: &AccountId) -> String {
    format!("ACCOUNT#{account}")
}

/// The partition of everything about one blob.
#[must_use]
pub fn blob_partition(blob: &BlobId) -> String {
    format!("BLOB#{blob}")
}

/// The key of a lease.
pub(crate) fn lease_key(name: &str) -> Key {
    Key {
        pk: format!("LEASE#{name}"),
        sk: "LEASE".to_owned(),
    }
}

/// The key of a blob's object in the primary store.
#[must_use]
pub fn object_key(blob: &BlobId) -> String {
    format!("blobs/{blob}")
}
