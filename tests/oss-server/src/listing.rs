//! Listing objects, in both versions, and what the bucket is.

use crate::answer::{self, ServerResponse};
use crate::call::Call;
use crate::disk::Object;
use crate::refusal::Refusal;
use crate::xml::Names;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE;
use jiff::Timestamp;
use serde::Serialize;
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

pub(crate) fn objects(call: &Call<'_>) -> Result<ServerResponse, Refusal> {
    let marker = call.head.query("marker").unwrap_or_default();
    let mut page = page(call, marker)?;
    page.owners = true;
    let names = Names::asked_for(call.head);
    answer::xml(&ListBucketResult {
        marker: Some(names.write(marker)),
        next_marker: page.next.as_deref().map(|next| names.write(next)),
        ..ListBucketResult::of(call, &page)?
    })
}

pub(crate) fn objects_v2(call: &Call<'_>) -> Result<ServerResponse, Refusal> {
    let start = call.head.query("start-after").unwrap_or_default();
    let token = call.head.query("continuation-token");
    let after = match token {
        Some(token) => decoded(token)
            .ok_or_else(|| Refusal::invalid_argument("The continuation token provided is incorrect."))?,
        None => start.to_owned(),
    };
    let page = page(call, &after)?;
    answer::xml(&ListBucketResult {
        start_after: Some(Names::asked_for(call.head).write(start)),
        continuation_token: token,
        next_continuation_token: page.next.as_ref().map(|next| URL_SAFE.encode(next)),
        key_count: Some(page.objects.len() + page.prefixes.len()),
        ..ListBucketResult::of(call, &page)?
    })
}

fn decoded(token: &str) -> Option<String> {
    let bytes = URL_SAFE.decode(token).ok()?;
    String::from_utf8(bytes).ok()
}

fn most(call: &Call<'_>) -> Result<usize, Refusal> {
    call.head.number("max-keys", 100, 1000)
}

/// A page, in either version of the operation.
#[derive(Default, Serialize)]
#[serde(rename_all = "PascalCase")]
struct ListBucketResult<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    encoding_type: Option<&'static str>,
    name: &'a str,
    prefix: String,
    delimiter: String,
    max_keys: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    marker: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_marker: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    start_after: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    continuation_token: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_continuation_token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    key_count: Option<usize>,
    is_truncated: bool,
    contents: Vec<Contents>,
    common_prefixes: Vec<CommonPrefix>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Contents {
    key: String,
    last_modified: String,
    #[serde(rename = "ETag")]
    etag: String,
    #[serde(rename = "Type")]
    kind: &'static str,
    size: u64,
    storage_class: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    owner: Option<Owner>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Owner {
    #[serde(rename = "ID")]
    id: &'static str,
    display_name: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct CommonPrefix {
    prefix: String,
}

impl<'a> ListBucketResult<'a> {
    /// What both versions say.
    fn of(call: &Call<'a>, page: &Page) -> Result<Self, Refusal> {
        let head = call.head;
        let names = Names::asked_for(head);
        let contents = page.objects.iter().map(|object| Contents {
            key: names.write(&object.key),
            last_modified: time(object.modified),
            etag: format!("\"{}\"", object.etag),
            kind: object.kind(),
            size: object.size,
            storage_class: "Standard",
            owner: page.owners.then_some(Owner {
                id: OWNER,
                display_name: OWNER,
            }),
        });
        let prefixes = page.prefixes.iter().map(|prefix| CommonPrefix {
            prefix: names.write(prefix),
        });
        Ok(Self {
            encoding_type: names.encoding_type(),
            name: &head.bucket,
            prefix: names.write(head.query("prefix").unwrap_or_default()),
            delimiter: names.write(head.query("delimiter").unwrap_or_default()),
            max_keys: most(call)?,
            is_truncated: page.next.is_some(),
            contents: contents.collect(),
            common_prefixes: prefixes.collect(),
            ..Self::default()
        })
    }
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

pub(crate) fn bucket_info(call: &Call<'_>) -> Result<ServerResponse, Refusal> {
    let settings = &call.service.settings;
    answer::xml(&BucketInfo {
        bucket: Bucket {
            name: &settings.bucket,
            location: format!("oss-{}", settings.region),
            storage_class: "Standard",
        },
    })
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct BucketInfo<'a> {
    bucket: Bucket<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Bucket<'a> {
    name: &'a str,
    location: String,
    storage_class: &'static str,
}

/// As OSS writes times in XML.
pub(crate) fn time(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%S.000Z").to_string()
}
