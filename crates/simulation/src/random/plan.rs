//! What is lived in a world.

use super::faults::FaultKey;
use host::Rng;
use std::collections::BTreeSet;

/// What is lived in a world.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// What everything comes from.
    pub seed: u64,
    /// How many clients there are at once.
    pub clients: usize,
    /// How many accounts they have.
    pub accounts: usize,
    /// How many things each of them does.
    pub steps: usize,
    /// For how many seconds an upload stays open.
    pub expiry: u32,
    /// How many bytes an account may have.
    pub quota: u32,
    /// Of a thousand calls so many fail.
    pub failing: u64,
    /// Of a thousand requests and answers so many are slow: others overtake them.
    pub slow: u64,
    /// For how many seconds a message that is being worked on is hidden from others.
    pub visibility: u32,
    /// Whether now and then nothing happens for so long that what nobody needs is reclaimed.
    pub pauses: bool,
    /// How many versions of a file are kept.
    pub versions: u32,
    /// Whether the operator does something.
    pub operator: bool,
    /// A condition of a write that always holds.
    pub without: Option<String>,
    /// The calls that fail; none leaves it to `failing`.
    pub only: Option<BTreeSet<FaultKey>>,
}

impl Plan {
    /// The world of a seed.
    #[must_use]
    pub fn of(seed: u64) -> Self {
        let rng = Rng::seeded(seed ^ 0x5eed);
        Self {
            seed,
            clients: rng.within(3..=5),
            accounts: rng.within(1..=3),
            steps: rng.within(6..=11),
            expiry: [60, 7200][rng.within(0..2_usize)],
            quota: [1_200_000, 1_000_000_000][rng.within(0..2_usize)],
            failing: [0, 5, 20, 40][rng.within(0..4_usize)],
            visibility: [120, 120, 4][rng.within(0..3_usize)],
            pauses: rng.within(0..4) == 0,
            slow: [0, 50, 200, 400][rng.within(0..4_usize)],
            operator: rng.within(0..2) == 0,
            versions: [0, 1, 2, 20][rng.within(0..4_usize)],
            without: None,
            only: None,
        }
    }
}
