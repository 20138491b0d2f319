//! The checksums of S3, and whether a body has those that are said of it.

use super::refusal::Refusal;
use super::request::Request;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use crc_fast::CrcAlgorithm::Crc32IsoHdlc;
use http::HeaderName;
use md5::Md5;
use sha2::{Digest, Sha256};

/// An algorithm that the double knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Algorithm {
    Crc32,
    Sha256,
}

impl Algorithm {
    /// As it is written in the names of headers.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Crc32 => "crc32",
            Self::Sha256 => "sha256",
        }
    }

    /// The header that has such a checksum.
    pub(crate) fn header(self) -> HeaderName {
        HeaderName::from_static(match self {
            Self::Crc32 => "x-amz-checksum-crc32",
            Self::Sha256 => "x-amz-checksum-sha256",
        })
    }

    fn of(self, bytes: &[u8]) -> String {
        match self {
            Self::Crc32 => {
                let sum = crc_fast::checksum(Crc32IsoHdlc, bytes);
                BASE64.encode(&sum.to_be_bytes()[4..])
            }
            Self::Sha256 => BASE64.encode(Sha256::digest(bytes)),
        }
    }

    /// Whether a text is a checksum at all.
    fn could_be(self, text: &str) -> bool {
        let length = match self {
            Self::Crc32 => 4,
            Self::Sha256 => 32,
        };
        BASE64.decode(text).is_ok_and(|bytes| bytes.len() == length)
    }
}

/// A checksum of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Checksum {
    pub(crate) algorithm: Algorithm,
    /// In base64. That of an object made of parts has `-<parts>` at the end.
    pub(crate) value: String,
}

impl Checksum {
    /// `FULL_OBJECT` is of the bytes, `COMPOSITE` of the checksums of the parts.
    pub(crate) fn kind(&self) -> &'static str {
        if self.value.contains('-') {
            "COMPOSITE"
        } else {
            "FULL_OBJECT"
        }
    }

    /// It, if it is a SHA-256.
    pub(crate) fn sha256(&self) -> Option<String> {
        (self.algorithm == Algorithm::Sha256).then(|| self.value.clone())
    }
}

/// What is known of a body.
#[derive(Debug)]
pub(crate) struct Sums {
    pub(crate) md5: [u8; 16],
    /// The one that was said.
    pub(crate) checksum: Option<Checksum>,
}

/// The SHA-256 of the SHA-256s of parts, each in base64, without their number; `None` when one is none.
pub(crate) fn composite<'a>(digests: impl Iterator<Item = &'a str>) -> Option<String> {
    let mut sha256 = Sha256::new();
    for digest in digests {
        sha256.update(BASE64.decode(digest).ok()?);
    }
    Some(BASE64.encode(sha256.finalize()))
}

/// Whether a text is the base64 of 32 bytes.
pub(crate) fn is_sha256(text: &str) -> bool {
    Algorithm::Sha256.could_be(text)
}

/// Fails unless the body has the checksums that are said of it.
pub(crate) fn verify(request: &Request<'_>) -> Result<Sums, Refusal> {
    Ok(Sums {
        md5: verify_md5(request)?,
        checksum: verify_checksum(request)?,
    })
}

fn verify_md5(request: &Request<'_>) -> Result<[u8; 16], Refusal> {
    let computed: [u8; 16] = Md5::digest(request.body()).into();
    let Some(said) = request.header("content-md5") else {
        return Ok(computed);
    };
    let bytes = BASE64.decode(said).ok().filter(|bytes| bytes.len() == 16);
    let Some(bytes) = bytes else {
        return Err(Refusal::new(
            400,
            "InvalidDigest",
            "The Content-MD5 you specified was invalid.",
        ));
    };
    if bytes != computed {
        let text = "The Content-MD5 you specified did not match what we received.";
        return Err(Refusal::new(400, "BadDigest", text));
    }
    Ok(computed)
}

fn verify_checksum(request: &Request<'_>) -> Result<Option<Checksum>, Refusal> {
    let said = |algorithm: Algorithm| Some((algorithm, request.header(algorithm.header().as_str())?));
    let named = request.header("x-amz-sdk-checksum-algorithm");
    let (algorithm, value) = match (said(Algorithm::Crc32), said(Algorithm::Sha256)) {
        (None, None) if named.is_some() => {
            let text = "x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or x-amz-trailer \
                        headers were found.";
            return Err(Refusal::invalid_request(text));
        }
        (None, None) => return Ok(None),
        (Some(one), None) | (None, Some(one)) => one,
        (Some(_), Some(_)) => {
            let text = "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.";
            return Err(Refusal::invalid_request(text));
        }
    };
    if named.is_some_and(|named| !named.eq_ignore_ascii_case(algorithm.name())) {
        return Err(Refusal::invalid_header("x-amz-sdk-checksum-algorithm"));
    }
    if !algorithm.could_be(value) {
        return Err(Refusal::invalid_header(algorithm.header().as_str()));
    }
    if value != algorithm.of(request.body()) {
        let text = format!(
            "The {} you specified did not match the calculated checksum.",
            algorithm.name().to_ascii_uppercase()
        );
        return Err(Refusal::new(400, "BadDigest", text));
    }
    let value = value.to_owned();
    Ok(Some(Checksum { algorithm, value }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksums_as_others_compute_them() {
        // "123456789", whose CRC-32 is known as its check value.
        assert_eq!(
            Algorithm::Crc32.of(b"123456789"),
            BASE64.encode([0xcb, 0xf4, 0x39, 0x26])
        );
        // Measured at AWS, for the tests of OpenStack Swift.
        let (digest, of_digest) = (
            "FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiU=",
            "KSsNAHVmgy25S/rmic1w0at3KBH9RLn0nYVQ7p6mpJQ=",
        );
        assert_eq!(composite([digest].into_iter()).unwrap(), of_digest);
        assert!(is_sha256(digest));
        assert!(!is_sha256(&digest[1..]));
        assert!(composite(["~"].into_iter()).is_none());
    }
}
