//! Where an item of the table is.

/// The primary key of an item.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// Partition key.
    pub pk: String,
    /// Sort key.
    pub sk: String,
}

/// The sort key of an account.
pub(crate) const ACCOUNT: &str = "ACCOUNT";
/// The sort key of a blob.
pub(crate) const BLOB: &str = "BLOB";
