//! Multipart uploads.

use super::answer::Answer;
use super::bucket::{Body, Bucket, Completed, Object, Part, Upload, length};
use super::checksum::{self, Algorithm, Checksum};
use super::document::{self, NAMESPACE};
use super::objects::{CHECKSUM_TYPE, description};
use super::refusal::Refusal;
use super::request::Request;
use http::StatusCode;
use http::header::{ETAG, HeaderName};
use jiff::{SignedDuration, Timestamp};
use md5::{Digest, Md5};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The smallest part that is not the last, in bytes.
const SMALLEST: u64 = 5 * 1024 * 1024;
/// The largest number of a part.
const LAST: u32 = 10_000;

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct InitiateMultipartUploadResult<'a> {
    #[serde(rename = "@xmlns")]
    namespace: &'static str,
    bucket: &'a str,
    key: &'a str,
    upload_id: &'a str,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CompleteMultipartUpload {
    #[serde(rename = "@xmlns")]
    _namespace: Option<String>,
    #[serde(rename = "Part", default)]
    parts: Vec<Named>,
}

/// A part, as the request to complete names it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Named {
    #[serde(rename = "PartNumber")]
    number: u32,
    #[serde(rename = "ETag")]
    etag: String,
    #[serde(rename = "ChecksumSHA256")]
    sha256: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct CompleteMultipartUploadResult<'a> {
    #[serde(rename = "@xmlns")]
    namespace: &'static str,
    location: String,
    bucket: &'a str,
    key: &'a str,
    #[serde(rename = "ETag")]
    etag: &'a str,
    #[serde(rename = "ChecksumSHA256", skip_serializing_if = "Option::is_none")]
    sha256: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    checksum_type: Option<&'static str>,
}

pub(crate) fn create(
    bucket: &mut Bucket,
    request: &Request<'_>,
    now: Timestamp,
    number: u64,
) -> Result<Answer, Refusal> {
    let by_sha256 = wants_sha256(request)?;
    // Ids are listed in the order of the beginnings, and are opaque to everybody else.
    let id = format!("upload-{number:016x}");
    let upload = Upload {
        begun_at: now,
        by_sha256,
        description: description(request),
        parts: BTreeMap::new(),
    };
    bucket.uploads.insert((request.key.clone(), id.clone()), upload);
    let result = InitiateMultipartUploadResult {
        namespace: NAMESPACE,
        bucket: &request.bucket,
        key: &request.key,
        upload_id: &id,
    };
    let answer = Answer::document("InitiateMultipartUploadResult", &result)?;
    let algorithm = HeaderName::from_static("x-amz-checksum-algorithm");
    Ok(answer
        .header_if(algorithm, by_sha256.then_some("SHA256"))
        .header_if(CHECKSUM_TYPE, by_sha256.then_some("COMPOSITE")))
}

/// Whether the parts are to have SHA-256s.
fn wants_sha256(request: &Request<'_>) -> Result<bool, Refusal> {
    let algorithm = request.header("x-amz-checksum-algorithm");
    let kind = request.header("x-amz-checksum-type");
    match (algorithm, kind) {
        (None, None) => Ok(false),
        (None, Some(_)) => Err(Refusal::invalid_request(
            "The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header.",
        )),
        (Some("SHA256"), None | Some("COMPOSITE")) => Ok(true),
        // Sums of whole objects can be made of the sums of parts with CRCs only.
        (Some("SHA256"), Some("FULL_OBJECT")) => Err(Refusal::invalid_request(
            "The FULL_OBJECT checksum type cannot be used with the sha256 checksum algorithm.",
        )),
        (Some("SHA256"), Some(_)) => Err(Refusal::invalid_header("x-amz-checksum-type")),
        (Some(other), _) => Err(Refusal::not_implemented(&format!(
            "CreateMultipartUpload with the checksum algorithm {other}"
        ))),
    }
}

