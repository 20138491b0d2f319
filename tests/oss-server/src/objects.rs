//! Objects: put, get, look at, delete.

use crate::answer::{self, ServerResponse};
use crate::call::Call;
use crate::checksum::Announced;
use crate::disk::{Object, Piece};
use crate::operation::OVERRIDES;
use crate::refusal::Refusal;
use crate::request::Head;
use crate::transfer::{ObjectBody, receive};
use crate::xml::{self, Names};
use http_body_util::BodyExt;
use hyper::{Response, StatusCode};
use jiff::Timestamp;
use jiff::fmt::rfc2822;
use serde::{Deserialize, Serialize};
use std::ops::Range;
use std::sync::Arc;

/// How many objects one request may delete.
const MAX_DELETED: usize = 1000;

pub(crate) async fn put(mut call: Call<'_>) -> Result<ServerResponse, Refusal> {
    let head = call.head;
    let disk = &call.service.disk;
    let forbid_overwriting = head.forbids_overwriting()?;
    let announced = Announced::of(head)?;
    if forbid_overwriting && disk.object(&head.key).is_some() {
        return Err(Refusal::already_exists());
    }
    let mut blob = disk.new_blob()?;
    let sums = receive(&mut call, &mut blob).await?;
    announced.check(&sums)?;
    let object = Object {
        key: head.key.clone(),
        size: sums.size,
        etag: sums.etag(call.service.settings.etags),
        crc64: sums.crc64,
        modified: Timestamp::now(),
        headers: kept_headers(head),
        pieces: vec![Piece {
            blob: blob.name.clone(),
            size: sums.size,
        }],
        upload: None,
    };
    let answer = with_checksums(answer::empty(StatusCode::OK), &object.etag, object.crc64);
    disk.put(object, blob, forbid_overwriting)?;
    Ok(answer)
}

/// What is kept with an object and sent with it.
pub(crate) fn kept_headers(head: &Head) -> Vec<(String, String)> {
    let kept = |name: &str| {
        name.starts_with("x-oss-meta-")
            || name == "content-type"
            || OVERRIDES.iter().any(|(_, header)| *header == name)
    };
    let headers = head.headers.iter().filter(|(name, _)| kept(name));
    headers
        .map(|(name, value)| (name.clone(), String::from_utf8_lossy(value).into_owned()))
        .collect()
}

/// The checksums of a part or an object, as clients compare them.
pub(crate) fn with_checksums(answer: ServerResponse, etag: &str, crc64: u64) -> ServerResponse {
    let answer = answer::set(answer, "etag", &format!("\"{etag}\""));
    answer::set(answer, "x-oss-hash-crc64ecma", &crc64.to_string())
}

pub(crate) fn head(call: &Call<'_>) -> Result<ServerResponse, Refusal> {
    let object = find(call)?;
    // The length is that of the body which GET would send.
    let body = ObjectBody::new(
        Arc::clone(&call.service.disk),
        Arc::clone(&object),
        0..0,
        Arc::clone(call.rate_limiter),
    );
    let answer = about(Response::new(body.boxed()), &object);
    Ok(answer::set(answer, "content-length", &object.size.to_string()))
}

pub(crate) fn get(call: &Call<'_>) -> Result<ServerResponse, Refusal> {
    let object = find(call)?;
    let asked = call.head.header("range").map(|text| range(text, object.size));
    let standard = call.head.header("x-oss-range-behavior") == Some("standard");
    let part = match asked {
        // Without the header above, OSS sends everything when the range makes no sense.
        Some(None) if standard => return Err(invalid_range(&object)),
        Some(part) => part,
        None => None,
    };
    let sent = part.clone().unwrap_or(0..object.size);
    let body = ObjectBody::new(
        Arc::clone(&call.service.disk),
        Arc::clone(&object),
        sent.clone(),
        Arc::clone(call.rate_limiter),
    );
    let mut answer = about(Response::new(body.boxed()), &object);
    if part.is_some() {
        *answer.status_mut() = StatusCode::PARTIAL_CONTENT;
        let range = format!("bytes {}-{}/{}", sent.start, sent.end - 1, object.size);
        answer = answer::set(answer, "content-range", &range);
    }
    for (name, header) in OVERRIDES {
        if let Some(value) = call.head.query(name) {
            answer = answer::set(answer, header, value);
        }
    }
    Ok(answer)
}

