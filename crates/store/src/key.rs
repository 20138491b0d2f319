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
/// What the sort keys of things in the trash begin with.
pub(crate) const TRASH: &str = "TRASH";
/// What the sort keys of versions of files begin with.
pub(crate) const VERSION: &str = "VERSION";
/// The sort key of what says that a trash was emptied.
pub(crate) const EMPTIED: &str = "EMPTIED";
