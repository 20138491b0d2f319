//! The files to copy: put through Longshore as any client would, so that a replica of each is pending.

use crate::aws::AwsEndpoint;
use crate::stack::Stack;
use anyhow::{Context, Result, bail, ensure};
use bytes::Bytes;
use client::Api;
use client::session::{InMemory, Tokens};
use client::types::{NewUpload, OnConflict, PartToSign, Upload, UploadState};
use domain::content::{PartDigest, PartPlan};
use futures::future::try_join_all;
use jiff::Timestamp;
use md5::{Digest, Md5};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

const PASSWORD: &str = "correct horse battery";
/// So many accounts upload at once, each its own files: two uploads of one account wait for each other's quota.
const ACCOUNTS: usize = 4;

/// One file, as its copies must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Source {
    /// Its key in the bucket is `blobs/<blob>`, at the target just this.
    pub(crate) blob: String,
    pub(crate) size: u64,
    /// Computed here from the bytes that were made, part by part.
    pub(crate) etag: String,
}

/// Uploads new files of random bytes.
pub(crate) async fn make(stack: &Stack, sizes: &[u64]) -> Result<Vec<Source>> {
    let shares = (0..ACCOUNTS.min(sizes.len())).map(|account| {
        let mine = sizes.iter().skip(account).step_by(ACCOUNTS).copied();
        upload_all(stack, mine.collect())
    });
    Ok(try_join_all(shares).await?.concat())
}

async fn upload_all(stack: &Stack, sizes: Vec<u64>) -> Result<Vec<Source>> {
    let api = Api::new(&stack.api_url)?;
    let name = format!("b{:x}", unique());
    let account = api.create_account(&name, PASSWORD).await?;
    let session = api.create_session(&name, PASSWORD).await?;
    let api = api.with_session(Tokens::of(session, Timestamp::now()), Box::new(InMemory));
    let mut etags = HashMap::new();
    for (index, size) in sizes.iter().enumerate() {
        let name = format!("file-{index}");
        let etag = upload(&api, &stack.aws, &name, *size).await;
        etags.insert(
            name.clone(),
            etag.with_context(|| format!("{name} of {size} bytes"))?,
        );
    }
    let files = files_of(stack, &account.id, &etags).await?;
    ensure!(files.len() == sizes.len(), "some files are not in the table");
    Ok(files)
}

/// Uploads one file, and returns the `ETag` that a faithful copy has.
async fn upload(api: &Api, store: &AwsEndpoint, name: &str, size: u64) -> Result<String> {
    let new = NewUpload {
        name: name.to_owned(),
        parent: None,
        size,
        content_type: None,
        content_id: None,
        on_conflict: OnConflict::Fail,
    };
    let upload = api.create_upload(&new).await?;
    let plan = PartPlan::for_size(size)?;
    let mut digests = Vec::new();
    for number in 1..=plan.part_count() {
        let length = plan.part_length(number).context("a part without a length")?;
        let bytes = fresh(usize::try_from(length)?);
        digests.push(<[u8; 16]>::from(Md5::digest(&bytes)));
        send_part(api, store, &upload, number, bytes).await?;
    }
    complete(api, &upload).await?;
    Ok(etag(&digests))
}

async fn send_part(api: &Api, store: &AwsEndpoint, upload: &Upload, number: u32, bytes: Bytes) -> Result<()> {
    let sha256 = PartDigest::of(&bytes);
    let signed = api
        .sign_parts(&upload.id, &[PartToSign { number, sha256 }])
        .await?;
    let signed = signed.first().context("no URL for a part")?;
    let headers = signed
        .headers
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()));
    let answer = store.presigned(signed.url.reveal(), headers, bytes).await?;
    answer.succeeded("UploadPart").map(|_| ())
}