fn find(call: &Call<'_>) -> Result<Arc<Object>, Refusal> {
    let object = call.service.disk.object(&call.head.key);
    object.ok_or_else(|| Refusal::no_such_key(&call.head.key))
}

fn about(answer: ServerResponse, object: &Object) -> ServerResponse {
    let mut answer = answer::set(answer, "content-type", "application/octet-stream");
    for (name, value) in &object.headers {
        answer = answer::set(answer, name, value);
    }
    let modified = rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&object.modified);
    answer = answer::set(answer, "last-modified", &modified.unwrap_or_default());
    answer = answer::set(answer, "accept-ranges", "bytes");
    answer = answer::set(answer, "x-oss-object-type", object.kind());
    answer = answer::set(answer, "x-oss-storage-class", "Standard");
    with_checksums(answer, &object.etag, object.crc64)
}

fn invalid_range(object: &Object) -> Refusal {
    Refusal::new(
        StatusCode::RANGE_NOT_SATISFIABLE,
        "InvalidRange",
        "The requested range cannot be satisfied.",
    )
    .field("ActualObjectSize", object.size.to_string())
}

/// `bytes=1-2`, `bytes=1-` or `bytes=-2` of so many bytes, if it makes sense.
fn range(text: &str, size: u64) -> Option<Range<u64>> {
    let (first, last) = text.strip_prefix("bytes=")?.split_once('-')?;
    let range = match (first, last) {
        ("", last) => size.saturating_sub(last.parse().ok()?)..size,
        (first, "") => first.parse().ok()?..size,
        (first, last) => {
            let (first, last): (u64, u64) = (first.parse().ok()?, last.parse().ok()?);
            first..last.checked_add(1)?.min(size)
        }
    };
    (!range.is_empty()).then_some(range)
}

pub(crate) fn delete(call: &Call<'_>) -> Result<ServerResponse, Refusal> {
    call.service.disk.delete(&call.head.key)?;
    Ok(answer::empty(StatusCode::NO_CONTENT))
}

pub(crate) async fn delete_many(mut call: Call<'_>) -> Result<ServerResponse, Refusal> {
    if call.head.header("content-md5").is_none() {
        return Err(
            Refusal::bad_request("MissingArgument", "Missing Some Required Arguments.")
                .field("ArgumentName", "Content-MD5"),
        );
    }
    let body = call.xml_body().await?;
    let DeleteBody::Delete { quiet, objects } = xml::read(&body)?;
    let keys: Vec<_> = objects.into_iter().filter_map(|object| object.key).collect();
    if keys.is_empty() || keys.len() > MAX_DELETED {
        return Err(Refusal::bad_request(
            "MalformedXML",
            "There must be 1 to 1000 objects.",
        ));
    }
    let names = Names::asked_for(call.head);
    let mut result = DeleteResult {
        encoding_type: names.encoding_type(),
        deleted: Vec::new(),
    };
    for key in keys {
        call.service.disk.delete(&key)?;
        if quiet != "true" {
            result.deleted.push(Deleted {
                key: names.write(&key),
            });
        }
    }
    answer::xml(&result)
}

#[derive(Deserialize)]
enum DeleteBody {
    Delete {
        #[serde(rename = "Quiet", default)]
        quiet: String,
        #[serde(rename = "Object", default)]
        objects: Vec<ToDelete>,
    },
}

#[derive(Deserialize)]
struct ToDelete {
    #[serde(rename = "Key")]
    key: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct DeleteResult {
    #[serde(skip_serializing_if = "Option::is_none")]
    encoding_type: Option<&'static str>,
    deleted: Vec<Deleted>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Deleted {
    key: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_those_of_http() {
        assert_eq!(range("bytes=0-0", 10), Some(0..1));
        assert_eq!(range("bytes=3-", 10), Some(3..10));
        assert_eq!(range("bytes=-4", 10), Some(6..10));
        assert_eq!(range("bytes=-40", 10), Some(0..10));
        assert_eq!(range("bytes=3-99", 10), Some(3..10));
        for nonsense in [
            "bytes=10-",
            "bytes=5-4",
            "bytes=a-b",
            "0-1",
            "bytes=",
            "bytes=-0",
            "bytes=1-2,4-5",
        ] {
            assert_eq!(range(nonsense, 10), None, "{nonsense}");
        }
        assert_eq!(range("bytes=0-", 0), None);
    }
}
