//! How a file is cut into parts, and what identifies its bytes.
//!
//! The content id is the COMPOSITE SHA-256 that S3 itself computes for a multipart upload: the SHA-256 over
//! the concatenated SHA-256 digests of the parts, with the part count. Part sizes are a pure function of the
//! file size, so equal bytes always have equal content ids.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fmt;
use std::ops::Range;
use std::str::FromStr;

const MIB: u64 = 1024 * 1024;
const GIB: u64 = 1024 * MIB;

/// Most parts a multipart upload may have (Amazon S3 limit).
pub const MAX_PARTS: u32 = 10_000;
/// Smallest part size in bytes; files up to this size have one part.
pub const MIN_PART_SIZE: u64 = 8 * MIB;
/// Largest part size in bytes (Amazon S3 limit).
pub const MAX_PART_SIZE: u64 = 5 * GIB;
/// Largest file in bytes.
pub const MAX_FILE_SIZE: u64 = MAX_PARTS as u64 * MAX_PART_SIZE;

/// The file is larger than [`MAX_FILE_SIZE`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a file may have at most {MAX_FILE_SIZE} bytes, this one has {0}")]
pub struct SizeError(pub u64);

/// How a file of a given size is cut into parts. Parts are numbered from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PartPlan {
    size: u64,
    part_size: u64,
    part_count: u32,
}

impl PartPlan {
    /// The plan for a file of `size` bytes: the smallest power of two, at least [`MIN_PART_SIZE`], that needs
    /// at most [`MAX_PARTS`] parts, capped at [`MAX_PART_SIZE`]. An empty file has one empty part.
    ///
    /// # Errors
    /// [`SizeError`] when no plan fits.
    pub fn for_size(size: u64) -> Result<Self, SizeError> {
        if size > MAX_FILE_SIZE {
            return Err(SizeError(size));
        }
        let needed = size.div_ceil(u64::from(MAX_PARTS));
        let part_size = needed.next_power_of_two().clamp(MIN_PART_SIZE, MAX_PART_SIZE);
        let part_count = u32::try_from(size.div_ceil(part_size).max(1)).map_err(|_| SizeError(size))?;
        Ok(Self {
            size,
            part_size,
            part_count,
        })
    }

    /// The size of the file in bytes.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The size in bytes of every part but the last.
    #[must_use]
    pub fn part_size(&self) -> u64 {
        self.part_size
    }

    /// How many parts there are, at least one.
    #[must_use]
    pub fn part_count(&self) -> u32 {
        self.part_count
    }

    /// The bytes of part `number` (from 1) within the file; `None` when there is no such part.
    #[must_use]
    pub fn range(&self, number: u32) -> Option<Range<u64>> {
        if number == 0 || number > self.part_count {
            return None;
        }
        let start = u64::from(number - 1) * self.part_size;
        Some(start..(start + self.part_size).min(self.size))
    }

    /// The length in bytes of part `number` (from 1); `None` when there is no such part.
    #[must_use]
    pub fn part_length(&self, number: u32) -> Option<u64> {
        self.range(number).map(|range| range.end - range.start)
    }
}

/// A digest or content id that is not written as it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    /// Not the base64 of 32 bytes.
    #[error("a SHA-256 digest is written as the base64 of its 32 bytes (44 characters)")]
    Digest,
    /// Not `<base64 of the digest>-<parts>`.
    #[error("a content id is written as <base64 of a SHA-256 digest>-<number of parts>, 1 to {MAX_PARTS}")]
    ContentId,
}

/// The SHA-256 of one part's bytes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(extend("minLength" = 44, "maxLength" = 44, "pattern" = "^[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=$"))]
pub struct PartDigest([u8; 32]);

impl PartDigest {
    /// The digest of `bytes`.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// Wraps a digest computed elsewhere.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for PartDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&BASE64.encode(self.0))
    }
}

impl fmt::Debug for PartDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PartDigest({self})")
    }
}

impl FromStr for PartDigest {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let bytes = BASE64.decode(text).map_err(|_| ParseError::Digest)?;
        Ok(Self(bytes.try_into().map_err(|_| ParseError::Digest)?))
    }
}

impl TryFrom<String> for PartDigest {
    type Error = ParseError;

    fn try_from(text: String) -> Result<Self, ParseError> {
        text.parse()
    }
}

impl From<PartDigest> for String {
    fn from(digest: PartDigest) -> String {
        digest.to_string()
    }
}

/// Identifies bytes: S3's COMPOSITE SHA-256, written `<base64 of the digest>-<parts>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(extend("maxLength" = 50, "pattern" = "^[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=-[1-9][0-9]{0,4}$"))]
pub struct ContentId {
    digest: PartDigest,
    part_count: u32,
}

impl ContentId {
    /// The content id of a file whose parts, in order, have these digests. `None` unless there are 1 to
    /// [`MAX_PARTS`] of them.
    #[must_use]
    pub fn of_parts(parts: &[PartDigest]) -> Option<Self> {
        let part_count = u32::try_from(parts.len())
            .ok()
            .filter(|count| (1..=MAX_PARTS).contains(count))?;
        let mut hasher = Sha256::new();
        for part in parts {
            hasher.update(part.as_bytes());
        }
        Some(Self {
            digest: PartDigest(hasher.finalize().into()),
            part_count,
        })
    }