pub(crate) fn put_part(
    bucket: &mut Bucket,
    request: &Request<'_>,
    now: Timestamp,
) -> Result<Answer, Refusal> {
    let number: Option<u32> = request.number("partNumber").ok().flatten();
    let number = number
        .filter(|number| (1..=LAST).contains(number))
        .ok_or_else(|| {
            let text = "Part number must be an integer between 1 and 10000, inclusive";
            let value = request.parameter("partNumber").unwrap_or_default();
            Refusal::invalid_argument(text, "partNumber", value)
        })?;
    let (place, id) = place(request);
    let upload = bucket
        .uploads
        .get_mut(&place)
        .ok_or_else(|| Refusal::no_such_upload(&id))?;
    let sums = checksum::verify(request)?;
    let algorithm = sums.checksum.as_ref().map(|checksum| checksum.algorithm);
    if upload.by_sha256 && algorithm != Some(Algorithm::Sha256) {
        let actual = algorithm.map_or("null", Algorithm::name);
        return Err(Refusal::invalid_request(format!(
            "Checksum Type mismatch occurred, expected checksum Type: sha256, actual checksum Type: {actual}"
        )));
    }
    // Of an upload without an algorithm it is verified, and not kept.
    let sha256 = sums
        .checksum
        .filter(|_| upload.by_sha256)
        .map(|checksum| checksum.value);
    // A large file of which all parts are the same is kept in the memory of one.
    let body = request.body();
    let same = upload.parts.values().next().filter(|part| part.body == body);
    let part = Part {
        body: same.map_or_else(|| body.clone(), |part| part.body.clone()),
        sent_at: now,
        md5: sums.md5,
        sha256,
    };
    let answer = Answer::empty(StatusCode::OK)
        .header(ETAG, part.etag())
        .header_if(Algorithm::Sha256.header(), part.sha256.clone());
    upload.parts.insert(number, part);
    Ok(answer)
}

pub(crate) fn abort(bucket: &mut Bucket, request: &Request<'_>) -> Result<Answer, Refusal> {
    let (place, id) = place(request);
    match bucket.uploads.remove(&place) {
        Some(_) => Ok(Answer::empty(StatusCode::NO_CONTENT)),
        None => Err(Refusal::no_such_upload(&id)),
    }
}

pub(crate) fn complete(
    bucket: &mut Bucket,
    request: &Request<'_>,
    now: Timestamp,
    remembers: SignedDuration,
) -> Result<Answer, Refusal> {
    let (place, id) = place(request);
    let Some(upload) = bucket.uploads.get(&place) else {
        let again = completed_before(bucket, request, now, remembers);
        return again.map_or_else(
            || Err(Refusal::no_such_upload(&id)),
            |object| done(request, object),
        );
    };
    let CompleteMultipartUpload { parts: named, .. } = document::read(request.body())?;
    if named.is_empty() {
        return Err(document::malformed());
    }
    if !named.is_sorted_by(|one, next| one.number < next.number) {
        let text = "The list of parts was not in ascending order. Parts must be ordered by part number.";
        return Err(Refusal::new(400, "InvalidPartOrder", text).with("UploadId", id));
    }
    check_kind(request, upload)?;
    let parts = named
        .iter()
        .map(|named| same(upload, named, &id))
        .collect::<Result<Vec<_>, _>>()?;
    check_sizes(request, &named, &parts)?;
    let checksum = checksum_of(request, upload, &named, &parts)?;
    if request.only_if_absent()? && bucket.objects.contains_key(&request.key) {
        return Err(Refusal::precondition_failed());
    }
    let mut md5 = Md5::new();
    for part in &parts {
        md5.update(part.md5);
    }
    let object = Object {
        body: Body::of(parts.iter().map(|part| part.body.clone()).collect()),
        made_at: upload.begun_at,
        etag: format!("\"{}-{}\"", hex::encode(md5.finalize()), parts.len()),
        checksum,
        description: upload.description.clone(),
        upload: Some(id),
    };
    let answer = done(request, &object)?;
    bucket.objects.insert(request.key.clone(), object);
    bucket.uploads.remove(&place);
    let request = request.body().clone();
    bucket.completed.insert(place, Completed { at: now, request });
    Ok(answer)
}

/// The object of a multipart upload that this very request has completed not long ago, if it is still there.
fn completed_before<'a>(
    bucket: &'a Bucket,
    request: &Request<'_>,
    now: Timestamp,
    remembers: SignedDuration,
) -> Option<&'a Object> {
    let (place, id) = place(request);
    let completed = bucket.completed.get(&place)?;
    let is_same = completed.request == request.body() && now.duration_since(completed.at) < remembers;
    let object = bucket.objects.get(&request.key)?;
    (is_same && object.upload == Some(id)).then_some(object)
}

fn done(request: &Request<'_>, object: &Object) -> Result<Answer, Refusal> {
    let result = CompleteMultipartUploadResult {
        namespace: NAMESPACE,
        location: request.raw.uri().path().to_owned(),
        bucket: &request.bucket,
        key: &request.key,
        etag: &object.etag,
        sha256: object.checksum.as_ref().and_then(Checksum::sha256),
        checksum_type: object.checksum.as_ref().map(Checksum::kind),
    };
    Answer::document("CompleteMultipartUploadResult", &result)
}

