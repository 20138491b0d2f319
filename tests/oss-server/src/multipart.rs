//! Multipart uploads.

use crate::answer::{self, Answer};
use crate::checksum::{Announced, announced_crc64};
use crate::disk::{Completion, Part, Upload};
use crate::listing;
use crate::objects::{kept_headers, with_checksums};
use crate::refusal::Refusal;
use crate::request::Head;
use crate::service::Call;
use crate::transfer::receive;
use crate::xml::{Document, leaves};
use hyper::StatusCode;
use jiff::Timestamp;

/// The highest number of a part, and so how many there can be.
const MAX_PARTS: u32 = 10_000;

pub(crate) fn initiate(call: &Call<'_>) -> Result<Answer, Refusal> {
    let head = call.head;
    let disk = &call.service.disk;
    let id = disk.begin_upload(&head.key, kept_headers(head), head.forbids_overwriting()?)?;
    let mut document = Document::new("InitiateMultipartUploadResult", encoded(head));
    document.element("Bucket", &head.bucket);
    document.key("Key", &head.key);
    document.element("UploadId", &id);
    Ok(answer::xml(document.finish()))
}

fn encoded(head: &Head) -> bool {
    head.query("encoding-type") == Some("url")
}

pub(crate) async fn upload_part(mut call: Call<'_>) -> Result<Answer, Refusal> {
    let head = call.head;
    let disk = &call.service.disk;
    let number = part_number(head.required("partNumber")?)?;
    let id = head.required("uploadId")?;
    let announced = Announced::of(head)?;
    disk.expect_upload(&head.key, id)?;
    let mut blob = disk.new_blob()?;
    let sums = receive(&mut call, &mut blob).await?;
    announced.check(&sums)?;
    let part = Part {
        number,
        size: sums.size,
        etag: sums.etag(call.service.settings.etags),
        crc64: sums.crc64,
        modified: Timestamp::now(),
        blob: blob.name.clone(),
    };
    let answer = with_checksums(answer::empty(StatusCode::OK), &part.etag, part.crc64);
    disk.add_part(&head.key, id, part, blob)?;
    Ok(answer)
}

fn part_number(text: &str) -> Result<u32, Refusal> {
    let number = text
        .parse()
        .ok()
        .filter(|number| (1..=MAX_PARTS).contains(number));
    number.ok_or_else(|| {
        Refusal::invalid_argument(format!(
            "Part number must be an integer between 1 and {MAX_PARTS}, inclusive."
        ))
        .field("ArgumentName", "partNumber")
        .field("ArgumentValue", text)
    })
}

pub(crate) async fn complete(mut call: Call<'_>) -> Result<Answer, Refusal> {
    let head = call.head;
    let id = head.required("uploadId")?;
    let disk = &call.service.disk;
    if head.header("x-oss-complete-all").is_some() {
        return Err(Refusal::not_implemented("x-oss-complete-all"));
    }
    disk.expect_upload(&head.key, id)?;
    let body = call.xml_body().await?;
    let completion = Completion {
        parts: named_parts(&body)?,
        forbid_overwriting: head.forbids_overwriting()?,
        crc64: announced_crc64(head)?,
    };
    let object = disk.complete(&head.key, id, &completion)?;
    let mut document = Document::new("CompleteMultipartUploadResult", encoded(head));
    document.element(
        "Location",
        &format!("http://{}/{}/{}", head.host, head.bucket, head.key),
    );
    document.element("Bucket", &head.bucket);
    document.key("Key", &head.key);
    document.element("ETag", &format!("\"{}\"", object.etag));
    Ok(with_checksums(
        answer::xml(document.finish()),
        &object.etag,
        object.crc64,
    ))
}

