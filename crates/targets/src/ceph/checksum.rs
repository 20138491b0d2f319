//! By what an S3-compatible store proves that it has the right bytes.

use crate::target::Receipt;
use crate::verified_body::{RequestedChecksum, Sums};
use domain::content::{ContentId, PartDigest};
use domain::targets::Checksum;
use md5::{Digest, Md5};

/// What the store said of an object or a part.
pub(super) struct ReportedChecksum<'a> {
    pub(super) etag: Option<&'a str>,
    pub(super) sha256: Option<&'a str>,
}

impl ReportedChecksum<'_> {
    /// The proof that it has the bytes that were sent; an error tells what it has instead.
    pub(super) fn proves(
        &self,
        checksum: Checksum,
        sent: Option<Sums>,
        digest: &PartDigest,
    ) -> Result<String, String> {
        let (what, has, expected) = match checksum {
            Checksum::Md5 => {
                let sent = sent.map(|sums| hex::encode(sums.md5)).unwrap_or_default();
                ("ETag", unquoted(self.etag), sent)
            }
            Checksum::Sha256 => {
                let has = self.sha256.unwrap_or_default().to_owned();
                ("SHA-256", has, digest.to_string())
            }
        };
        if has.is_empty() {
            return Err(format!("no {what}: is \"checksum\" right for this target?"));
        }
        if has != expected {
            return Err(format!("the {what} {has}, of what was sent it is {expected:?}"));
        }
        Ok(has)
    }

    /// The checksum of an object, as [`of_parts`] returns it.
    pub(super) fn of_object(&self, checksum: Checksum) -> String {
        let etag = unquoted(self.etag);
        match (checksum, self.sha256) {
            (Checksum::Md5, _) => etag,
            // Some stores leave the number of parts out, but not of the ETag.
            (Checksum::Sha256, Some(sha256)) => match etag.split_once('-') {
                Some((_, parts)) if !sha256.contains('-') => format!("{sha256}-{parts}"),
                _ => sha256.to_owned(),
            },
            (Checksum::Sha256, None) => String::new(),
        }
    }
}

/// What has to be computed of what is sent. The SHA-256 is known before.
pub(super) fn requested(checksum: Checksum) -> RequestedChecksum {
    match checksum {
        Checksum::Md5 => RequestedChecksum::Md5,
        Checksum::Sha256 => RequestedChecksum::Nothing,
    }
}

/// The receipt of a part: `<ETag>`, or `<ETag>:<SHA-256>`.
pub(super) fn receipt(checksum: Checksum, etag: &str, proof: String) -> Receipt {
    match checksum {
        Checksum::Md5 => proof,
        Checksum::Sha256 => format!("{etag}:{proof}"),
    }
}

/// `ETag` and SHA-256 of a receipt.
pub(super) fn of_receipt(receipt: &str) -> (&str, Option<&str>) {
    match receipt.split_once(':') {
        Some((etag, sha256)) => (etag, Some(sha256)),
        None => (receipt, None),
    }
}

/// The checksum of an object of parts with these receipts. `None` when one of them is not of this kind.
pub(super) fn of_parts(checksum: Checksum, parts: &[(Receipt, u64)]) -> Option<String> {
    let receipts = parts.iter().map(|(receipt, _)| of_receipt(receipt));
    match checksum {
        Checksum::Md5 => {
            let mut md5 = Md5::new();
            for (etag, sha256) in receipts {
                if sha256.is_some() {
                    return None;
                }
                let mut of_part = [0; 16];
                hex::decode_to_slice(etag, &mut of_part).ok()?;
                md5.update(of_part);
            }
            Some(format!("{}-{}", hex::encode(md5.finalize()), parts.len()))
        }
        Checksum::Sha256 => {
            let digests = receipts.map(|(_, sha256)| sha256?.parse().ok());
            let digests: Vec<PartDigest> = digests.collect::<Option<_>>()?;
            ContentId::of_parts(&digests).map(|id| id.to_string())
        }
    }
}

pub(super) fn unquoted(etag: Option<&str>) -> String {
    etag.unwrap_or_default().trim_matches('"').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PARTS: [&[u8]; 2] = [b"hello ", b"world!"];

    fn md5(bytes: &[u8]) -> String {
        hex::encode(Md5::digest(bytes))
    }

    fn parts(checksum: Checksum) -> Vec<(Receipt, u64)> {
        let receipt = |bytes: &&[u8]| {
            let proof = match checksum {
                Checksum::Md5 => md5(bytes),
                Checksum::Sha256 => PartDigest::of(bytes).to_string(),
            };
            (receipt(checksum, "some-etag", proof), 6)
        };
        PARTS.iter().map(receipt).collect()
    }

    #[test]
    fn the_etag_of_a_multipart_object() {
        let parts = parts(Checksum::Md5);
        // Computed with Python's hashlib.
        let expected = "8ae2532e3bf1d4178d0aa9ca8a20f149-2";
        assert_eq!(of_parts(Checksum::Md5, &parts).unwrap(), expected);
        for bad in ["xyz", &"é".repeat(16), &format!("+{}", "0".repeat(31)), "", "a:b"] {
            let parts = [parts[0].clone(), (bad.to_owned(), 1)];
            assert_eq!(of_parts(Checksum::Md5, &parts), None, "{bad}");
            assert_eq!(of_parts(Checksum::Sha256, &parts), None, "{bad}");
        }
    }

    #[test]
    fn the_sha256_of_a_multipart_object_is_the_content_id() {
        let parts = parts(Checksum::Sha256);
        let digests = PARTS.map(PartDigest::of);
        let expected = ContentId::of_parts(&digests).unwrap().to_string();
        assert_eq!(of_parts(Checksum::Sha256, &parts), Some(expected.clone()));
        let (etag, sha256) = of_receipt(&parts[0].0);
        assert_eq!((etag, sha256.unwrap().parse()), ("some-etag", Ok(digests[0])));
        // With and without the number of parts.
        let bare = expected.strip_suffix("-2").unwrap();
        for sha256 in [&expected, bare] {
            let reported = ReportedChecksum {
                etag: Some("\"0123-2\""),
                sha256: Some(sha256),
            };
            assert_eq!(reported.of_object(Checksum::Sha256), expected);
        }
    }

    #[test]
    fn only_the_right_checksum_proves_anything() {
        let digest = PartDigest::of(b"hello ");
        let sent = Some(Sums {
            md5: Md5::digest(b"hello ").into(),
            crc64: 0,
        });
        let (md5, sha256) = (format!("\"{}\"", md5(b"hello ")), digest.to_string());
        let right = ReportedChecksum {
            etag: Some(&md5),
            sha256: Some(&sha256),
        };
        assert!(right.proves(Checksum::Md5, sent, &digest).is_ok());
        assert!(right.proves(Checksum::Sha256, None, &digest).is_ok());
        assert!(right.proves(Checksum::Md5, None, &digest).is_err());
        for wrong in [
            ReportedChecksum {
                etag: Some("\"\""),
                sha256: None,
            },
            ReportedChecksum {
                etag: None,
                sha256: None,
            },
            ReportedChecksum {
                etag: Some("x"),
                sha256: Some("x"),
            },
        ] {
            assert!(wrong.proves(Checksum::Md5, sent, &digest).is_err());
            assert!(wrong.proves(Checksum::Md5, None, &digest).is_err());
            assert!(wrong.proves(Checksum::Sha256, sent, &digest).is_err());
        }
    }
}
