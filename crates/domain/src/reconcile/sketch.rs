//! Which blobs have no object, in a few kilobytes however many there are.
//!
//! The listing of the bucket comes in the order of the keys, the rows in no order at all, so neither can be looked up in the
//! other without asking about each. Instead every blob that has an object is added to a sketch, and every blob that should have one
//! is taken out again: what is left is the difference of the two sets, and as long as that is small it can be read out, id by id (an
//! invertible Bloom lookup table: <https://arxiv.org/abs/1101.2245>). When it is too large for that, the sketch says so.

use crate::id::BlobId;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde::{Deserialize, Serialize};

/// Each id is in one cell of each table. With fewer tables two ids would have the same cells too often.
const TABLES: usize = 4;
/// Cells of a table. So many can be read out nearly always while no more than a hundred ids differ.
const WIDTH: usize = 48;
/// Bytes of a cell, written down.
const CELL: usize = 2 + 16 + 2;

/// The sum of the ids that were put into a cell, less those that were taken out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Cell {
    /// How many more were put in. Only whether it is one, none or minus one matters, so it may run over.
    count: i16,
    ids: u128,
    /// Tells one id from the sum of some.
    checks: u16,
}

/// The difference of two sets of blobs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Sketch(Vec<Cell>);

/// The differences between two sets.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Difference {
    /// Added, and not taken out.
    pub added: Vec<BlobId>,
    /// Taken out, and not added.
    pub taken: Vec<BlobId>,
}

/// A text that is no sketch.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a sketch")]
pub struct NoSketch;

impl Default for Sketch {
    fn default() -> Self {
        Self(vec![Cell::default(); TABLES * WIDTH])
    }
}

impl Sketch {
    /// Adds a blob. Returns whether it could: only ids that Longshore made can be added.
    #[must_use]
    pub fn add(&mut self, blob: &BlobId) -> bool {
        self.count(blob, 1)
    }

    /// Removes a blob. Returns whether it could, as [`Sketch::add`] does.
    #[must_use]
    pub fn take(&mut self, blob: &BlobId) -> bool {
        self.count(blob, -1)
    }

    fn count(&mut self, blob: &BlobId, by: i16) -> bool {
        let Some(id) = number(blob) else { return false };
        self.change(id, by);
        true
    }

    fn change(&mut self, id: u128, by: i16) {
        for place in places(id) {
            let Some(cell) = self.0.get_mut(place) else {
                continue;
            };
            cell.count = cell.count.wrapping_add(by);
            cell.ids ^= id;
            cell.checks ^= check(id);
        }
    }

    /// What was added or taken out, and not both. `None`: that is too much to be told from it.
    #[must_use]
    pub fn difference(&self) -> Option<Difference> {
        let mut left = self.clone();
        let mut found = Difference::default();
        // Each round reads out one; no sketch can hold more.
        for _ in 0..TABLES * WIDTH {
            let Some((id, count)) = left.single() else { break };
            left.change(id, -count);
            let list = if count > 0 {
                &mut found.added
            } else {
                &mut found.taken
            };
            list.extend(format!("{id:032x}").parse::<BlobId>());
        }
        (left == Self::default()).then_some(found)
    }

    /// An id that is alone in a cell.
    fn single(&self) -> Option<(u128, i16)> {
        let mut cells = self.0.iter().enumerate();
        cells.find_map(|(place, cell)| {
            let alone =
                cell.count.abs() == 1 && check(cell.ids) == cell.checks && places(cell.ids).contains(&place);
            alone.then_some((cell.ids, cell.count))
        })
    }
}

/// An id as Longshore makes them, as a number.
fn number(blob: &BlobId) -> Option<u128> {
    let number = u128::from_str_radix(blob.as_str(), 16).ok()?;
    (format!("{number:032x}") == blob.as_str()).then_some(number)
}

/// The cells of an id.
fn places(id: u128) -> [usize; TABLES] {
    let mut table = 0;
    [(); TABLES].map(|()| {
        table += 1;
        let within = mixed(id, table) % (WIDTH as u64);
        (usize::try_from(table).unwrap_or(1) - 1) * WIDTH + usize::try_from(within).unwrap_or_default()
    })
}

fn check(id: u128) -> u16 {
    let [low, high, ..] = mixed(id, 0).to_le_bytes();
    u16::from_le_bytes([low, high])
}