    /// How many parts the file has.
    #[must_use]
    pub fn part_count(&self) -> u32 {
        self.part_count
    }
}

impl fmt::Display for ContentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.digest, self.part_count)
    }
}

impl FromStr for ContentId {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let (digest, count) = text.rsplit_once('-').ok_or(ParseError::ContentId)?;
        let digest = digest.parse().map_err(|_| ParseError::ContentId)?;
        let canonical = count.bytes().all(|b| b.is_ascii_digit()) && !count.starts_with('0');
        let part_count = count
            .parse()
            .ok()
            .filter(|n| canonical && (1..=MAX_PARTS).contains(n))
            .ok_or(ParseError::ContentId)?;
        Ok(Self { digest, part_count })
    }
}

impl TryFrom<String> for ContentId {
    type Error = ParseError;

    fn try_from(text: String) -> Result<Self, ParseError> {
        text.parse()
    }
}

impl From<ContentId> for String {
    fn from(id: ContentId) -> String {
        id.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn boundaries_of_the_part_plan() {
        let plan = |size| {
            let plan = PartPlan::for_size(size).unwrap();
            (plan.part_size(), plan.part_count())
        };
        assert_eq!(plan(0), (8 * MIB, 1));
        assert_eq!(plan(1), (8 * MIB, 1));
        assert_eq!(plan(8 * MIB), (8 * MIB, 1));
        assert_eq!(plan(8 * MIB + 1), (8 * MIB, 2));
        assert_eq!(plan(80_000 * MIB), (8 * MIB, 10_000));
        assert_eq!(plan(80_000 * MIB + 1), (16 * MIB, 5_001));
        assert_eq!(plan(10_000 * 4 * GIB), (4 * GIB, 10_000));
        assert_eq!(plan(10_000 * 4 * GIB + 1), (5 * GIB, 8_001));
        assert_eq!(plan(MAX_FILE_SIZE), (5 * GIB, 10_000));
        assert_eq!(
            PartPlan::for_size(MAX_FILE_SIZE + 1),
            Err(SizeError(MAX_FILE_SIZE + 1))
        );
    }

    #[test]
    fn an_empty_file_has_one_empty_part() {
        let plan = PartPlan::for_size(0).unwrap();
        assert_eq!(plan.range(1), Some(0..0));
        assert_eq!(plan.range(2), None);
    }

    // The expected text was computed with Python's hashlib over the formula in the S3 User Guide
    // ("Checking object integrity", composite checksums).
    #[test]
    fn content_id_is_the_composite_checksum() {
        let parts = [PartDigest::of(b"hello "), PartDigest::of(b"world")];
        let id = ContentId::of_parts(&parts).unwrap();
        assert_eq!(id.to_string(), "Zhie15keHg/OBlOZxcoF/BXCgYZaeimRvdZnwUZqkaQ=-2");
        assert_eq!(ContentId::of_parts(&[]), None);
    }

    #[test]
    fn content_ids_have_one_spelling() {
        let digest = PartDigest::of(b"x");
        for bad in [
            "",
            "-1",
            "x-1",
            &format!("{digest}"),
            &format!("{digest}-0"),
            &format!("{digest}-01"),
        ] {
            assert_eq!(bad.parse::<ContentId>(), Err(ParseError::ContentId), "{bad:?}");
        }
        for bad in [
            format!("{digest}-10001"),
            format!("{digest}-+1"),
            format!("{digest}--1"),
        ] {
            assert_eq!(bad.parse::<ContentId>(), Err(ParseError::ContentId), "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn parts_tile_the_file(size in 0..=MAX_FILE_SIZE) {
            let plan = PartPlan::for_size(size).unwrap();
            prop_assert!(plan.part_count() <= MAX_PARTS);
            let mut end = 0;
            for number in [1, plan.part_count() / 2, plan.part_count()] {
                if let Some(range) = plan.range(number) {
                    prop_assert_eq!(range.start, u64::from(number - 1) * plan.part_size());
                    prop_assert!(number == plan.part_count() || range.end - range.start == plan.part_size());
                    end = range.end;
                }
            }
            prop_assert_eq!(end, size);
            prop_assert_eq!(plan.range(0), None);
            prop_assert_eq!(plan.range(plan.part_count() + 1), None);
        }

        #[test]
        fn the_part_size_is_the_smallest_that_fits(size in 0..=MAX_FILE_SIZE) {
            let plan = PartPlan::for_size(size).unwrap();
            let half = if plan.part_size() == MAX_PART_SIZE { 4 * GIB } else { plan.part_size() / 2 };
            prop_assert!(plan.part_size() == MIN_PART_SIZE || size.div_ceil(half) > u64::from(MAX_PARTS));
        }

        #[test]
        fn content_ids_survive_text(parts in prop::collection::vec(any::<[u8; 32]>(), 1..50)) {
            let parts: Vec<_> = parts.into_iter().map(PartDigest::from_bytes).collect();
            let id = ContentId::of_parts(&parts).unwrap();
            prop_assert_eq!(id.to_string().parse::<ContentId>().unwrap(), id);
            let mut other = parts.clone();
            other.reverse();
            prop_assert!(other == parts || ContentId::of_parts(&other) != Some(id));
        }
    }
}
