//! Presigned requests, as clients of Longshore send them, and others as they should not.

use super::wire::{Wire, request};
use super::{begin, part_numbers, put, sha256, some_bytes};
use aws_sdk_s3::Client;
use aws_sdk_s3::presigning::PresignedRequest;
use bytes::Bytes;
use http::{HeaderValue, Request};
use std::time::Duration;

const KEY: &str = "a/key";
const CHECKSUM: &str = "x-amz-checksum-sha256";

/// A request to put the first part of an upload.
async fn to_put(client: &Client, bucket: &str, id: &str, bytes: &Bytes, wire: &Wire) -> PresignedRequest {
    let request = client.upload_part().bucket(bucket).key(KEY).upload_id(id);
    request
        .part_number(1)
        .content_length(i64::try_from(bytes.len()).unwrap())
        .checksum_sha256(sha256(bytes))
        .presigned(wire.signed(Duration::ZERO))
        .await
        .unwrap()
}

pub(super) async fn a_part_is_put(client: &Client, bucket: &str, wire: &Wire) {
    let id = begin(client, bucket, KEY).await;
    let bytes = some_bytes(1000, 1);
    let signed = to_put(client, bucket, &id, &bytes, wire).await;
    let answer = wire.send(request(&signed, &bytes)).await;
    answer.is(200, "");
    assert!(answer.headers.contains_key("etag"));
    // As long as it is good, again.
    wire.send(request(&signed, &bytes)).await.is(200, "");
    assert_eq!(part_numbers(client, bucket, KEY, &id).await, [1]);
}

pub(super) async fn another_digest_is_refused(client: &Client, bucket: &str, wire: &Wire) {
    let id = begin(client, bucket, KEY).await;
    let (bytes, others) = (some_bytes(1000, 1), some_bytes(1000, 2));
    let signed = to_put(client, bucket, &id, &bytes, wire).await;
    wire.send(request(&signed, &others)).await.is(400, "BadDigest");
    // With a checksum that fits the other bytes, the signature does not fit the checksum.
    let mut changed = request(&signed, &others);
    let fitting = HeaderValue::try_from(sha256(&others)).unwrap();
    changed.headers_mut().insert(CHECKSUM, fitting);
    wire.send(changed).await.is(403, "SignatureDoesNotMatch");
    for body in [&bytes, &others] {
        let mut without = request(&signed, body);
        without.headers_mut().remove(CHECKSUM);
        wire.send(without).await.is(403, "SignatureDoesNotMatch");
    }
    assert!(part_numbers(client, bucket, KEY, &id).await.is_empty());
}

pub(super) async fn another_length_is_refused(client: &Client, bucket: &str, wire: &Wire) {
    let id = begin(client, bucket, KEY).await;
    let bytes = some_bytes(1000, 1);
    let signed = to_put(client, bucket, &id, &bytes, wire).await;
    let longer = Bytes::from([&bytes[..], b"x"].concat());
    for body in [longer, bytes.slice(..999), Bytes::new()] {
        // As HTTP sends it: with the length that it has.
        let mut honest = request(&signed, &body);
        honest.headers_mut().insert("content-length", body.len().into());
        wire.send(honest).await.is(403, "SignatureDoesNotMatch");
        let mut without = request(&signed, &body);
        without.headers_mut().remove("content-length");
        wire.send(without).await.is(403, "SignatureDoesNotMatch");
    }
    assert!(part_numbers(client, bucket, KEY, &id).await.is_empty());
    // The length goes by itself with every request.
    let mut without = request(&signed, &bytes);
    without.headers_mut().remove("content-length");
    wire.send(without).await.is(200, "");
}

pub(super) async fn a_header_that_is_not_signed_is_refused(client: &Client, bucket: &str, wire: &Wire) {
    let id = begin(client, bucket, KEY).await;
    let bytes = some_bytes(1000, 1);
    let signed = to_put(client, bucket, &id, &bytes, wire).await;
    for name in ["x-amz-storage-class", "x-amz-meta-a", "x-amz-checksum-crc32"] {
        let mut more = request(&signed, &bytes);
        more.headers_mut().insert(name, HeaderValue::from_static("a"));
        wire.send(more).await.is(403, "AccessDenied");
    }
    // Nobody signs for what others add on the way.
    let mut more = request(&signed, &bytes);
    more.headers_mut()
        .insert("user-agent", HeaderValue::from_static("a"));
    more.headers_mut()
        .insert("x-amzn-trace-id", HeaderValue::from_static("a"));
    wire.send(more).await.is(200, "");
}