/// Half of `SplitMix64` over both halves of an id: always the same, and different for each `seed`.
fn mixed(id: u128, seed: u64) -> u64 {
    let bytes = id.to_le_bytes();
    let (low, high) = bytes.split_at(8);
    let half = |bytes: &[u8]| {
        bytes
            .iter()
            .rev()
            .fold(0_u64, |all, byte| (all << 8) | u64::from(*byte))
    };
    let mix = |mut word: u64| {
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        word ^ (word >> 31)
    };
    let seed = (seed + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mix(mix(half(low).wrapping_add(seed)) ^ half(high))
}

impl From<Sketch> for String {
    fn from(sketch: Sketch) -> Self {
        let bytes = sketch.0.iter().flat_map(|cell| {
            let mut bytes = cell.count.to_le_bytes().to_vec();
            bytes.extend(cell.ids.to_le_bytes());
            bytes.extend(cell.checks.to_le_bytes());
            bytes
        });
        BASE64_STANDARD.encode(bytes.collect::<Vec<u8>>())
    }
}

impl TryFrom<String> for Sketch {
    type Error = NoSketch;

    fn try_from(text: String) -> Result<Self, NoSketch> {
        let bytes = BASE64_STANDARD.decode(text).map_err(|_| NoSketch)?;
        if bytes.len() != TABLES * WIDTH * CELL {
            return Err(NoSketch);
        }
        let cell = |bytes: &[u8]| {
            let (count, rest) = bytes.split_first_chunk()?;
            let (ids, rest) = rest.split_first_chunk()?;
            Some(Cell {
                count: i16::from_le_bytes(*count),
                ids: u128::from_le_bytes(*ids),
                checks: u16::from_le_bytes(rest.try_into().ok()?),
            })
        };
        let cells: Option<Vec<Cell>> = bytes.chunks(CELL).map(cell).collect();
        cells.map(Self).ok_or(NoSketch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    fn blob(number: u128) -> BlobId {
        format!("{number:032x}").parse().unwrap()
    }

    /// Ids as random as those that are made.
    fn random(number: u64) -> u128 {
        (u128::from(mixed(number.into(), 100)) << 64) | u128::from(mixed(number.into(), 101))
    }

    fn sketch(added: impl IntoIterator<Item = u128>, taken: impl IntoIterator<Item = u128>) -> Sketch {
        let mut sketch = Sketch::default();
        for id in added {
            assert!(sketch.add(&blob(id)));
        }
        for id in taken {
            assert!(sketch.take(&blob(id)));
        }
        sketch
    }

    proptest! {
        // In whatever order, and read from a text in the middle: what differs comes out, and nothing else.
        #[test]
        fn what_differs_comes_out(
            both in prop::collection::btree_set(any::<u128>(), 0..300),
            added in prop::collection::btree_set(any::<u128>(), 0..30),
            taken in prop::collection::btree_set(any::<u128>(), 0..30),
        ) {
            let (added, taken): (BTreeSet<_>, BTreeSet<_>) =
                (added.difference(&taken).copied().collect(), taken.difference(&added).copied().collect());
            let both: BTreeSet<_> = both.into_iter().filter(|id| !added.contains(id) && !taken.contains(id)).collect();
            let first = sketch(both.iter().chain(&added).copied(), []);
            let text = serde_json::to_string(&first).unwrap();
            let mut second: Sketch = serde_json::from_str(&text).unwrap();
            prop_assert_eq!(&second, &first);
            for id in taken.iter().chain(both.iter()) {
                prop_assert!(second.take(&blob(*id)));
            }
            if let Some(found) = second.difference() {
                let ids = |list: Vec<BlobId>| list.into_iter().collect::<BTreeSet<_>>();
                prop_assert_eq!(ids(found.added), added.iter().copied().map(blob).collect::<BTreeSet<_>>());
                prop_assert_eq!(ids(found.taken), taken.iter().copied().map(blob).collect::<BTreeSet<_>>());
            } else {
                prop_assert!(added.len() + taken.len() > 2, "so few always come out");
            }
        }
    }

    /// So many come out nearly always, however many are the same.
    #[test]
    fn a_hundred_come_out() {
        let mut told = 0;
        for run in 0..200 {
            let ids = |count: u64| (0..count).map(move |n| random(run * 10_000 + n));
            let sketch = sketch(ids(1100), ids(1000));
            told += usize::from(sketch.difference().is_some_and(|found| found.added.len() == 100));
        }
        assert!(told >= 198, "{told} of 200");
    }

    #[test]
    fn what_is_too_much_is_not_guessed() {
        for count in [400, 1000, 100_000] {
            let sketch = sketch([], (0..count).map(random));
            assert_eq!(sketch.difference(), None, "{count}");
        }
    }

    #[test]
    fn what_is_no_sketch_is_not_read_and_strange_ids_are_not_added() {
        assert_eq!(Sketch::try_from("AAAA".to_owned()), Err(NoSketch));
        assert_eq!(Sketch::try_from("?".to_owned()), Err(NoSketch));
        let mut sketch = Sketch::default();
        for strange in [
            "a",
            "0123456789ABCDEF0123456789ABCDEF",
            "+123456789abcdef0123456789abcdef",
        ] {
            if let Ok(id) = strange.parse() {
                assert!(!sketch.add(&id), "{strange}");
            }
        }
        assert_eq!(sketch, Sketch::default());
        assert!(String::from(sketch).len() < 6000, "it is written with each page");
    }
}
