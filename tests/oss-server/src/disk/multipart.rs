//! Multipart uploads: begin, add parts, complete or abort.

use super::{Completion, Disk, Held, NewBlob, Object, Part, Piece, Upload, random_id};
use crate::checksum::combined_crc64;
use crate::refusal::Refusal;
use jiff::Timestamp;
use md5::{Digest, Md5};
use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::io;
use std::path::PathBuf;

/// What all parts but the last must have.
const MIN_PART: u64 = 100 * 1024;

impl Disk {
    pub(crate) fn begin_upload(
        &self,
        key: &str,
        headers: Vec<(String, String)>,
        forbid_overwriting: bool,
    ) -> Result<String, Refusal> {
        let mut held = self.held();
        if forbid_overwriting && held.objects.contains_key(key) {
            return Err(Refusal::already_exists());
        }
        let upload = Upload {
            key: key.to_owned(),
            id: random_id(),
            initiated: Timestamp::now(),
            headers,
            parts: BTreeMap::new(),
        };
        let id = upload.id.clone();
        fs::create_dir(self.upload_folder(&id))?;
        self.write(&self.upload_folder(&id).join("upload.json"), &upload)?;
        held.uploads.insert((key.to_owned(), id.clone()), upload);
        Ok(id)
    }

    /// An upload that is under way.
    pub(crate) fn upload(&self, key: &str, id: &str) -> Result<Upload, Refusal> {
        find(&self.held(), key, id).cloned()
    }

    /// All uploads that are under way, in the order of their keys and ids.
    pub(crate) fn uploads(&self) -> Vec<Upload> {
        self.held().uploads.values().cloned().collect()
    }

    /// Refuses unless the upload is under way.
    pub(crate) fn expect_upload(&self, key: &str, id: &str) -> Result<(), Refusal> {
        find(&self.held(), key, id).map(|_| ())
    }

    /// Adds a part, in the place of an earlier one of that number.
    pub(crate) fn add_part(&self, key: &str, id: &str, part: Part, blob: NewBlob) -> Result<(), Refusal> {
        let mut held = self.held();
        // It may have ended while the part was sent.
        find(&held, key, id)?;
        let number = part.number;
        self.write(&self.upload_folder(id).join(format!("{number}.json")), &part)?;
        blob.keep();
        let upload = held.uploads.get_mut(&(key.to_owned(), id.to_owned()));
        let old = upload.and_then(|upload| upload.parts.insert(number, part));
        self.remove_blobs(old.iter().map(|part| &part.blob));
        Ok(())
    }

    /// Makes an object of the parts that are named. The other parts go.
    pub(crate) fn complete(&self, key: &str, id: &str, completion: &Completion) -> Result<Object, Refusal> {
        let mut held = self.held();
        let upload = find(&held, key, id)?;
        let parts = chosen(upload, &completion.parts)?;
        let object = assembled(upload, &parts);
        if completion.crc64.is_some_and(|crc64| crc64 != object.crc64) {
            return Err(crate::checksum::wrong_crc64(object.crc64));
        }
        if completion.forbid_overwriting && held.objects.contains_key(key) {
            return Err(Refusal::already_exists());
        }
        let used: HashSet<&String> = object.pieces.iter().map(|piece| &piece.blob).collect();
        let unused = upload.parts.values().map(|part| part.blob.clone());
        let unused: Vec<_> = unused.filter(|blob| !used.contains(blob)).collect();
        self.place(&mut held, object.clone())?;
        self.forget(&mut held, key, id)?;
        self.remove_blobs(&unused);
        Ok(object)
    }

    pub(crate) fn abort(&self, key: &str, id: &str) -> Result<(), Refusal> {
        let mut held = self.held();
        let upload = find(&held, key, id)?.clone();
        self.forget(&mut held, key, id)?;
        self.remove_blobs(upload.parts.values().map(|part| &part.blob));
        Ok(())
    }

    /// From here on the upload is none, also for a server that starts again.
    fn forget(&self, held: &mut Held, key: &str, id: &str) -> io::Result<()> {
        fs::remove_file(self.upload_folder(id).join("upload.json"))?;
        held.uploads.remove(&(key.to_owned(), id.to_owned()));
        fs::remove_dir_all(self.upload_folder(id))
    }

    fn upload_folder(&self, id: &str) -> PathBuf {
        self.folder.join("uploads").join(id)
    }
}

fn find<'a>(held: &'a Held, key: &str, id: &str) -> Result<&'a Upload, Refusal> {
    let upload = held.uploads.get(&(key.to_owned(), id.to_owned()));
    upload.ok_or_else(|| Refusal::no_such_upload(id))
}

/// The parts that are named, when they are as they must be.
fn chosen<'a>(upload: &'a Upload, named: &[(u32, String)]) -> Result<Vec<&'a Part>, Refusal> {
    let mut parts: Vec<&Part> = Vec::new();
    for (number, etag) in named {
        if parts.last().is_some_and(|last| last.number >= *number) {
            return Err(Refusal::bad_request(
                "InvalidPartOrder",
                "The list of parts was not in ascending order. Parts list must specified in order by part number.",
            )
            .field("PartNumber", number.to_string()));
        }
        let part = upload.parts.get(number);
        let part = part.filter(|part| part.etag.eq_ignore_ascii_case(etag));
        parts.push(part.ok_or_else(|| {
            Refusal::bad_request(
                "InvalidPart",
                "One or more of the specified parts could not be found or the specified entity tag might not have \
                 matched the part's entity tag.",
            )
            .field("PartNumber", number.to_string())
            .field("ETag", etag)
            .field("UploadId", &upload.id)
        })?);
    }
    let all_but_last = parts.split_last().map_or(&[][..], |(_, rest)| rest);
    if let Some(small) = all_but_last.iter().find(|part| part.size < MIN_PART) {
        return Err(Refusal::bad_request(
            "EntityTooSmall",
            "Your proposed upload smaller than the minimum allowed size.",
        )
        .field("MinSizeAllowed", MIN_PART.to_string())
        .field("ProposedSize", small.size.to_string())
        .field("PartNumber", small.number.to_string()));
    }
    Ok(parts)
}

fn assembled(upload: &Upload, parts: &[&Part]) -> Object {
    let mut digest = Md5::new();
    for part in parts {
        digest.update(&part.etag);
    }
    let digest = hex::encode_upper(digest.finalize());
    Object {
        key: upload.key.clone(),
        size: parts.iter().map(|part| part.size).sum(),
        etag: format!("{digest}-{}", parts.len()),
        crc64: combined_crc64(parts.iter().map(|part| (part.crc64, part.size))),
        modified: Timestamp::now(),
        headers: upload.headers.clone(),
        pieces: parts
            .iter()
            .map(|part| Piece {
                blob: part.blob.clone(),
                size: part.size,
            })
            .collect(),
        upload: Some(upload.id.clone()),
    }
}
