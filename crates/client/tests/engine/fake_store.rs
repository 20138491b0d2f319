//! The object store: presigned PUTs of parts and ranged GETs, checked as S3 checks them.

use crate::reply::{Reply, body};
use crate::world::{SIGNATURE, World};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use hyper::header::{
    AUTHORIZATION, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG, RANGE,
    TRANSFER_ENCODING,
};
use hyper::http::request::Parts;
use hyper::http::response::Builder;
use hyper::{Method, Response};
use sha2::{Digest, Sha256};
use std::collections::HashMap;

pub(crate) fn digest(bytes: &[u8]) -> String {
    BASE64.encode(Sha256::digest(bytes))
}

/// `PUT part 3`, or `GET 8388608-16777215`, or `GET all`.
pub(crate) fn line(head: &Parts) -> String {
    if head.method == Method::PUT {
        return format!(
            "PUT part {}",
            head.uri.path().rsplit('/').next().unwrap_or_default()
        );
    }
    let range = head
        .headers
        .get(RANGE)
        .map_or("all", |value| value.to_str().unwrap());
    format!("GET {}", range.trim_start_matches("bytes="))
}

pub(crate) fn refusal(status: u16, code: &str) -> Reply {
    let document =
        format!("<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>{SIGNATURE}</Message></Error>");
    Response::builder()
        .status(status)
        .body(body(document.into_bytes()))
        .unwrap()
}

pub(crate) fn handle(world: &mut World, head: &Parts, bytes: Vec<u8>) -> Reply {
    if head.headers.contains_key(AUTHORIZATION) {
        world.log.push("LEAK of the token to the store".to_owned());
    }
    let query: HashMap<&str, &str> = head
        .uri
        .query()
        .unwrap_or_default()
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .collect();
    let serial: usize = query
        .get("serial")
        .and_then(|text| text.parse().ok())
        .unwrap_or(0);
    let signature = if world.oss {
        "x-oss-signature"
    } else {
        "X-Amz-Signature"
    };
    if query.get(signature) != Some(&SIGNATURE) || serial <= world.expired {
        return refusal(403, "AccessDenied");
    }
    let path: Vec<&str> = head.uri.path().trim_start_matches("/store/").split('/').collect();
    match (&head.method, path.as_slice()) {
        (&Method::PUT, [upload, number]) => put(world, head, &query, upload, number.parse().unwrap(), bytes),
        (&Method::GET, [file]) => get(world, head, file),
        _ => refusal(405, "MethodNotAllowed"),
    }
}

fn put(
    world: &mut World,
    head: &Parts,
    query: &HashMap<&str, &str>,
    upload: &str,
    number: u32,
    bytes: Vec<u8>,
) -> Reply {
    let header = |name| {
        head.headers
            .get(name)
            .map(|value| value.to_str().unwrap().to_owned())
    };
    // The checksum is part of the signature: another one, or none, is another request.
    let sum = header("x-amz-checksum-sha256");
    if sum
        .as_deref()
        .map(|sum| sum.replace(['+', '/', '='], "_"))
        .as_deref()
        != query.get("sum").copied()
    {
        return refusal(403, "SignatureDoesNotMatch");
    }
    if header(TRANSFER_ENCODING.as_str()).is_some() {
        return refusal(501, "NotImplemented");
    }
    if header(CONTENT_LENGTH.as_str()) != Some(bytes.len().to_string()) {
        return refusal(411, "MissingContentLength");
    }
    if sum != Some(digest(&bytes)) {
        return refusal(400, "BadDigest");
    }
    let Some(upload) = world.uploads.iter_mut().find(|other| other.facts["id"] == upload) else {
        return refusal(404, "NoSuchUpload");
    };
    let digest = digest(&bytes);
    upload.parts.insert(number, (digest.clone(), bytes));
    let reply = Response::builder().header(ETAG, "\"0123456789abcdef0123456789abcdef\"");
    // Some stores do not repeat it.
    let reply = if world.quiet {
        reply
    } else {
        reply.header("x-amz-checksum-sha256", digest)
    };
    reply.body(body(Vec::new())).unwrap()
}

fn get(world: &World, head: &Parts, file: &str) -> Reply {
    let Some(object) = world.objects.get(file) else {
        return refusal(404, "NoSuchKey");
    };
    let range = head.headers.get(RANGE).filter(|_| !world.ignore_ranges);
    let reply = described(world);
    let Some(range) = range else {
        return reply.body(body(object.clone())).unwrap();
    };
    let (first, last) = range
        .to_str()
        .unwrap()
        .trim_start_matches("bytes=")
        .split_once('-')
        .unwrap();
    let (first, last): (usize, usize) = (first.parse().unwrap(), last.parse().unwrap());
    if first >= object.len() {
        return refusal(416, "InvalidRange");
    }
    let last = last.min(object.len() - 1);
    reply
        .status(206)
        .header(CONTENT_RANGE, format!("bytes {first}-{last}/{}", object.len()))
        .body(body(object[first..=last].to_vec()))
        .unwrap()
}

/// What either store says about an object besides its bytes.
fn described(world: &World) -> Builder {
    let reply = Response::builder()
        .header(CONTENT_TYPE, "application/octet-stream")
        .header(CONTENT_DISPOSITION, "attachment; filename=\"remote.bin\"");
    if world.oss {
        reply
            .header(ETAG, "\"5B3C1A2E053D763E1B002CC607C5A0FE-5\"")
            .header("x-oss-object-type", "Multipart")
            .header("x-oss-hash-crc64ecma", "11051210869376104954")
    } else {
        reply
            .header(ETAG, "\"0123456789abcdef0123456789abcdef-5\"")
            .header("x-amz-checksum-type", "COMPOSITE")
    }
}
