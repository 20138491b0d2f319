//! Which parts of an unfinished download are on this disk: one line per part, only ever appended.
//!
//! The journal is a hint, not a promise. Data may be lost after its line was written (power cut), so every part
//! it names is hashed again before it is believed.

use domain::content::{ContentId, PartDigest};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};

/// What every journal begins with.
const BEGIN: &str = "longshore download 1 ";

/// Parts and the digests they had when they were written.
pub(crate) type Parts = BTreeMap<u32, PartDigest>;

/// An open journal, at its end.
pub(crate) struct Journal {
    file: File,
}

impl Journal {
    /// Reads `file`, drops what a crash left half-written, and returns the parts it names. A journal of other
    /// content, or no journal at all, begins anew.
    pub(crate) fn open(mut file: File, content: ContentId) -> io::Result<(Self, Parts)> {
        let mut text = Vec::new();
        file.read_to_end(&mut text)?;
        let header = header(content);
        let (parts, length) = read(&text, &header);
        file.set_len(length as u64)?;
        file.seek(SeekFrom::End(0))?;
        if length == 0 {
            file.write_all(header.as_bytes())?;
        }
        Ok((Self { file }, parts))
    }

    /// Notes that part `number` is on the disk.
    pub(crate) fn append(&mut self, number: u32, digest: PartDigest) -> io::Result<()> {
        self.file.write_all(line(number, digest).as_bytes())
    }
}

/// Whether the file, open at its beginning, is a journal, of whatever content.
pub(crate) fn is_one(file: &mut File) -> bool {
    let mut begin = [0; BEGIN.len()];
    file.read_exact(&mut begin).is_ok() && begin == *BEGIN.as_bytes()
}

fn header(content: ContentId) -> String {
    format!("{BEGIN}{content}\n")
}

fn line(number: u32, digest: PartDigest) -> String {
    format!("{number} {digest}\n")
}

/// The parts named by `text`, and how much of it is whole.
fn read(text: &[u8], header: &str) -> (Parts, usize) {
    let Some(mut rest) = text.strip_prefix(header.as_bytes()) else {
        return (Parts::new(), 0);
    };
    let mut parts = Parts::new();
    while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
        let Some((number, digest)) = entry(&rest[..end]) else {
            break;
        };
        parts.insert(number, digest);
        rest = &rest[end + 1..];
    }
    (parts, text.len() - rest.len())
}

fn entry(line: &[u8]) -> Option<(u32, PartDigest)> {
    let (number, digest) = std::str::from_utf8(line).ok()?.split_once(' ')?;
    Some((number.parse().ok()?, digest.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn content(text: &str) -> ContentId {
        ContentId::of_parts(&[PartDigest::of(text.as_bytes())]).unwrap()
    }

    fn reopen(file: &File) -> File {
        let mut file = file.try_clone().unwrap();
        file.rewind().unwrap();
        file
    }

    #[test]
    fn a_journal_reads_back_and_goes_on() {
        let file = tempfile::tempfile().unwrap();
        let (mut journal, parts) = Journal::open(reopen(&file), content("a")).unwrap();
        assert!(parts.is_empty());
        journal.append(3, PartDigest::of(b"3")).unwrap();
        let (mut journal, parts) = Journal::open(reopen(&file), content("a")).unwrap();
        assert_eq!(parts, Parts::from([(3, PartDigest::of(b"3"))]));
        journal.append(1, PartDigest::of(b"1")).unwrap();
        journal.append(3, PartDigest::of(b"other")).unwrap();
        let (_, parts) = Journal::open(reopen(&file), content("a")).unwrap();
        assert_eq!(
            parts,
            Parts::from([(1, PartDigest::of(b"1")), (3, PartDigest::of(b"other"))])
        );
        let (_, parts) = Journal::open(reopen(&file), content("b")).unwrap();
        assert!(parts.is_empty(), "a journal of other content is no use");
    }

    fn written(parts: &[(u32, [u8; 32])]) -> (Vec<u8>, Vec<usize>) {
        let mut text = header(content("a")).into_bytes();
        let mut ends = vec![text.len()];
        for (number, digest) in parts {
            text.extend(line(*number, PartDigest::from_bytes(*digest)).into_bytes());
            ends.push(text.len());
        }
        (text, ends)
    }

    proptest! {
        #[test]
        fn a_torn_journal_loses_its_last_line_only(
            parts in prop::collection::vec((1u32..=10_000, any::<[u8; 32]>()), 0..20),
            cut in any::<prop::sample::Index>(),
        ) {
            let (text, ends) = written(&parts);
            let cut = cut.index(text.len() + 1);
            let (found, length) = read(&text[..cut], &header(content("a")));
            let whole = ends.iter().filter(|end| **end <= cut).count().saturating_sub(1);
            let expected: Parts =
                parts[..whole].iter().map(|(n, d)| (*n, PartDigest::from_bytes(*d))).collect();
            prop_assert_eq!(found, expected);
            prop_assert_eq!(length, ends.iter().copied().filter(|end| *end <= cut).max().unwrap_or(0));
        }

        #[test]
        fn what_follows_rubbish_is_not_believed(
            parts in prop::collection::vec((1u32..=10_000, any::<[u8; 32]>()), 1..10),
            rubbish in "[a-z ]{0,20}\n",
        ) {
            let (mut text, ends) = written(&parts);
            text.extend(rubbish.as_bytes());
            text.extend(line(7, PartDigest::of(b"later")).into_bytes());
            let (_, length) = read(&text, &header(content("a")));
            prop_assert_eq!(length, ends[parts.len()]);
        }
    }
}
