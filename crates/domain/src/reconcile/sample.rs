//! Which blobs and replicas a pass checks one by one with a HEAD.

use crate::id::BlobId;

/// One in `one_in`, others in each pass, so that after as many passes each was checked once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sample {
    /// One or zero is all.
    pub one_in: u64,
    /// The number of the pass.
    pub pass: u64,
}

impl Sample {
    /// Whether it has this blob.
    #[must_use]
    pub fn has(&self, blob: &BlobId) -> bool {
        self.takes(hash(blob.as_str().as_bytes()))
    }

    /// Whether it has the replica of this blob at this target. Those of one blob are checked in different passes.
    #[must_use]
    pub fn has_replica(&self, blob: &BlobId, target: &str) -> bool {
        let separated = [blob.as_str(), "#", target].concat();
        self.takes(hash(separated.as_bytes()))
    }

    fn takes(&self, number: u64) -> bool {
        let one_in = self.one_in.max(1);
        number % one_in == self.pass % one_in
    }
}

/// FNV-1a: the same on every machine and in every release, so that nothing is left out between two of them.
fn hash(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn blob(number: u128) -> BlobId {
        format!("{number:032x}").parse().unwrap()
    }

    proptest! {
        #[test]
        fn each_is_asked_about_once_in_as_many_passes(id in any::<u128>(), one_in in 1u64..200, first in 0u64..1000) {
            let passes = (first..first + one_in).map(|pass| Sample { one_in, pass });
            let blob = blob(id);
            prop_assert_eq!(passes.clone().filter(|sample| sample.has(&blob)).count(), 1);
            prop_assert_eq!(passes.filter(|sample| sample.has_replica(&blob, "a")).count(), 1);
        }
    }

    #[test]
    fn each_pass_asks_about_its_share() {
        // A product that spreads: ids are random.
        let ids: Vec<BlobId> = (0..12_000_u128)
            .map(|n| blob(n.wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835)))
            .collect();
        for pass in 0..12 {
            let sample = Sample { one_in: 12, pass };
            let (blobs, replicas) = ids.iter().fold((0, 0), |(blobs, replicas), id| {
                (
                    blobs + u32::from(sample.has(id)),
                    replicas + u32::from(sample.has_replica(id, "ceph")),
                )
            });
            assert!((850..1150).contains(&blobs), "{pass}: {blobs}");
            assert!((850..1150).contains(&replicas), "{pass}: {replicas}");
        }
    }

    #[test]
    fn one_in_one_is_all() {
        for one_in in [0, 1] {
            assert!((0..100).all(|n| Sample { one_in, pass: 7 }.has(&blob(n))));
        }
    }
}
