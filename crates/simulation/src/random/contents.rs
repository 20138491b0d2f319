//! What files have in them: few contents, so that many files have the same.

use crate::person::PART;
use bytes::Bytes;
use host::Rng;
use std::sync::LazyLock;

/// The last two are so long that a proof is asked for, and the last one has two parts.
pub(super) static CONTENTS: LazyLock<Vec<Bytes>> = LazyLock::new(|| {
    let long = |seed: u8, length: usize| -> Bytes {
        (0..length)
            .map(|at| seed.wrapping_add(u8::try_from(at * 7 % 251).unwrap_or_default()))
            .collect()
    };
    vec![
        Bytes::new(),
        Bytes::from_static(b"hello"),
        Bytes::from_static(b"the same as somebody else's"),
        long(1, 70_000),
        long(2, 1_100_000),
        long(3, PART + 5),
    ]
});

/// One of them, a long one seldom.
pub(super) fn some_content(rng: &Rng) -> usize {
    match rng.within(0..30) {
        0..=3 => 0,
        4..=10 => 1,
        11..=16 => 2,
        17..=21 => 3,
        22..=28 => 4,
        _ => 5,
    }
}