/// Number and `ETag` of each part in the XML, in its order.
fn named_parts(body: &[u8]) -> Result<Vec<(u32, String)>, Refusal> {
    let mut parts = Vec::new();
    let (mut number, mut etag) = (None, None);
    for leaf in leaves(body, "CompleteMultipartUpload")? {
        match (leaf.parent.as_str(), leaf.name.as_str()) {
            ("Part", "PartNumber") => number = Some(part_number(leaf.text.trim())?),
            ("Part", "ETag") => etag = Some(leaf.text.trim().trim_matches('"').to_owned()),
            (_, "Part") => {
                let part = number.take().zip(etag.take());
                parts.push(part.ok_or_else(|| {
                    Refusal::bad_request("MalformedXML", "Each Part needs a PartNumber and an ETag.")
                })?);
            }
            _ => {}
        }
    }
    if parts.is_empty() {
        return Err(Refusal::bad_request("MalformedXML", "There are no parts."));
    }
    Ok(parts)
}

pub(crate) fn abort(call: &Call<'_>) -> Result<Answer, Refusal> {
    let id = call.head.required("uploadId")?;
    call.service.disk.abort(&call.head.key, id)?;
    Ok(answer::empty(StatusCode::NO_CONTENT))
}

pub(crate) fn list_parts(call: &Call<'_>) -> Result<Answer, Refusal> {
    let head = call.head;
    let upload = call.service.disk.upload(&head.key, head.required("uploadId")?)?;
    let most = head.number("max-parts", 1000, 1000)?;
    let marker = head.number("part-number-marker", 0, MAX_PARTS as usize)?;
    let after = upload.parts.values().filter(|part| part.number as usize > marker);
    let parts: Vec<_> = after.clone().take(most).collect();
    let mut document = Document::new("ListPartsResult", encoded(head));
    document.element("Bucket", &head.bucket);
    document.key("Key", &head.key);
    document.element("UploadId", &upload.id);
    document.element("StorageClass", "Standard");
    document.number("PartNumberMarker", marker);
    let last = parts.last().map_or(marker, |part| part.number as usize);
    document.number("NextPartNumberMarker", last);
    document.number("MaxParts", most);
    document.number("IsTruncated", after.count() > parts.len());
    for part in parts {
        document.open("Part");
        document.number("PartNumber", part.number);
        document.element("LastModified", &listing::time(part.modified));
        document.element("ETag", &format!("\"{}\"", part.etag));
        document.number("HashCrc64ecma", part.crc64);
        document.number("Size", part.size);
        document.close("Part");
    }
    Ok(answer::xml(document.finish()))
}

pub(crate) fn list_uploads(call: &Call<'_>) -> Result<Answer, Refusal> {
    let head = call.head;
    let most = head.number("max-uploads", 1000, 1000)?;
    let prefix = head.query("prefix").unwrap_or_default();
    let key_marker = head.query("key-marker").unwrap_or_default();
    let id_marker = head.query("upload-id-marker").unwrap_or_default();
    if head
        .query("delimiter")
        .is_some_and(|delimiter| !delimiter.is_empty())
    {
        return Err(Refusal::not_implemented("delimiter for ListMultipartUploads"));
    }
    // Without an id the marker is the last key of which everything is known already; with one, it is one upload.
    let is_after = |upload: &Upload| match upload.key.as_str().cmp(key_marker) {
        std::cmp::Ordering::Equal => !id_marker.is_empty() && upload.id.as_str() > id_marker,
        order => order.is_gt(),
    };
    let mut uploads = call.service.disk.uploads();
    uploads.retain(|upload| upload.key.starts_with(prefix) && is_after(upload));
    let truncated = uploads.len() > most;
    uploads.truncate(most);
    let mut document = Document::new("ListMultipartUploadsResult", encoded(head));
    document.element("Bucket", &head.bucket);
    document.key("KeyMarker", key_marker);
    document.element("UploadIdMarker", id_marker);
    let last = uploads.last().filter(|_| truncated);
    document.key("NextKeyMarker", last.map_or("", |upload| &upload.key));
    document.element("NextUploadIdMarker", last.map_or("", |upload| &upload.id));
    document.key("Delimiter", "");
    document.key("Prefix", prefix);
    document.number("MaxUploads", most);
    document.number("IsTruncated", truncated);
    for upload in uploads {
        document.open("Upload");
        document.key("Key", &upload.key);
        document.element("UploadId", &upload.id);
        document.element("StorageClass", "Standard");
        document.element("Initiated", &listing::time(upload.initiated));
        document.close("Upload");
    }
    Ok(answer::xml(document.finish()))
}