/// The part that is meant, if it is the one that is there.
fn same<'a>(upload: &'a Upload, named: &Named, id: &str) -> Result<&'a Part, Refusal> {
    if upload.by_sha256 && named.sha256.is_none() {
        return Err(Refusal::invalid_request(format!(
            "The upload was created using a sha256 checksum. The complete request must include the checksum for each \
             part. It was missing for part {} in the request.",
            named.number
        )));
    }
    if let Some(value) = named.sha256.as_deref().filter(|text| !checksum::is_sha256(text)) {
        let text = "Invalid Base64 or multiple checksums present in request";
        let value = format!("SHA256:{value};");
        return Err(Refusal::invalid_argument(text, "Checksum", &value));
    }
    let is_same = |part: &&Part| {
        part.etag().trim_matches('"') == named.etag.trim_matches('"') && part.sha256 == named.sha256
    };
    upload.parts.get(&named.number).filter(is_same).ok_or_else(|| {
        let text = "One or more of the specified parts could not be found.  The part may not have been uploaded, or the \
                    specified entity tag may not match the part's entity tag.";
        Refusal::new(400, "InvalidPart", text)
            .with("UploadId", id)
            .with("PartNumber", named.number.to_string())
            .with("ETag", named.etag.trim_matches('"'))
    })
}

fn check_kind(request: &Request<'_>, upload: &Upload) -> Result<(), Refusal> {
    match request.header("x-amz-checksum-type") {
        None => Ok(()),
        Some("COMPOSITE") if upload.by_sha256 => Ok(()),
        Some(kind) => {
            let created = if upload.by_sha256 { "COMPOSITE" } else { "null" };
            Err(Refusal::invalid_request(format!(
                "The upload was created using the {created} checksum mode. The complete request must use the same \
                 checksum mode, not {kind}."
            )))
        }
    }
}

fn check_sizes(request: &Request<'_>, named: &[Named], parts: &[&Part]) -> Result<(), Refusal> {
    let but_the_last = named.iter().zip(parts).take(parts.len().saturating_sub(1));
    for (named, part) in but_the_last {
        if length(&part.body) < SMALLEST {
            let text = "Your proposed upload is smaller than the minimum allowed size";
            return Err(Refusal::new(400, "EntityTooSmall", text)
                .with("PartNumber", named.number.to_string())
                .with("ETag", named.etag.trim_matches('"'))
                .with("ProposedSize", length(&part.body).to_string())
                .with("MinSizeAllowed", SMALLEST.to_string()));
        }
    }
    let size: u64 = parts.iter().map(|part| length(&part.body)).sum();
    match request.header("x-amz-mp-object-size") {
        Some(said) if said.parse() != Ok(size) => Err(Refusal::invalid_request(format!(
            "The provided 'x-amz-mp-object-size' header value {said} does not match what was computed: {size}"
        ))),
        _ => Ok(()),
    }
}

/// The checksum of the object to be.
fn checksum_of(
    request: &Request<'_>,
    upload: &Upload,
    named: &[Named],
    parts: &[&Part],
) -> Result<Option<Checksum>, Refusal> {
    let header = Algorithm::Sha256.header();
    let said = request.header(header.as_str());
    if !upload.by_sha256 {
        return match said {
            Some(_) => Err(Refusal::not_implemented(
                "checksum of an object whose parts have none",
            )),
            None => Ok(None),
        };
    }
    if !(1..).zip(named).all(|(number, named)| named.number == number) {
        let text = "the numbers of parts with checksums must be consecutive";
        return Err(Refusal::new(500, "InternalError", text));
    }
    let digests = parts
        .iter()
        .map(|part| part.sha256.as_deref().unwrap_or_default());
    let computed = checksum::composite(digests)
        .ok_or_else(|| Refusal::new(500, "InternalError", "a part without a checksum"))?;
    let value = format!("{computed}-{}", parts.len());
    if let Some(said) = said {
        let (digest, count) = said.split_once('-').unwrap_or((said, "1"));
        if !checksum::is_sha256(digest) || count.parse::<u32>().is_err() {
            return Err(Refusal::invalid_header(header.as_str()));
        }
        if said != computed && said != value {
            let text = "The sha256 you specified did not match the calculated checksum.";
            return Err(Refusal::new(400, "BadDigest", text));
        }
    }
    let algorithm = Algorithm::Sha256;
    Ok(Some(Checksum { algorithm, value }))
}

/// Key and id of the upload that a request is about; and the id.
fn place(request: &Request<'_>) -> ((String, String), String) {
    let id = request.parameter("uploadId").unwrap_or_default().to_owned();
    ((request.key.clone(), id.clone()), id)
}