async fn complete(api: &Api, upload: &Upload) -> Result<()> {
    for _ in 0..300 {
        if api.complete_upload(&upload.id).await?.state == UploadState::Complete {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    bail!("the upload does not become complete")
}

/// What an S3 store calls an object of these parts: the MD5 of the only one, or that over all of them.
fn etag(parts: &[[u8; 16]]) -> String {
    match parts {
        [only] => hex::encode(only),
        many => format!("{}-{}", hex::encode(Md5::digest(many.concat())), many.len()),
    }
}

/// The API does not tell where bytes are; the table does.
async fn files_of(stack: &Stack, account: &str, etags: &HashMap<String, String>) -> Result<Vec<Source>> {
    let mut sources = Vec::new();
    for node in crate::books::items(stack, &format!("ACCOUNT#{account}"), "NODE#").await? {
        let content = &node["file"]["M"];
        let (name, blob) = (node["name"]["S"].as_str(), content["blob"]["S"].as_str());
        let size = content["size"]["N"].as_str().and_then(|text| text.parse().ok());
        let etag = name.and_then(|name| etags.get(name));
        let (blob, size, etag) = (blob.zip(size).zip(etag))
            .map(|((blob, size), etag)| (blob, size, etag))
            .with_context(|| format!("not a file of ours: {node}"))?;
        sources.push(Source {
            blob: blob.to_owned(),
            size,
            etag: etag.clone(),
        });
    }
    Ok(sources)
}

/// A message that says to begin, and the queue that it was in.
#[derive(Debug, Clone)]
pub(crate) struct Message {
    pub(crate) queue_url: String,
    pub(crate) body: String,
}

/// The messages that say to begin, for every new file, by blob. They are taken out of the queues.
pub(crate) async fn take_messages(stack: &Stack, sources: &[Source]) -> Result<HashMap<String, Message>> {
    let mut found: HashMap<String, Message> = HashMap::new();
    while sources.iter().any(|source| !found.contains_key(&source.blob)) {
        let before = found.len();
        for mapping in &stack.mappings {
            let receive =
                json!({ "QueueUrl": mapping.queue_url, "MaxNumberOfMessages": 10, "WaitTimeSeconds": 1 });
            let answer = stack
                .aws
                .json("sqs", "AmazonSQS.ReceiveMessage", &receive)
                .await?;
            for received in answer["Messages"].as_array().into_iter().flatten() {
                let body = crate::stack::text(received, "Body")?.to_owned();
                let said: Value = serde_json::from_str(&body)?;
                let message = Message {
                    queue_url: mapping.queue_url.clone(),
                    body,
                };
                found.insert(crate::stack::text(&said, "blob")?.to_owned(), message);
                let delete =
                    json!({ "QueueUrl": mapping.queue_url, "ReceiptHandle": received["ReceiptHandle"] });
                stack.aws.json("sqs", "AmazonSQS.DeleteMessage", &delete).await?;
            }
        }
        ensure!(
            found.len() > before,
            "no message says to copy some of the files; does the stack replicate to {}?",
            crate::stack::TARGET
        );
    }
    Ok(found)
}

/// A number that no other call has got, in this process or another.
pub(crate) fn unique() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let nanos = u64::try_from(now.as_nanos() & u128::from(u64::MAX >> 1)).unwrap_or_default();
    nanos.wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed) << 40)
}

/// Bytes that nobody has stored yet: equal ones would be stored once.
fn fresh(length: usize) -> Bytes {
    let mut state = unique().wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes.truncate(length);
    bytes.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn etags_are_those_of_s3() {
        let parts = [b"hello ", b"world!"].map(|part| Md5::digest(part).into());
        // Computed with Python's hashlib.
        assert_eq!(etag(&parts), "8ae2532e3bf1d4178d0aa9ca8a20f149-2");
        assert_eq!(etag(&parts[..1]), "f814893777bcc2295fff05f00e508da6");
    }

    #[test]
    fn bytes_are_new_every_time() {
        assert_eq!(fresh(13).len(), 13);
        assert_ne!(fresh(64), fresh(64));
    }
}
