//! How large a world is.

/// How many segments a large blob has.
pub(super) const SEGMENTS: usize = 2;
/// 9 parts of 8 MiB, of which 8 are a segment.
pub(super) const LARGE: u64 = 72 * 1024 * 1024;
/// 2 parts, which are one segment.
pub(super) const MIDDLE: u64 = 16 * 1024 * 1024;
/// One part, put whole.
pub(super) const SMALL: u64 = 5;
/// At most so many workers at a time.
pub(super) const WORKERS: usize = 2;
/// At most so many others.
pub(super) const OTHERS: usize = 2;
