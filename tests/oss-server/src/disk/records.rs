//! What is written down of each object and each multipart upload, and how an upload becomes an object.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Some bytes of an object: a blob.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Piece {
    pub(crate) blob: String,
    pub(crate) size: u64,
}

/// An object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Object {
    pub(crate) key: String,
    pub(crate) size: u64,
    /// Without quotation marks.
    pub(crate) etag: String,
    pub(crate) crc64: u64,
    pub(crate) modified: Timestamp,
    /// What the client wants to have sent with it: content type, metadata.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) pieces: Vec<Piece>,
    /// The multipart upload that made it.
    pub(crate) upload: Option<String>,
}

impl Object {
    /// What OSS calls its type.
    pub(crate) fn kind(&self) -> &'static str {
        if self.upload.is_some() {
            "Multipart"
        } else {
            "Normal"
        }
    }
}

/// A part of a multipart upload.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Part {
    pub(crate) number: u32,
    pub(crate) size: u64,
    pub(crate) etag: String,
    pub(crate) crc64: u64,
    pub(crate) modified: Timestamp,
    pub(crate) blob: String,
}

/// A multipart upload that is under way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Upload {
    pub(crate) key: String,
    pub(crate) id: String,
    pub(crate) initiated: Timestamp,
    pub(crate) headers: Vec<(String, String)>,
    #[serde(skip)]
    pub(crate) parts: BTreeMap<u32, Part>,
}

/// How a client completes an upload.
pub(crate) struct Completion {
    /// Number and `ETag` of each part, without quotation marks.
    pub(crate) parts: Vec<(u32, String)>,
    pub(crate) forbid_overwriting: bool,
    /// What the whole object's checksum must be.
    pub(crate) crc64: Option<u64>,
}
