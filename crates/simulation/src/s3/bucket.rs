//! What a bucket holds.

use super::checksum::Checksum;
use bytes::Bytes;
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::ops::Range;

/// An object, as a test sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredObject {
    /// Its key.
    pub key: String,
    /// Its length in bytes.
    pub size: u64,
    /// When it was made: of one that was made of parts, when its multipart upload began.
    pub made_at: Timestamp,
    /// Its SHA-256 in base64, followed by `-<parts>` if it was made of parts. `None` when it was sent without.
    pub sha256: Option<String>,
}

/// A multipart upload under way, as a test sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenUpload {
    /// The key of what it may become.
    pub key: String,
    /// Its id.
    pub id: String,
    /// When it began.
    pub begun_at: Timestamp,
}

/// Bytes, in the pieces that they came in.
#[derive(Debug, Clone, Default)]
pub(crate) struct Body(Vec<Bytes>);

impl Body {
    pub(crate) fn of(pieces: Vec<Bytes>) -> Self {
        Self(pieces)
    }

    /// In bytes.
    pub(crate) fn size(&self) -> u64 {
        self.0.iter().map(length).sum()
    }

    /// All of them.
    pub(crate) fn all(&self) -> Bytes {
        self.some(&(0..self.size()))
    }

    /// Those of a range, which may end after they do.
    pub(crate) fn some(&self, range: &Range<u64>) -> Bytes {
        let mut found = Vec::new();
        let mut start = 0;
        for piece in &self.0 {
            let within = |position: u64| {
                let position = position.saturating_sub(start).min(length(piece));
                usize::try_from(position).unwrap_or(piece.len())
            };
            let slice = piece.slice(within(range.start)..within(range.end.max(range.start)));
            if !slice.is_empty() {
                found.push(slice);
            }
            start += length(piece);
        }
        match found.as_slice() {
            [only] => only.clone(),
            several => several.concat().into(),
        }
    }
}

/// In bytes.
pub(crate) fn length(bytes: &Bytes) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}

/// What is stored with an object besides its bytes.
#[derive(Debug, Clone, Default)]
pub(crate) struct Description {
    pub(crate) content_type: Option<String>,
    /// With `x-amz-meta-`.
    pub(crate) metadata: BTreeMap<String, String>,
}

#[derive(Debug)]
pub(crate) struct Object {
    pub(crate) body: Body,
    pub(crate) made_at: Timestamp,
    /// In quotes.
    pub(crate) etag: String,
    pub(crate) checksum: Option<Checksum>,
    pub(crate) description: Description,
    /// The id of the multipart upload that it was.
    pub(crate) upload: Option<String>,
}

#[derive(Debug)]
pub(crate) struct Part {
    pub(crate) body: Bytes,
    pub(crate) sent_at: Timestamp,
    pub(crate) md5: [u8; 16],
    /// In base64.
    pub(crate) sha256: Option<String>,
}

impl Part {
    /// In quotes.
    pub(crate) fn etag(&self) -> String {
        format!("\"{}\"", hex::encode(self.md5))
    }
}

#[derive(Debug)]
pub(crate) struct Upload {
    pub(crate) begun_at: Timestamp,
    /// Whether its parts have SHA-256s; otherwise they have none.
    pub(crate) by_sha256: bool,
    pub(crate) description: Description,
    pub(crate) parts: BTreeMap<u32, Part>,
}

/// A multipart upload that was completed: of which parts, and when.
#[derive(Debug)]
pub(crate) struct Completed {
    pub(crate) at: Timestamp,
    pub(crate) request: Bytes,
}

#[derive(Debug, Default)]
pub(crate) struct Bucket {
    pub(crate) objects: BTreeMap<String, Object>,
    /// By key and id. Ids grow with time.
    pub(crate) uploads: BTreeMap<(String, String), Upload>,
    /// By key and id.
    pub(crate) completed: BTreeMap<(String, String), Completed>,
}

impl Bucket {
    pub(crate) fn stored(&self) -> impl Iterator<Item = StoredObject> {
        self.objects.iter().map(|(key, object)| StoredObject {
            key: key.clone(),
            size: object.body.size(),
            made_at: object.made_at,
            sha256: object.checksum.as_ref().and_then(Checksum::sha256),
        })
    }

    pub(crate) fn open(&self) -> impl Iterator<Item = OpenUpload> {
        self.uploads.iter().map(|((key, id), upload)| OpenUpload {
            key: key.clone(),
            id: id.clone(),
            begun_at: upload.begun_at,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_over_pieces() {
        let pieces = ["ab", "", "cde", "f"];
        let body = Body::of(pieces.map(Bytes::from).to_vec());
        assert_eq!(body.size(), 6);
        assert_eq!(body.all(), "abcdef");
        for start in 0..7 {
            for end in start..9 {
                let expected = &"abcdef"[start.min(6)..end.min(6)];
                let range = u64::try_from(start).unwrap()..u64::try_from(end).unwrap();
                assert_eq!(body.some(&range), expected, "{range:?}");
            }
        }
        assert_eq!(Body::default().all(), "");
    }
}
