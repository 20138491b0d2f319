//! MD5 and CRC-64, and what a client says of them.

use crate::disk::random_id;
use crate::refusal::Refusal;
use crate::request::Head;
use crate::settings::Etags;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use crc_fast::{CrcAlgorithm, checksum_combine};
use md5::{Digest, Md5};

/// The variant that OSS calls ECMA-182.
const ALGORITHM: CrcAlgorithm = CrcAlgorithm::Crc64Xz;

/// Both checksums of bytes that come piece by piece.
pub(crate) struct Checksums {
    md5: Md5,
    crc64: crc_fast::Digest,
    size: u64,
}

/// What they came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sums {
    pub(crate) md5: [u8; 16],
    pub(crate) crc64: u64,
    pub(crate) size: u64,
}

impl Checksums {
    pub(crate) fn new() -> Self {
        Self {
            md5: Md5::new(),
            crc64: crc_fast::Digest::new(ALGORITHM),
            size: 0,
        }
    }

    pub(crate) fn update(&mut self, bytes: &[u8]) {
        self.md5.update(bytes);
        self.crc64.update(bytes);
        self.size += bytes.len() as u64;
    }

    pub(crate) fn finish(self) -> Sums {
        Sums {
            md5: self.md5.finalize().into(),
            crc64: self.crc64.finalize(),
            size: self.size,
        }
    }
}

impl Sums {
    /// The `ETag` of what was sent in one request, without quotation marks.
    pub(crate) fn etag(&self, etags: Etags) -> String {
        match etags {
            Etags::Md5 => hex::encode_upper(self.md5),
            Etags::Random => random_id(),
        }
    }
}

/// The checksum of parts one after the other, from checksum and size of each.
pub(crate) fn combined_crc64(parts: impl Iterator<Item = (u64, u64)>) -> u64 {
    parts.fold(0, |crc64, (next, size)| {
        checksum_combine(ALGORITHM, crc64, next, size)
    })
}

/// What a client says that the bytes must be.
pub(crate) struct Announced {
    md5: Option<[u8; 16]>,
    crc64: Option<u64>,
}

impl Announced {
    /// Of a body of a file's bytes.
    pub(crate) fn of(head: &Head) -> Result<Self, Refusal> {
        Ok(Self {
            crc64: announced_crc64(head)?,
            ..Self::of_md5(head)?
        })
    }

    /// Of a body of XML. A CRC-64 in its head is not about the body.
    pub(crate) fn of_md5(head: &Head) -> Result<Self, Refusal> {
        let md5 = head.header("content-md5").map(|text| {
            let bytes = STANDARD.decode(text).ok();
            let bytes = bytes.and_then(|bytes| bytes.try_into().ok());
            bytes.ok_or_else(|| invalid_digest(text))
        });
        Ok(Self {
            md5: md5.transpose()?,
            crc64: None,
        })
    }

    /// Refuses bytes that are not those.
    pub(crate) fn check(&self, sums: &Sums) -> Result<(), Refusal> {
        if let Some(md5) = self.md5
            && md5 != sums.md5
        {
            return Err(invalid_digest(&STANDARD.encode(md5)));
        }
        if self.crc64.is_some_and(|crc64| crc64 != sums.crc64) {
            return Err(wrong_crc64(sums.crc64));
        }
        Ok(())
    }
}

/// The CRC-64 that a client says that an object or part must have.
pub(crate) fn announced_crc64(head: &Head) -> Result<Option<u64>, Refusal> {
    let text = head.header("x-oss-hash-crc64ecma");
    let number = text.map(|text| {
        text.parse().map_err(|_| {
            Refusal::invalid_argument("x-oss-hash-crc64ecma must be an unsigned decimal number.")
                .field("ArgumentName", "x-oss-hash-crc64ecma")
                .field("ArgumentValue", text)
        })
    });
    number.transpose()
}

fn invalid_digest(text: &str) -> Refusal {
    Refusal::bad_request("InvalidDigest", "The Content-MD5 you specified was invalid.")
        .field("Content-MD5", text)
}

/// What OSS says here is not documented; it does document that the header is for checking.
pub(crate) fn wrong_crc64(calculated: u64) -> Refusal {
    Refusal::bad_request(
        "InvalidCRC",
        "The x-oss-hash-crc64ecma you specified did not match what we received.",
    )
    .field("CalculatedCRC64", calculated.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sums(bytes: &[u8]) -> Sums {
        let mut checksums = Checksums::new();
        bytes.chunks(7).for_each(|chunk| checksums.update(chunk));
        checksums.finish()
    }

    #[test]
    fn checksums_are_those_of_the_standards() {
        let sums = sums(b"123456789");
        assert_eq!(sums.crc64, 11_051_210_869_376_104_954);
        assert_eq!(sums.etag(Etags::Md5), "25F9E794323B453885F5181F1B624D0B");
        assert_eq!(sums.size, 9);
    }

    #[test]
    fn checksums_of_parts_make_that_of_the_whole() {
        let whole: Vec<u8> = (0..100_000_u32).map(|number| (number % 251) as u8).collect();
        for cuts in [vec![], vec![0], vec![1, 2], vec![50_000, 50_000, 99_999]] {
            let mut parts = Vec::new();
            let mut start = 0;
            for end in cuts.into_iter().chain([whole.len()]) {
                let part = sums(&whole[start..end]);
                parts.push((part.crc64, part.size));
                start = end;
            }
            assert_eq!(combined_crc64(parts.into_iter()), sums(&whole).crc64);
        }
        assert_eq!(combined_crc64(std::iter::empty()), sums(b"").crc64);
    }
}
