//! The bucket of a world of its own.

use super::{World, between, s3};
use crate::harness::http::HttpResponse;
use crate::harness::signed::send_signed;
use crate::harness::stack::stack;
use bytes::Bytes;
use domain::content::PartDigest;

impl World {
    /// A request to the bucket; `path` is a key with a query, or only a query.
    pub(crate) async fn bucket(&self, method: &str, path: &str, body: impl Into<Bytes>) -> HttpResponse {
        s3(method, &format!("/{}{path}", self.name), body).await
    }

    pub(crate) async fn put_object(&self, key: &str, bytes: &[u8]) {
        let bytes = Bytes::copy_from_slice(bytes);
        self.bucket("PUT", &format!("/{key}"), bytes).await.expect(200);
    }

    pub(crate) async fn lose_object(&self, key: &str) {
        self.bucket("DELETE", &format!("/{key}"), "").await.expect(204);
    }

    pub(crate) async fn has_object(&self, key: &str) -> bool {
        self.bucket("HEAD", &format!("/{key}"), "").await.status == 200
    }

    /// Begins a multipart upload as clients of Longshore never could, and returns its id.
    pub(crate) async fn begin_multipart(&self, key: &str) -> String {
        let headers = [
            ("x-amz-checksum-algorithm", "SHA256"),
            ("x-amz-checksum-type", "COMPOSITE"),
        ];
        let url = format!("{}/{}/{key}?uploads=", stack().url_of("s3"), self.name);
        let text = send_signed("s3", "POST", &url, &headers, "")
            .await
            .expect(200)
            .text();
        between(&text, "UploadId").remove(0)
    }

    /// The ids of the multipart uploads whose keys begin with `prefix`.
    pub(crate) async fn multiparts(&self, prefix: &str) -> Vec<String> {
        let text = self
            .bucket("GET", &format!("?prefix={prefix}&uploads="), "")
            .await
            .expect(200)
            .text();
        between(&text, "UploadId")
    }

    /// The keys in the bucket.
    pub(crate) async fn keys(&self) -> Vec<String> {
        between(
            &self.bucket("GET", "?list-type=2", "").await.expect(200).text(),
            "Key",
        )
    }

    /// Makes an object of one part as it was made the first time.
    pub(crate) async fn put_back(&self, key: &str, bytes: &[u8]) {
        let id = self.begin_multipart(key).await;
        let digest = PartDigest::of(bytes).to_string();
        let url = format!("{}/{}/{key}", stack().url_of("s3"), self.name);
        let part = format!("{url}?partNumber=1&uploadId={id}");
        let checksum = [("x-amz-checksum-sha256", digest.as_str())];
        let bytes = Bytes::copy_from_slice(bytes);
        let sent = send_signed("s3", "PUT", &part, &checksum, bytes)
            .await
            .expect(200);
        let parts = format!(
            "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>{}</ETag>\
             <ChecksumSHA256>{digest}</ChecksumSHA256></Part></CompleteMultipartUpload>",
            sent.header("etag")
        );
        let whole = format!("{url}?uploadId={id}");
        send_signed("s3", "POST", &whole, &[], parts).await.expect(200);
    }
}
