//! Multipart uploads.

use crate::answer::{self, ServerResponse};
use crate::call::Call;
use crate::checksum::{Announced, announced_crc64};
use crate::disk::{Completion, Part, Upload};
use crate::listing;
use crate::objects::{kept_headers, with_checksums};
use crate::refusal::Refusal;
use crate::transfer::receive;
use crate::xml::{self, Names};
use hyper::StatusCode;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The highest number of a part, and so how many there can be.
const MAX_PARTS: u32 = 10_000;

pub(crate) fn initiate(call: &Call<'_>) -> Result<ServerResponse, Refusal> {
    let head = call.head;
    let disk = &call.service.disk;
    let id = disk.begin_upload(&head.key, kept_headers(head), head.forbids_overwriting()?)?;
    let names = Names::asked_for(head);
    answer::xml(&InitiateMultipartUploadResult {
        encoding_type: names.encoding_type(),
        bucket: &head.bucket,
        key: names.write(&head.key),
        upload_id: &id,
    })
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct InitiateMultipartUploadResult<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    encoding_type: Option<&'static str>,
    bucket: &'a str,
    key: String,
    upload_id: &'a str,
}

pub(crate) async fn upload_part(mut call: Call<'_>) -> Result<ServerResponse, Refusal> {
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

pub(crate) async fn complete(mut call: Call<'_>) -> Result<ServerResponse, Refusal> {
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
    let names = Names::asked_for(head);
    let answer = answer::xml(&CompleteMultipartUploadResult {
        encoding_type: names.encoding_type(),
        location: format!("http://{}/{}/{}", head.host, head.bucket, head.key),
        bucket: &head.bucket,
        key: names.write(&head.key),
        etag: format!("\"{}\"", object.etag),
    })?;
    Ok(with_checksums(answer, &object.etag, object.crc64))
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct CompleteMultipartUploadResult<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    encoding_type: Option<&'static str>,
    location: String,
    bucket: &'a str,
    key: String,
    #[serde(rename = "ETag")]
    etag: String,
}

#[derive(Deserialize)]
enum CompleteBody {
    CompleteMultipartUpload {
        #[serde(rename = "Part", default)]
        parts: Vec<NamedPart>,
    },
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct NamedPart {
    part_number: Option<String>,
    #[serde(rename = "ETag")]
    etag: Option<String>,
}

/// Number and `ETag` of each part in the XML, in its order.
fn named_parts(body: &[u8]) -> Result<Vec<(u32, String)>, Refusal> {
    let CompleteBody::CompleteMultipartUpload { parts } = xml::read(body)?;
    let named = parts.into_iter().map(|part| {
        let (Some(number), Some(etag)) = (part.part_number, part.etag) else {
            let message = "Each Part needs a PartNumber and an ETag.";
            return Err(Refusal::bad_request("MalformedXML", message));
        };
        Ok((
            part_number(number.trim())?,
            etag.trim().trim_matches('"').to_owned(),
        ))
    });
    let parts = named.collect::<Result<Vec<_>, _>>()?;
    if parts.is_empty() {
        return Err(Refusal::bad_request("MalformedXML", "There are no parts."));
    }
    Ok(parts)
}

pub(crate) fn abort(call: &Call<'_>) -> Result<ServerResponse, Refusal> {
    let id = call.head.required("uploadId")?;
    call.service.disk.abort(&call.head.key, id)?;
    Ok(answer::empty(StatusCode::NO_CONTENT))
}

pub(crate) fn list_parts(call: &Call<'_>) -> Result<ServerResponse, Refusal> {
    let head = call.head;
    let upload = call.service.disk.upload(&head.key, head.required("uploadId")?)?;
    let most = head.number("max-parts", 1000, 1000)?;
    let marker = head.number("part-number-marker", 0, MAX_PARTS as usize)?;
    let after = upload.parts.values().filter(|part| part.number as usize > marker);
    let parts: Vec<_> = after.clone().take(most).collect();
    let names = Names::asked_for(head);
    let last = parts.last().map_or(marker, |part| part.number as usize);
    answer::xml(&ListPartsResult {
        encoding_type: names.encoding_type(),
        bucket: &head.bucket,
        key: names.write(&head.key),
        upload_id: &upload.id,
        storage_class: "Standard",
        part_number_marker: marker,
        next_part_number_marker: last,
        max_parts: most,
        is_truncated: after.count() > parts.len(),
        parts: parts.into_iter().map(ListedPart::of).collect(),
    })
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ListPartsResult<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    encoding_type: Option<&'static str>,
    bucket: &'a str,
    key: String,
    upload_id: &'a str,
    storage_class: &'static str,
    part_number_marker: usize,
    next_part_number_marker: usize,
    max_parts: usize,
    is_truncated: bool,
    #[serde(rename = "Part")]
    parts: Vec<ListedPart>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ListedPart {
    part_number: u32,
    last_modified: String,
    #[serde(rename = "ETag")]
    etag: String,
    hash_crc64ecma: u64,
    size: u64,
}

impl ListedPart {
    fn of(part: &Part) -> Self {
        Self {
            part_number: part.number,
            last_modified: listing::time(part.modified),
            etag: format!("\"{}\"", part.etag),
            hash_crc64ecma: part.crc64,
            size: part.size,
        }
    }
}

pub(crate) fn list_uploads(call: &Call<'_>) -> Result<ServerResponse, Refusal> {
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
    let names = Names::asked_for(head);
    let (next_key, next_id) = match uploads.last() {
        Some(last) if truncated => (last.key.clone(), last.id.clone()),
        _ => (String::new(), String::new()),
    };
    let listed = |upload: Upload| ListedUpload {
        key: names.write(&upload.key),
        upload_id: upload.id,
        storage_class: "Standard",
        initiated: listing::time(upload.initiated),
    };
    answer::xml(&ListMultipartUploadsResult {
        encoding_type: names.encoding_type(),
        bucket: &head.bucket,
        key_marker: names.write(key_marker),
        upload_id_marker: id_marker,
        next_key_marker: names.write(&next_key),
        next_upload_id_marker: next_id,
        delimiter: "",
        prefix: names.write(prefix),
        max_uploads: most,
        is_truncated: truncated,
        uploads: uploads.into_iter().map(listed).collect(),
    })
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ListMultipartUploadsResult<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    encoding_type: Option<&'static str>,
    bucket: &'a str,
    key_marker: String,
    upload_id_marker: &'a str,
    next_key_marker: String,
    next_upload_id_marker: String,
    delimiter: &'static str,
    prefix: String,
    max_uploads: usize,
    is_truncated: bool,
    #[serde(rename = "Upload")]
    uploads: Vec<ListedUpload>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ListedUpload {
    key: String,
    upload_id: String,
    storage_class: &'static str,
    initiated: String,
}
