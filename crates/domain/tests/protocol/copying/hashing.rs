//! Worlds are hashed all the time, and consist of many small things: collecting them first is faster than hashing each.

use super::world::World;
use std::hash::{Hash, Hasher};

/// What is to be hashed.
struct Bytes {
    bytes: [u8; Self::MOST],
    length: usize,
}

impl Bytes {
    const MOST: usize = 512;
}

impl Hasher for Bytes {
    fn write(&mut self, bytes: &[u8]) {
        let end = self.length + bytes.len();
        self.bytes[self.length..end].copy_from_slice(bytes);
        self.length = end;
    }

    fn write_u8(&mut self, number: u8) {
        self.bytes[self.length] = number;
        self.length += 1;
    }

    /// Which variant of an enum it is: there are less than 256.
    fn write_isize(&mut self, number: isize) {
        self.write_u8(number.to_le_bytes()[0]);
    }

    /// How long an array is.
    fn write_usize(&mut self, number: usize) {
        self.write_u8(number.to_le_bytes()[0]);
    }

    fn finish(&self) -> u64 {
        unreachable!("it only collects")
    }
}

impl Hash for World {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let Self {
            replica,
            segments,
            counters,
            target,
            queue,
            letters,
            marked,
            open,
            workers,
            others,
            troubles,
            seen,
        } = self;
        let mut bytes = Bytes {
            bytes: [0; Bytes::MOST],
            length: 0,
        };
        (replica, segments, counters, target, queue, letters, marked, open).hash(&mut bytes);
        (workers, others, troubles, seen).hash(&mut bytes);
        state.write(&bytes.bytes[..bytes.length]);
    }
}
