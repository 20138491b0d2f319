//! Proof of possession: a client that wants a file without sending its bytes has to prove that it has them.
//!
//! A [`Challenge`] names byte ranges, one at an unforeseeable place in each of [`RANGES`] equal slices of the file, and a
//! nonce. One account is always asked for the same ranges of a blob, however often it starts again: a client that lacks some of them
//! gains nothing by retrying. The nonce is new each time, so that an old answer is worthless.
//!
//! The answer is HMAC-SHA256 (RFC 2104) with the nonce as key over the bytes of the ranges, one after the other. It is
//! worthless for any other challenge, and it takes bytes of every slice: a client that lacks a run of two
//! slices always fails, and one that lacks a share `m` scattered over the file passes with a probability of `(1 - m)^32`
//! at most.

use crate::id::{AccountId, BlobId};
use crate::time::saturating_add;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use hmac::digest::array::Array;
use hmac::digest::consts::U32;
use hmac::{Hmac, KeyInit, Mac};
use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fmt;
use std::str::FromStr;

/// Files smaller than this are simply sent: that costs little more than a proof, and contents small enough to be guessed
/// are never asked about.
pub const MIN_SIZE: u64 = 1024 * 1024;
/// How many ranges a challenge has.
pub const RANGES: u32 = 32;
/// How long each range is, in bytes.
pub const RANGE_LENGTH: u64 = 4096;
/// How long a challenge can be answered.
pub const LIFETIME: SignedDuration = SignedDuration::from_mins(5);

/// What asking for a content that the account does not have costs of its hourly allowance, whatever the result: that
/// there is such a content is already an answer.
pub const LOOK_UP_COST: u64 = 1;
/// The hourly allowance of one source address, in allowances of an account.
pub const ACCOUNTS_AT_A_SOURCE: u64 = 10;
/// What a wrong or late answer costs in addition.
pub const FAILURE_COST: u64 = 10;

/// A text that is not 32 bytes in base64.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a nonce or proof is written as the base64 of its 32 bytes (44 characters)")]
pub struct ParseError;

macro_rules! bytes32 {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
        #[schemars(extend("minLength" = 44, "maxLength" = 44, "pattern" = "^[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=$"))]
        #[serde(try_from = "String", into = "String")]
        pub struct $name([u8; 32]);

        impl $name {
            /// Wraps 32 bytes.
            #[must_use]
            pub fn from_bytes(bytes: [u8; 32]) -> Self {
                Self(bytes)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(hidden)"))
            }
        }

        impl FromStr for $name {
            type Err = ParseError;

            fn from_str(text: &str) -> Result<Self, ParseError> {
                let bytes = BASE64.decode(text).map_err(|_| ParseError)?;
                Ok(Self(bytes.try_into().map_err(|_| ParseError)?))
            }
        }

        impl TryFrom<String> for $name {
            type Error = ParseError;

            fn try_from(text: String) -> Result<Self, ParseError> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(value: $name) -> String {
                BASE64.encode(value.0)
            }
        }
    };
}

bytes32!(
    /// The key of one challenge's HMAC. Never used twice.
    Nonce
);
bytes32!(
    /// The answer to a challenge.
    Proof
);

/// Some bytes of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ByteRange {
    /// Where they begin, from 0.
    pub offset: u64,
    /// How many they are.
    pub length: u64,
}

/// What has to be answered to get a file without sending its bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Challenge {
    /// The key of the HMAC.
    pub nonce: Nonce,
    /// The bytes that it is made of, in this order.
    pub ranges: Vec<ByteRange>,
    /// When it is too late to answer.
    pub expires_at: Timestamp,
}

impl Challenge {
    /// The challenge for this account about a blob of `size` bytes, made at `now`. The places of the ranges follow from the
    /// ids of both: no account can choose its own, nor know the blob's before.
    #[must_use]
    pub fn draw(account: &AccountId, blob: &BlobId, size: u64, nonce: Nonce, now: Timestamp) -> Self {
        let slices = u128::from(RANGES);
        let boundary = |slice: u128| {
            let at = u128::from(size) * slice / slices;
            u64::try_from(at).unwrap_or(size)
        };
        let ranges = (0..slices).map(|slice| {
            let (start, end) = (boundary(slice), boundary(slice + 1));
            let length = RANGE_LENGTH.min(end - start);
            let room = end - start - length;
            // The remainder of a 64-bit number by one this small is as good as uniform.
            let offset = start + number_of(account, blob, slice) % (room + 1);
            ByteRange { offset, length }
        });
        Self {
            nonce,
            ranges: ranges.filter(|range| range.length > 0).collect(),
            expires_at: saturating_add(now, LIFETIME),
        }
    }

