//! CRC-64, by which OSS proves what it has, and the receipts of parts: `<ETag>:<CRC-64 in decimal>`.

use crate::target::Receipt;
use crc_fast::CrcAlgorithm::Crc64Xz;
use crc_fast::checksum_combine;

/// The receipt of a part. Its `ETag` is not compared with anything: it is the MD5 in some buckets only. `None` when it is
/// none.
pub(super) fn receipt(etag: &str, crc64: u64) -> Option<Receipt> {
    let is_etag = !etag.is_empty()
        && etag
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    is_etag.then(|| format!("{etag}:{crc64}"))
}

/// The `ETag` of a receipt.
pub(super) fn etag(receipt: &str) -> &str {
    receipt.split(':').next().unwrap_or_default()
}

/// The CRC-64 of an object of parts with these receipts and lengths. `None` when a receipt is not one of OSS.
pub(super) fn of_parts(parts: &[(Receipt, u64)]) -> Option<u64> {
    // Of no bytes it is zero.
    parts.iter().try_fold(0, |crc, (receipt, length)| {
        let part = receipt.split_once(':')?.1.parse().ok()?;
        Some(checksum_combine(Crc64Xz, crc, part, *length))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crc_fast::checksum;

    fn part(bytes: &[u8]) -> (Receipt, u64) {
        let receipt = receipt("ABC", checksum(Crc64Xz, bytes)).unwrap();
        (receipt, bytes.len().try_into().unwrap())
    }

    #[test]
    fn the_crc_is_the_one_that_oss_means() {
        assert_eq!(checksum(Crc64Xz, b"123456789"), 11_051_210_869_376_104_954);
        assert_eq!(checksum(Crc64Xz, b""), 0);
    }

    #[test]
    fn the_crc_of_the_whole_comes_of_the_parts() {
        let bytes: Vec<u8> = (0..100_000_u32).map(|n| n.to_le_bytes()[1]).collect();
        for cuts in [
            &[0, 100_000][..],
            &[0, 1, 50_000, 100_000],
            &[0, 99_999, 99_999, 100_000],
        ] {
            let parts: Vec<_> = cuts.windows(2).map(|cut| part(&bytes[cut[0]..cut[1]])).collect();
            assert_eq!(of_parts(&parts), Some(checksum(Crc64Xz, &bytes)));
        }
        for bad in ["", "ABC", "ABC:", "ABC:x", "ABC:-1"] {
            assert_eq!(of_parts(&[(bad.to_owned(), 1)]), None, "{bad}");
        }
    }

    #[test]
    fn a_receipt_has_the_etag() {
        assert_eq!(etag(&receipt("5D41402ABC4B-1", 7).unwrap()), "5D41402ABC4B-1");
        for bad in ["", "a:b", "<a>"] {
            assert_eq!(receipt(bad, 7), None, "{bad}");
        }
    }
}
