//! Bytes to store, new ones every time: equal bytes would be stored once, and one test would see another.

use bytes::Bytes;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

pub(crate) const MIB: usize = 1024 * 1024;
/// The part size of files up to 80,000 MiB.
pub(crate) const PART: usize = 8 * MIB;

/// A number that no other call has got, in this process or another.
pub(crate) fn unique() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let nanos = u64::try_from(now.as_nanos() & u128::from(u64::MAX >> 1)).unwrap();
    nanos.wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed) << 40)
}

/// Bytes that nobody has stored yet, different in every part.
pub(crate) fn fresh(length: usize) -> Bytes {
    let mut state = unique().wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes.truncate(length);
    bytes.into()
}