    /// Takes the bytes of the ranges, in their order.
    #[must_use]
    pub fn prover(&self) -> Prover {
        // A key shorter than a block is filled up with zeros (RFC 2104).
        let key = Array::<u8, U32>::from(self.nonce.0).concat::<U32>(Array::default());
        Prover(Hmac::new(&key))
    }
}

/// A number that cannot be predicted without knowing both ids. Ids have no zero bytes.
fn number_of(account: &AccountId, blob: &BlobId, slice: u128) -> u64 {
    let digest = Sha256::digest(format!("range\0{account}\0{blob}\0{slice}"));
    digest
        .iter()
        .take(8)
        .fold(0, |number, byte| number << 8 | u64::from(*byte))
}

/// An answer in the making.
pub struct Prover(Hmac<Sha256>);

impl Prover {
    /// Takes the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The answer.
    #[must_use]
    pub fn proof(self) -> Proof {
        Proof(self.0.finalize().into_bytes().into())
    }

    /// Whether `proof` is the answer. Takes the same time whatever it is.
    #[must_use]
    pub fn accepts(self, proof: &Proof) -> bool {
        self.0.verify_slice(&proof.0).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn draw(size: u64, account: u64) -> Challenge {
        let (account, blob) = (account.to_string().parse().unwrap(), "b".parse().unwrap());
        let nonce = Nonce::from_bytes([7; 32]);
        Challenge::draw(&account, &blob, size, nonce, Timestamp::UNIX_EPOCH)
    }

    fn prove(challenge: &Challenge, bytes: &[u8]) -> Proof {
        let mut prover = challenge.prover();
        for range in &challenge.ranges {
            let start = usize::try_from(range.offset).unwrap();
            prover.update(&bytes[start..start + usize::try_from(range.length).unwrap()]);
        }
        prover.proof()
    }

    // What Python's `hmac.new(b"\x07" * 32, b"hello world", "sha256")` returns.
    #[test]
    fn the_answer_is_hmac_sha256() {
        let mut prover = draw(0, 1).prover();
        prover.update(b"hello ");
        prover.update(b"world");
        let proof = "TXB/lQYVvEeqHIJ9IjFwXGRnZhXe7vsOLQq0gkRjgY0=";
        assert_eq!(String::from(prover.proof()), proof);
    }

    #[test]
    fn nonces_and_proofs_stay_out_of_logs() {
        let challenge = draw(100, 1);
        let text = String::from(challenge.nonce);
        assert!(!format!("{challenge:?}").contains(&text));
        assert_eq!(text.parse::<Nonce>().unwrap(), challenge.nonce);
        for bad in ["", "x", &text[1..], "AAAA"] {
            assert_eq!(bad.parse::<Proof>(), Err(ParseError), "{bad:?}");
        }
    }

    #[test]
    fn one_wrong_byte_in_a_range_or_another_nonce_is_a_wrong_answer() {
        let bytes: Vec<u8> = (0..1_100_000u32).map(|n| (n % 251) as u8).collect();
        let challenge = draw(bytes.len() as u64, 1);
        let proof = prove(&challenge, &bytes);
        assert!(accepts(&challenge, &bytes, &proof));
        for range in &challenge.ranges {
            let mut other = bytes.clone();
            other[usize::try_from(range.offset + range.length - 1).unwrap()] ^= 1;
            assert!(!accepts(&challenge, &other, &proof));
        }
        let nonce = Nonce::from_bytes([8; 32]);
        assert!(!accepts(&Challenge { nonce, ..challenge }, &bytes, &proof));
    }

    fn accepts(challenge: &Challenge, bytes: &[u8], proof: &Proof) -> bool {
        prove(challenge, bytes) == *proof
    }

    proptest! {
        #[test]
        fn every_slice_is_asked_about(size in 0..=crate::content::MAX_FILE_SIZE, account: u64) {
            let challenge = draw(size, account);
            let mut end = 0;
            for range in &challenge.ranges {
                prop_assert!(range.offset >= end, "in order, without overlap");
                prop_assert!((1..=RANGE_LENGTH).contains(&range.length));
                end = range.offset + range.length;
            }
            prop_assert!(end <= size);
            prop_assert_eq!(&draw(size, account), &challenge, "drawing again gains nothing");
            if size >= MIN_SIZE {
                prop_assert_ne!(&draw(size, account ^ 1).ranges, &challenge.ranges);
                prop_assert_eq!(challenge.ranges.len(), 32);
                prop_assert!(challenge.ranges.iter().all(|range| range.length == RANGE_LENGTH));
                // Two slices that lie side by side cannot both be missing.
                let starts = challenge.ranges.windows(2).all(|pair| pair[1].offset - pair[0].offset <= size / 16 + 1);
                prop_assert!(starts);
            }
        }
    }
}
