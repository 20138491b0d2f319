//! What arrived at Ceph, as Ceph itself lists it.

use crate::books::Pending;
use crate::stack::Ceph;
use anyhow::{Context, Result, ensure};
use futures::{StreamExt, TryStreamExt, stream};
use std::collections::HashMap;

/// So many deletions at once.
const AT_ONCE: usize = 8;

/// Stops unless every file is there below `prefix` with its size and the checksum that was computed from the bytes as
/// they were made, and nothing else is, and no multipart upload is left.
pub(crate) async fn verify(ceph: &Ceph, prefix: &str, files: &[Pending]) -> Result<()> {
    let mut there = list(ceph, prefix).await?;
    for file in files {
        let source = &file.source;
        let key = format!("{prefix}{}", source.blob);
        let found = there.remove(&key);
        let expected = (source.size, source.etag.clone());
        ensure!(
            found.as_ref() == Some(&expected),
            "{key} was copied wrongly: {found:?} instead of {expected:?}"
        );
    }
    ensure!(there.is_empty(), "more was copied than there is: {there:?}");
    let path = format!("/{}?prefix={}&uploads=", ceph.bucket, encoded(prefix));
    let left = ceph.place.send("s3", "GET", &path, &[], "").await?;
    let left = left.succeeded("ListMultipartUploads")?.text();
    ensure!(!left.contains("<UploadId>"), "a multipart upload is left: {left}");
    Ok(())
}

/// Removes everything below `prefix`.
pub(crate) async fn empty(ceph: &Ceph, prefix: &str) -> Result<()> {
    let keys = list(ceph, prefix).await?.into_keys();
    let deletions = keys.map(|key| async move {
        let path = format!("/{}/{key}", ceph.bucket);
        let answer = ceph.place.send("s3", "DELETE", &path, &[], "").await?;
        answer.succeeded("DeleteObject").map(|_| ())
    });
    stream::iter(deletions)
        .buffer_unordered(AT_ONCE)
        .try_collect()
        .await
}

/// Sizes and `ETag`s by key.
async fn list(ceph: &Ceph, prefix: &str) -> Result<HashMap<String, (u64, String)>> {
    let mut found = HashMap::new();
    let mut token = String::new();
    loop {
        let path = format!("/{}?{token}list-type=2&prefix={}", ceph.bucket, encoded(prefix));
        let answer = ceph.place.send("s3", "GET", &path, &[], "").await?;
        let page = answer.succeeded("ListObjectsV2")?.text();
        for object in page.split("<Contents>").skip(1) {
            found.extend([parse(object).with_context(|| format!("not understood: {object}"))?]);
        }
        match between(&page, "NextContinuationToken") {
            Some(next) => token = format!("continuation-token={}&", encoded(next)),
            None => return Ok(found),
        }
    }
}

fn parse(object: &str) -> Option<(String, (u64, String))> {
    let etag = between(object, "ETag")?.replace("&quot;", "").replace('"', "");
    Some((
        between(object, "Key")?.to_owned(),
        (between(object, "Size")?.parse().ok()?, etag),
    ))
}

fn between<'a>(text: &'a str, tag: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(&format!("<{tag}>"))?;
    Some(rest.split_once(&format!("</{tag}>"))?.0)
}

/// As a value in a query.
fn encoded(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
    text.bytes()
        .map(|byte| {
            if plain(byte) {
                char::from(byte).to_string()
            } else {
                format!("%{byte:02X}")
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listing_is_understood() {
        let object = "<Key>rclone/a</Key><ETag>&quot;0a1b-2&quot;</ETag><Size>17</Size>";
        assert_eq!(
            parse(object),
            Some(("rclone/a".to_owned(), (17, "0a1b-2".to_owned())))
        );
        assert_eq!(encoded("a/b=c"), "a%2Fb%3Dc");
    }
}
