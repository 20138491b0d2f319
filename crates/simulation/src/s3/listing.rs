//! Lists, a page at a time.

use super::answer::Answer;
use super::bucket::{Bucket, length};
use super::checksum::Checksum;
use super::document::NAMESPACE;
use super::refusal::Refusal;
use super::request::Request;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use jiff::Timestamp;
use serde::Serialize;

/// Most entries of a page.
const MOST: usize = 1000;

/// What storage class everything has.
const STANDARD: &str = "STANDARD";

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ListBucketResult<'a> {
    #[serde(rename = "@xmlns")]
    namespace: &'static str,
    prefix: &'a str,
    key_count: usize,
    max_keys: usize,
    is_truncated: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    continuation_token: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    start_after: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_continuation_token: Option<String>,
    contents: Vec<ListedObject<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ListedObject<'a> {
    key: &'a str,
    last_modified: String,
    #[serde(rename = "ETag")]
    etag: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    checksum_algorithm: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    checksum_type: Option<&'static str>,
    size: u64,
    storage_class: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ListMultipartUploadsResult<'a> {
    #[serde(rename = "@xmlns")]
    namespace: &'static str,
    bucket: &'a str,
    prefix: &'a str,
    key_marker: &'a str,
    upload_id_marker: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_key_marker: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_upload_id_marker: Option<&'a str>,
    max_uploads: usize,
    is_truncated: bool,
    upload: Vec<ListedUpload<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ListedUpload<'a> {
    key: &'a str,
    upload_id: &'a str,
    initiated: String,
    storage_class: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    checksum_algorithm: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    checksum_type: Option<&'static str>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ListPartsResult<'a> {
    #[serde(rename = "@xmlns")]
    namespace: &'static str,
    bucket: &'a str,
    key: &'a str,
    upload_id: &'a str,
    part_number_marker: u32,
    next_part_number_marker: u32,
    max_parts: usize,
    is_truncated: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    checksum_algorithm: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    checksum_type: Option<&'static str>,
    storage_class: &'static str,
    part: Vec<ListedPart<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ListedPart<'a> {
    part_number: u32,
    last_modified: String,
    #[serde(rename = "ETag")]
    etag: String,
    size: u64,
    #[serde(rename = "ChecksumSHA256", skip_serializing_if = "Option::is_none")]
    sha256: Option<&'a str>,
}

pub(crate) fn objects(bucket: &Bucket, request: &Request<'_>) -> Result<Answer, Refusal> {
    let kind = request.parameter("list-type").unwrap_or_default();
    if kind != "2" {
        let text = "Invalid List Type specified in Query";
        return Err(Refusal::invalid_argument(text, "list-type", kind));
    }
    let prefix = request.parameter("prefix").unwrap_or_default();
    let start_after = request.parameter("start-after");
    let token = request.parameter("continuation-token");
    let most = page(request, "max-keys")?;
    let after = match token {
        Some(token) => Some(key_of(token)?),
        None => start_after.map(str::to_owned),
    };
    let wanted = bucket
        .objects
        .iter()
        .filter(|(key, _)| key.starts_with(prefix) && after.as_ref().is_none_or(|after| *key > after));
    let mut contents: Vec<_> = wanted
        .map(|(key, object)| ListedObject {
            key,
            last_modified: seconds(object.made_at),
            etag: &object.etag,
            checksum_algorithm: object.checksum.as_ref().map(algorithm),
            checksum_type: object.checksum.as_ref().map(Checksum::kind),
            size: object.body.size(),
            storage_class: STANDARD,
        })
        .take(most + 1)
        .collect();
    // A page of nothing is the last one: there is no entry to go on after.
    let is_truncated = most > 0 && contents.len() > most;
    contents.truncate(most);
    let last = contents.last().filter(|_| is_truncated);
    let result = ListBucketResult {
        namespace: NAMESPACE,
        prefix,
        key_count: contents.len(),
        max_keys: most,
        is_truncated,
        continuation_token: token,
        start_after,
        next_continuation_token: last.map(|object| BASE64.encode(object.key)),
        contents,
    };
    Answer::document("ListBucketResult", &result)
}

