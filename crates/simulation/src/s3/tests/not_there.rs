//! What the double lacks, and what a test sees of it.

use super::{BUCKET, client, double};
use crate::s3::operation;
use aws_sdk_s3::Client;
use aws_sdk_s3::config::Builder;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::StorageClass;
use bytes::Bytes;
use conformance::s3::{is, put, refused, sha256, some_bytes};
use http::Request;

const KEY: &str = "a/key";

#[tokio::test]
async fn what_the_double_lacks_is_said() {
    let double = double();
    let client = client(&double);
    put(&client, BUCKET, KEY, &some_bytes(10, 1)).await;
    let expected = is(501, "NotImplemented");
    let answer = client.get_object_tagging().bucket(BUCKET).key(KEY).send().await;
    assert_eq!(refused(answer), expected);
    let request = client
        .copy_object()
        .bucket(BUCKET)
        .key("b")
        .copy_source("bucket/a/key");
    let error = request.send().await.unwrap_err();
    assert!(format!("{error:?}").contains("CopyObject"), "{error:?}");
    assert_eq!(refused::<(), _>(Err(error)), expected);
    let answer = client
        .list_objects_v2()
        .bucket(BUCKET)
        .delimiter("/")
        .send()
        .await;
    assert_eq!(refused(answer), expected);
    let answer = client
        .get_object()
        .bucket(BUCKET)
        .key(KEY)
        .if_match("\"a\"")
        .send()
        .await;
    assert_eq!(refused(answer), expected);
    let answer = client
        .get_object()
        .bucket(BUCKET)
        .key(KEY)
        .part_number(1)
        .send()
        .await;
    assert_eq!(refused(answer), expected);
    let request = client.put_object().bucket(BUCKET).key("b");
    let request = request
        .storage_class(StorageClass::Glacier)
        .body(ByteStream::from_static(b"b"));
    assert_eq!(refused(request.send().await), expected);
    let request = client.put_object().bucket(BUCKET).key("b").cache_control("none");
    assert_eq!(
        refused(request.body(ByteStream::from_static(b"b")).send().await),
        expected
    );
    let answer = client.list_buckets().send().await;
    assert_eq!(refused(answer), expected);
    assert_eq!(double.lock().0.objects(BUCKET).count(), 1);
}

#[tokio::test]
async fn the_bucket_may_be_in_the_name_of_the_host() {
    let double = double();
    let config = Builder::from(&double.sdk()).endpoint_url("http://s3.simulation");
    let client = Client::from_conf(config.build());
    put(&client, BUCKET, KEY, &some_bytes(10, 1)).await;
    assert_eq!(double.lock().0.read(BUCKET, KEY).unwrap(), some_bytes(10, 1));
}

#[tokio::test]
async fn objects_that_a_test_sees_and_loses() {
    let double = double();
    let client = client(&double);
    put(&client, BUCKET, KEY, &some_bytes(10, 1)).await;
    let s3 = &mut double.lock().0;
    let seen: Vec<_> = s3.objects(BUCKET).collect();
    assert_eq!((seen.len(), seen[0].key.as_str(), seen[0].size), (1, KEY, 10));
    assert_eq!(seen[0].sha256, Some(sha256(&some_bytes(10, 1))));
    assert_eq!(s3.read(BUCKET, "b"), None);
    assert_eq!(s3.objects("none").count() + s3.uploads("none").count(), 0);
    assert!(s3.remove_object(BUCKET, KEY));
    assert!(!s3.remove_object(BUCKET, KEY));
    assert!(!s3.remove_object("none", KEY));
    assert_eq!(s3.objects(BUCKET).count(), 0);
}

#[test]
fn operations_by_their_requests() {
    for (method, url, expected) in [
        ("PUT", "http://s3.simulation/b/a/key", "PutObject"),
        ("PUT", "http://s3.simulation/b/k?x-id=PutObject", "PutObject"),
        (
            "PUT",
            "http://b.s3.simulation/k?partNumber=1&uploadId=i",
            "UploadPart",
        ),
        (
            "PUT",
            "http://s3.simulation/b/k?partNumber=1&uploadId=i&X-Amz-Date=1",
            "UploadPart",
        ),
        ("GET", "http://s3.simulation/b/k", "GetObject"),
        (
            "GET",
            "http://s3.simulation/b/k?response-content-type=a",
            "GetObject",
        ),
        (
            "GET",
            "http://s3.simulation/b/k?uploadId=i&max-parts=1",
            "ListParts",
        ),
        ("GET", "http://s3.simulation/b?uploads", "ListMultipartUploads"),
        (
            "GET",
            "http://s3.simulation/b/?list-type=2&prefix=a",
            "ListObjectsV2",
        ),
        ("GET", "http://b.s3.simulation/?list-type=2", "ListObjectsV2"),
        ("HEAD", "http://s3.simulation/b", "HeadBucket"),
        ("HEAD", "http://s3.simulation/b/k", "HeadObject"),
        (
            "POST",
            "http://s3.simulation/b/k?uploads",
            "CreateMultipartUpload",
        ),
        (
            "POST",
            "http://s3.simulation/b/k?uploadId=i",
            "CompleteMultipartUpload",
        ),
        ("POST", "http://s3.simulation/b?delete", "DeleteObjects"),
        ("DELETE", "http://s3.simulation/b/k", "DeleteObject"),
        (
            "DELETE",
            "http://s3.simulation/b/k?uploadId=i",
            "AbortMultipartUpload",
        ),
        ("GET", "http://s3.simulation/b", "Unknown"),
        ("GET", "http://s3.simulation/b/k?tagging", "Unknown"),
        ("DELETE", "http://s3.simulation/b", "Unknown"),
        ("POST", "http://s3.simulation/b/k", "Unknown"),
        ("GET", "http://s3.simulation/", "Unknown"),
        ("GET", "http://s3.simulation/b/%ff", "Unknown"),
    ] {
        let request = Request::builder().method(method).uri(url);
        let request = request.body(Bytes::new()).unwrap();
        assert_eq!(operation(&request), expected, "{method} {url}");
    }
}
