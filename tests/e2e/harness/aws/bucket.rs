//! The primary bucket.

use super::protocols::all_between;
use super::role::percent_encoded;
use crate::harness::http::HttpResponse;
use crate::harness::signed::send_signed;
use crate::harness::stack::stack;

/// A request to the primary bucket; `path` is a key with a query, or only a query.
async fn s3(method: &str, path: &str) -> HttpResponse {
    s3_with(method, path, "").await
}

async fn s3_with(method: &str, path: &str, body: impl Into<bytes::Bytes>) -> HttpResponse {
    let url = format!("{}/{}{path}", stack().url_of("s3"), stack().bucket);
    send_signed("s3", method, &url, &[], body).await
}

/// An object's bytes; `None` when there is no such object.
pub(crate) async fn object(key: &str) -> Option<bytes::Bytes> {
    let answer = s3("GET", &format!("/{key}")).await;
    if answer.status == 404 {
        return None;
    }
    Some(answer.expect(200).body)
}

/// Replaces an object behind everybody's back, as a failing disk would.
pub(crate) async fn spoil_object(key: &str) {
    let mut bytes = object(key).await.unwrap().to_vec();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    s3_with("PUT", &format!("/{key}"), bytes).await.expect(200);
}

/// Deletes an object behind everybody's back.
pub(crate) async fn lose_object(key: &str) {
    s3("DELETE", &format!("/{key}")).await.expect(204);
}

/// The ids of the multipart uploads under way for a key.
pub(crate) async fn multipart_uploads(key: &str) -> Vec<String> {
    let document = s3("GET", &format!("?uploads&prefix={key}"))
        .await
        .expect(200)
        .text();
    all_between(&document, "<UploadId>", "</UploadId>")
}

/// The keys of all objects.
pub(crate) async fn object_keys() -> Vec<String> {
    let mut keys: Vec<String> = Vec::new();
    loop {
        let after = keys.last().map(|key| percent_encoded(key)).unwrap_or_default();
        let listed = s3("GET", &format!("?list-type=2&start-after={after}")).await;
        let document = listed.expect(200).text();
        keys.extend(all_between(&document, "<Key>", "</Key>"));
        if !document.contains("<IsTruncated>true") {
            return keys;
        }
    }
}

/// The keys and ids of all multipart uploads under way.
pub(crate) async fn all_multipart_uploads() -> Vec<(String, String)> {
    let document = s3("GET", "?uploads").await.expect(200).text();
    assert!(!document.contains("<IsTruncated>true"), "too many for one answer");
    let keys = all_between(&document, "<Key>", "</Key>").into_iter();
    keys.zip(all_between(&document, "<UploadId>", "</UploadId>"))
        .collect()
}

/// Aborts a multipart upload, as a lifecycle rule would.
pub(crate) async fn abort_multipart(key: &str, multipart_id: &str) {
    s3("DELETE", &format!("/{key}?uploadId={multipart_id}"))
        .await
        .expect(204);
}
