//! Everything that is written into the table, kind by kind. `docs/data-model.md` explains it key by key.

mod account;
mod blob;
mod memory;
mod reconcile;
mod replica;
mod session;
mod target;
mod tree;
mod upload;

pub use account::{AccountRow, UsernameRow};
pub use blob::{BlobRow, ContentRow, LedgerRow};
pub use memory::{Allowance, AttemptsRow, KeyRow, KnownSourceRow};
pub use reconcile::ReconcileRow;
pub use replica::{ReplicaRow, SegmentRow, waiting_for};
pub use session::{SessionRow, TokenRow};
pub use target::{
    CircuitRow, RosterRow, SamplesRow, SlotRow, TallyRow, WaitingFor, target_partition, waiting_shard,
};
pub use tree::{EntryRow, FileContent, HoldingRow, NodeRow};
pub use upload::{ClaimRow, StoredChallenge, UploadPlace, UploadRow};

use domain::id::{AccountId, BlobId};
use domain::moment::later;
use jiff::{Timestamp, TimestampArithmetic};

/// The present moment, in whole milliseconds: what is stored and shown needs no more.
#[must_use]
pub fn now() -> Timestamp {
    Timestamp::from_millisecond(Timestamp::now().as_millisecond()).unwrap_or_default()
}

/// The moment so long after the present one.
#[must_use]
pub fn from_now(wait: impl Into<TimestampArithmetic>) -> Timestamp {
    later(now(), wait)
}

/// A new random identifier. It says nothing about when or for whom it was made.
///
/// # Panics
/// Never: a UUID is a valid identifier.
#[must_use]
#[expect(clippy::expect_used, reason = "a UUID always is a valid identifier")]
pub fn new_id<T: std::str::FromStr>() -> T {
    uuid::Uuid::new_v4()
        .simple()
        .to_string()
        .parse()
        .ok()
        .expect("a UUID is a valid identifier")
}

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

/// The key of a blob's object in the primary store.
#[must_use]
pub fn object_key(blob: &BlobId) -> String {
    format!("blobs/{blob}")
}