pub(super) async fn another_place_is_refused(client: &Client, bucket: &str, wire: &Wire) {
    let id = begin(client, bucket, KEY).await;
    let other = begin(client, bucket, KEY).await;
    let bytes = some_bytes(1000, 1);
    let signed = to_put(client, bucket, &id, &bytes, wire).await;
    for (from, to) in [
        ("partNumber=1", "partNumber=2"),
        (id.as_str(), other.as_str()),
        ("a/key", "a/kez"),
        ("X-Amz-Expires=900", "X-Amz-Expires=9000"),
    ] {
        let url = signed.uri().replace(from, to);
        assert_ne!(url, signed.uri());
        let mut changed = request(&signed, &bytes);
        *changed.uri_mut() = url.parse().unwrap();
        wire.send(changed).await.is(403, "SignatureDoesNotMatch");
    }
    for id in [&id, &other] {
        assert!(part_numbers(client, bucket, KEY, id).await.is_empty());
    }
}

pub(super) async fn another_method_is_refused(client: &Client, bucket: &str, wire: &Wire) {
    put(client, bucket, KEY, &some_bytes(10, 1)).await;
    let signed = client.get_object().bucket(bucket).key(KEY);
    let signed = signed.presigned(wire.signed(Duration::ZERO)).await.unwrap();
    let mut changed = request(&signed, &Bytes::new());
    *changed.method_mut() = http::Method::DELETE;
    wire.send(changed).await.is(403, "SignatureDoesNotMatch");
    wire.send(request(&signed, &Bytes::new())).await.is(200, "");
}

pub(super) async fn a_url_expires(client: &Client, bucket: &str, wire: &Wire) {
    put(client, bucket, KEY, &some_bytes(10, 1)).await;
    for (age, status, code) in [
        (Duration::from_mins(14), 200, ""),
        (Duration::from_mins(16), 403, "AccessDenied"),
    ] {
        let signed = client.get_object().bucket(bucket).key(KEY);
        let signed = signed.presigned(wire.signed(age)).await.unwrap();
        let answer = wire.send(request(&signed, &Bytes::new())).await;
        answer.is(status, code);
    }
}

pub(super) async fn a_url_for_later_is_not_good_yet(client: &Client, bucket: &str, wire: &Wire) {
    put(client, bucket, KEY, &some_bytes(10, 1)).await;
    let signed = client.get_object().bucket(bucket).key(KEY);
    let in_an_hour = wire.signed_in(Duration::from_hours(1));
    let signed = signed.presigned(in_an_hour).await.unwrap();
    wire.send(request(&signed, &Bytes::new()))
        .await
        .is(403, "AccessDenied");
}

pub(super) async fn an_object_is_read(client: &Client, bucket: &str, wire: &Wire) {
    let key = "a b+c=&d'(e)!*~,;:@$%2F[x]#?\"/f";
    let bytes = some_bytes(1000, 1);
    put(client, bucket, key, &bytes).await;
    let disposition = "attachment; filename*=UTF-8''a%20b.txt";
    let signed = client.get_object().bucket(bucket).key(key);
    let signed = signed
        .response_content_type("text/x-odd; charset=utf-8")
        .response_content_disposition(disposition)
        .presigned(wire.signed(Duration::ZERO))
        .await
        .unwrap();
    // The URL is enough: no header has to be sent with it.
    assert_eq!(signed.headers().count(), 0);
    let answer = wire.send(request(&signed, &Bytes::new())).await;
    answer.is(200, "");
    assert_eq!(answer.body, bytes);
    assert_eq!(answer.headers["content-type"], "text/x-odd; charset=utf-8");
    assert_eq!(answer.headers["content-disposition"], disposition);
    assert!(answer.headers.contains_key("etag"));
    let mut some = request(&signed, &Bytes::new());
    some.headers_mut()
        .insert("range", HeaderValue::from_static("bytes=1-3"));
    let answer = wire.send(some).await;
    answer.is(206, "");
    assert_eq!(answer.body, bytes[1..4]);
    assert_eq!(answer.headers["content-range"], "bytes 1-3/1000");
}

pub(super) async fn a_request_without_a_signature_is_refused(client: &Client, bucket: &str, wire: &Wire) {
    put(client, bucket, KEY, &some_bytes(10, 1)).await;
    let signed = client.get_object().bucket(bucket).key(KEY);
    let signed = signed.presigned(wire.signed(Duration::ZERO)).await.unwrap();
    let (plain, _) = signed.uri().split_once('?').unwrap();
    let plain = Request::get(plain).body(Bytes::new()).unwrap();
    wire.send(plain).await.is(403, "AccessDenied");
}