pub(crate) fn uploads(bucket: &Bucket, request: &Request<'_>) -> Result<Answer, Refusal> {
    let prefix = request.parameter("prefix").unwrap_or_default();
    let key_marker = request.parameter("key-marker").unwrap_or_default();
    let id_marker = request.parameter("upload-id-marker").unwrap_or_default();
    let most = page(request, "max-uploads")?;
    // Without an id, uploads of the key itself were all on earlier pages; without a key, the id means nothing.
    let is_after = |key: &str, id: &str| {
        key > key_marker || (key == key_marker && !id_marker.is_empty() && id > id_marker)
    };
    let wanted = bucket
        .uploads
        .iter()
        .filter(|((key, id), _)| key.starts_with(prefix) && is_after(key, id));
    let mut upload: Vec<_> = wanted
        .map(|((key, id), upload)| ListedUpload {
            key,
            upload_id: id,
            initiated: seconds(upload.begun_at),
            storage_class: STANDARD,
            checksum_algorithm: upload.by_sha256.then_some("SHA256"),
            checksum_type: upload.by_sha256.then_some("COMPOSITE"),
        })
        .take(most + 1)
        .collect();
    let is_truncated = most > 0 && upload.len() > most;
    upload.truncate(most);
    let last = upload.last().filter(|_| is_truncated);
    let result = ListMultipartUploadsResult {
        namespace: NAMESPACE,
        bucket: &request.bucket,
        prefix,
        key_marker,
        upload_id_marker: id_marker,
        next_key_marker: last.map(|upload| upload.key),
        next_upload_id_marker: last.map(|upload| upload.upload_id),
        max_uploads: most,
        is_truncated,
        upload,
    };
    Answer::document("ListMultipartUploadsResult", &result)
}

pub(crate) fn parts(bucket: &Bucket, request: &Request<'_>) -> Result<Answer, Refusal> {
    let id = request.parameter("uploadId").unwrap_or_default();
    let upload = bucket
        .uploads
        .get(&(request.key.clone(), id.to_owned()))
        .ok_or_else(|| Refusal::no_such_upload(id))?;
    let most = page(request, "max-parts")?;
    let marker = request.number("part-number-marker")?.unwrap_or(0);
    let wanted = upload.parts.iter().filter(|(number, _)| **number > marker);
    let mut part: Vec<_> = wanted
        .map(|(number, part)| ListedPart {
            part_number: *number,
            last_modified: seconds(part.sent_at),
            etag: part.etag(),
            size: length(&part.body),
            sha256: part.sha256.as_deref(),
        })
        .take(most + 1)
        .collect();
    let is_truncated = most > 0 && part.len() > most;
    part.truncate(most);
    let result = ListPartsResult {
        namespace: NAMESPACE,
        bucket: &request.bucket,
        key: &request.key,
        upload_id: id,
        part_number_marker: marker,
        next_part_number_marker: part.last().map_or(0, |part| part.part_number),
        max_parts: most,
        is_truncated,
        checksum_algorithm: upload.by_sha256.then_some("SHA256"),
        checksum_type: upload.by_sha256.then_some("COMPOSITE"),
        storage_class: STANDARD,
        part,
    };
    Answer::document("ListPartsResult", &result)
}

/// How many entries the answer may have.
fn page(request: &Request<'_>, name: &str) -> Result<usize, Refusal> {
    // The largest number that S3 takes is that of 31 bits.
    let asked: Option<u32> = request.number(name)?;
    let asked = asked.and_then(|asked| usize::try_from(asked).ok());
    Ok(asked.unwrap_or(MOST).min(MOST))
}

fn key_of(token: &str) -> Result<String, Refusal> {
    let key = BASE64
        .decode(token)
        .ok()
        .and_then(|key| String::from_utf8(key).ok());
    key.ok_or_else(|| {
        let text = "The continuation token provided is incorrect";
        Refusal::invalid_argument(text, "continuation-token", token)
    })
}

fn algorithm(checksum: &Checksum) -> String {
    checksum.algorithm.name().to_ascii_uppercase()
}

/// Lists say times in whole seconds.
fn seconds(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%S.000Z").to_string()
}
