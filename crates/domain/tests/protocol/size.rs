//! How large a world is, and the numbers of what is in it.

/// How many uploads there are at most. An upload's own blob, and the key of its object, has its number.
pub(crate) const UPLOADS: usize = 3;
/// How many accounts.
pub(crate) const ACCOUNTS: usize = 2;
/// How many contents. All have one part and one size.
pub(crate) const CONTENTS: usize = 2;
/// How many multipart uploads of a key may be begun.
pub(crate) const MULTIPARTS: usize = 3;
/// How many files.
pub(crate) const NODES: usize = 4;
/// How many processes at a time.
pub(crate) const SLOTS: usize = 4;

/// Numbers are small, and fit where they are used as an index.
pub(crate) type Id = u8;
