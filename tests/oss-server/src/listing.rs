//! Listing objects, in both versions, and what the bucket is.

use crate::answer::{self, Answer};
use crate::disk::Object;
use crate::refusal::Refusal;
use crate::service::Call;
use crate::xml::Document;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE;
use jiff::Timestamp;
use std::sync::Arc;

/// Whose everything is.
const OWNER: &str = "1234567890";

/// What is on one page.
struct Page {
    objects: Vec<Arc<Object>>,
    /// What keys have in common up to the delimiter.
    prefixes: Vec<String>,
    /// The last key or prefix, when more follow.
    next: Option<String>,
    /// Whether it says whose the objects are.
    owners: bool,
}

pub(crate) fn objects(call: &Call<'_>) -> Result<Answer, Refusal> {
    let marker = call.head.query("marker").unwrap_or_default();
    let mut page = page(call, marker)?;
    page.owners = true;
    let mut document = begin(call)?;
    document.key("Marker", marker);
    if let Some(next) = &page.next {
        document.key("NextMarker", next);
    }
    Ok(finish(document, &page))
}

pub(crate) fn objects_v2(call: &Call<'_>) -> Result<Answer, Refusal> {
    let start = call.head.query("start-after").unwrap_or_default();
    let token = call.head.query("continuation-token");
    let after = match token {
        Some(token) => decoded(token)
            .ok_or_else(|| Refusal::invalid_argument("The continuation token provided is incorrect."))?,
        None => start.to_owned(),
    };
    let page = page(call, &after)?;
    let mut document = begin(call)?;
    document.key("StartAfter", start);
    if let Some(token) = token {
        document.element("ContinuationToken", token);
    }
    if let Some(next) = &page.next {
        document.element("NextContinuationToken", &URL_SAFE.encode(next));
    }
    document.number("KeyCount", page.objects.len() + page.prefixes.len());
    Ok(finish(document, &page))
}

fn decoded(token: &str) -> Option<String> {
    let bytes = URL_SAFE.decode(token).ok()?;
    String::from_utf8(bytes).ok()
}

fn most(call: &Call<'_>) -> Result<usize, Refusal> {
    call.head.number("max-keys", 100, 1000)
}

fn begin(call: &Call<'_>) -> Result<Document, Refusal> {
    let head = call.head;
    let encoded = head.query("encoding-type") == Some("url");
    let mut document = Document::new("ListBucketResult", encoded);
    document.element("Name", &head.bucket);
    document.key("Prefix", head.query("prefix").unwrap_or_default());
    document.key("Delimiter", head.query("delimiter").unwrap_or_default());
    document.number("MaxKeys", most(call)?);
    Ok(document)
}

fn page(call: &Call<'_>, after: &str) -> Result<Page, Refusal> {
    let most = most(call)?;
    let prefix = call.head.query("prefix").unwrap_or_default();
    let delimiter = call.head.query("delimiter").filter(|text| !text.is_empty());
    let mut page = Page {
        objects: Vec::new(),
        prefixes: Vec::new(),
        next: None,
        owners: call.head.query("fetch-owner") == Some("true"),
    };
    let mut last = String::new();
    for object in call.service.disk.objects() {
        let Some(rest) = object.key.strip_prefix(prefix) else {
            continue;
        };
        let common = delimiter.and_then(|delimiter| {
            let end = rest.find(delimiter)? + delimiter.len();
            Some(format!("{prefix}{}", &rest[..end]))
        });
        let name = common.as_deref().unwrap_or(&object.key);
        // A prefix that was given already, on this page or the one before, stands for all its keys.
        if name <= after || page.prefixes.last().is_some_and(|prefix| prefix == name) {
            continue;
        }
        if page.objects.len() + page.prefixes.len() == most {
            page.next = Some(last);
            break;
        }
        name.clone_into(&mut last);
        match common {
            Some(common) => page.prefixes.push(common),
            None => page.objects.push(object),
        }
    }
    Ok(page)
}

fn finish(mut document: Document, page: &Page) -> Answer {
    document.number("IsTruncated", page.next.is_some());
    for object in &page.objects {
        document.open("Contents");
        document.key("Key", &object.key);
        document.element("LastModified", &time(object.modified));
        document.element("ETag", &format!("\"{}\"", object.etag));
        document.element("Type", object.kind());
        document.number("Size", object.size);
        document.element("StorageClass", "Standard");
        if page.owners {
            document.open("Owner");
            document.element("ID", OWNER);
            document.element("DisplayName", OWNER);
            document.close("Owner");
        }
        document.close("Contents");
    }
    for prefix in &page.prefixes {
        document.open("CommonPrefixes");
        document.key("Prefix", prefix);
        document.close("CommonPrefixes");
    }
    answer::xml(document.finish())
}

pub(crate) fn bucket_info(call: &Call<'_>) -> Answer {
    let settings = &call.service.settings;
    let mut document = Document::new("BucketInfo", false);
    document.open("Bucket");
    document.element("Name", &settings.bucket);
    document.element("Location", &format!("oss-{}", settings.region));
    document.element("StorageClass", "Standard");
    document.close("Bucket");
    answer::xml(document.finish())
}

/// As OSS writes times in XML.
pub(crate) fn time(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%S.000Z").to_string()
}
