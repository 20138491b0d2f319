//! Whole objects.

use super::{head, is, put, read, refused, sha256, some_bytes, without_checksums};
use aws_sdk_s3::Client;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{ChecksumMode, ChecksumType};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use md5::{Digest, Md5};

const KEY: &str = "a/key";

pub(super) async fn an_object_is_read_as_it_was_put(client: &Client, bucket: &str) {
    for bytes in [some_bytes(100_000, 1), some_bytes(10, 2), Bytes::new()] {
        let request = client.put_object().bucket(bucket).key(KEY);
        let answer = request
            .checksum_sha256(sha256(&bytes))
            .content_type("text/x-odd")
            .metadata("one", "1")
            .metadata("two", "a b")
            .body(ByteStream::from(bytes.clone()))
            .send()
            .await
            .unwrap();
        let etag = format!("\"{}\"", hex::encode(Md5::digest(&bytes)));
        assert_eq!(answer.e_tag(), Some(etag.as_str()));
        let size = i64::try_from(bytes.len()).unwrap();
        let head = client.head_object().bucket(bucket).key(KEY).send().await.unwrap();
        let metadata = head.metadata().unwrap();
        assert_eq!((metadata["one"].as_str(), metadata["two"].as_str()), ("1", "a b"));
        assert_eq!(head.e_tag(), Some(etag.as_str()));
        assert_eq!(head.content_type(), Some("text/x-odd"));
        let got = client.get_object().bucket(bucket).key(KEY).send().await.unwrap();
        assert_eq!(got.metadata().unwrap(), metadata);
        assert_eq!(got.content_length(), Some(size));
        assert_eq!(got.content_type(), Some("text/x-odd"));
        assert_eq!(got.e_tag(), Some(etag.as_str()));
        assert_eq!(got.last_modified(), head.last_modified());
        assert_eq!(got.body.collect().await.unwrap().into_bytes(), bytes);
    }
}

pub(super) async fn an_object_has_the_checksum_of_its_put(client: &Client, bucket: &str) {
    let request = client.put_object().bucket(bucket).key(KEY);
    let request = request.checksum_sha256(sha256(b"these"));
    let answer = request
        .body(ByteStream::from_static(b"these"))
        .send()
        .await
        .unwrap();
    assert_eq!(answer.checksum_sha256(), Some(sha256(b"these").as_str()));
    let expected = (5, Some(sha256(b"these")), Some(ChecksumType::FullObject));
    assert_eq!(head(client, bucket, KEY).await, expected);
}

pub(super) async fn an_object_without_a_checksum(client: &Client, bucket: &str) {
    let request = client.put_object().bucket(bucket).key(KEY);
    let request = request.body(ByteStream::from_static(b"these"));
    let request = request.customize().config_override(without_checksums());
    request.send().await.unwrap();
    let (size, sha256, _) = head(client, bucket, KEY).await;
    assert_eq!((size, sha256), (5, None));
    assert_eq!(read(client, bucket, KEY).await.unwrap(), "these");
}

pub(super) async fn an_object_with_a_crc32(client: &Client, bucket: &str) {
    // The SDK adds it, and verifies it when it reads.
    let request = client.put_object().bucket(bucket).key(KEY);
    let answer = request
        .body(ByteStream::from_static(b"123456789"))
        .send()
        .await
        .unwrap();
    let crc32 = BASE64.encode([0xcb, 0xf4, 0x39, 0x26]);
    assert_eq!(answer.checksum_crc32(), Some(crc32.as_str()));
    let (_, sha256, kind) = head(client, bucket, KEY).await;
    assert_eq!((sha256, kind), (None, Some(ChecksumType::FullObject)));
    assert_eq!(read(client, bucket, KEY).await.unwrap(), "123456789");
    let request = client.put_object().bucket(bucket).key(KEY).checksum_crc32(crc32);
    let request = request.body(ByteStream::from_static(b"1234567890"));
    assert_eq!(refused(request.send().await), is(400, "BadDigest"));
}

pub(super) async fn other_bytes_are_refused(client: &Client, bucket: &str) {
    let put = || {
        let request = client.put_object().bucket(bucket).key(KEY);
        request.body(ByteStream::from_static(b"these"))
    };
    let request = put().checksum_sha256(sha256(b"others"));
    assert_eq!(refused(request.send().await), is(400, "BadDigest"));
    for request in [
        put().checksum_sha256("AAAA"),
        put().checksum_sha256(sha256(b"these")).checksum_crc32("AAAAAA=="),
    ] {
        assert_eq!(refused(request.send().await).0, 400);
    }
    assert_eq!(read(client, bucket, KEY).await, None);
}

pub(super) async fn other_bytes_than_their_md5_are_refused(client: &Client, bucket: &str) {
    for (md5, code) in [
        (BASE64.encode(Md5::digest(b"others")), "BadDigest"),
        ("AAAA".to_owned(), "InvalidDigest"),
    ] {
        let request = client.put_object().bucket(bucket).key(KEY).content_md5(md5);
        let request = request.body(ByteStream::from_static(b"these"));
        assert_eq!(refused(request.send().await), is(400, code));
    }
    assert_eq!(read(client, bucket, KEY).await, None);
}

pub(super) async fn an_object_is_put_only_where_nothing_is(client: &Client, bucket: &str) {
    let put = |bytes: &'static [u8]| {
        let request = client.put_object().bucket(bucket).key(KEY).if_none_match("*");
        request.body(ByteStream::from_static(bytes)).send()
    };
    put(b"first").await.unwrap();
    assert_eq!(refused(put(b"second").await), is(412, "PreconditionFailed"));
    assert_eq!(read(client, bucket, KEY).await.unwrap(), "first");
    let request = client.delete_object().bucket(bucket).key(KEY);
    request.send().await.unwrap();
    put(b"second").await.unwrap();
    assert_eq!(read(client, bucket, KEY).await.unwrap(), "second");
}

pub(super) async fn the_checksum_is_told_only_on_request_and_of_the_whole(client: &Client, bucket: &str) {
    let bytes = some_bytes(10, 1);
    put(client, bucket, KEY, &bytes).await;
    let head = client.head_object().bucket(bucket).key(KEY).send().await.unwrap();
    assert_eq!((head.checksum_sha256(), head.checksum_type()), (None, None));
    for (range, told) in [
        (None, true),
        (Some("bytes=0-9"), true),
        (Some("bytes=0-8"), false),
        (Some("bytes=1-"), false),
    ] {
        let request = client.get_object().bucket(bucket).key(KEY);
        let request = request.checksum_mode(ChecksumMode::Enabled);
        let answer = request.set_range(range.map(str::to_owned)).send().await.unwrap();
        let expected = told.then(|| sha256(&bytes));
        assert_eq!(answer.checksum_sha256(), expected.as_deref(), "{range:?}");
        assert_eq!(answer.checksum_type().is_some(), told, "{range:?}");
    }
}

pub(super) async fn some_bytes_of_an_object(client: &Client, bucket: &str) {
    put(client, bucket, KEY, &Bytes::from_static(b"0123456789")).await;
    for (range, content_range, bytes) in [
        ("bytes=0-0", "bytes 0-0/10", "0"),
        ("bytes=3-5", "bytes 3-5/10", "345"),
        ("bytes=8-100", "bytes 8-9/10", "89"),
        ("bytes=7-", "bytes 7-9/10", "789"),
        ("bytes=-2", "bytes 8-9/10", "89"),
        ("bytes=0-9", "bytes 0-9/10", "0123456789"),
    ] {
        let request = client.get_object().bucket(bucket).key(KEY).range(range);
        let answer = request.send().await.unwrap();
        assert_eq!(answer.content_range(), Some(content_range));
        let length = i64::try_from(bytes.len()).unwrap();
        assert_eq!(answer.content_length(), Some(length));
        assert_eq!(answer.body.collect().await.unwrap().into_bytes(), bytes);
    }
}

pub(super) async fn no_bytes_of_an_object(client: &Client, bucket: &str) {
    put(client, bucket, KEY, &Bytes::from_static(b"0123456789")).await;
    put(client, bucket, "empty", &Bytes::new()).await;
    for (key, range) in [
        (KEY, "bytes=10-11"),
        (KEY, "bytes=10-"),
        ("empty", "bytes=0-0"),
        ("empty", "bytes=0-"),
    ] {
        let request = client.get_object().bucket(bucket).key(key).range(range);
        assert_eq!(
            refused(request.send().await),
            is(416, "InvalidRange"),
            "{key} {range}"
        );
    }
    assert_eq!(read(client, bucket, "empty").await.unwrap(), "");
}

pub(super) async fn the_query_says_headers_of_the_answer(client: &Client, bucket: &str) {
    put(client, bucket, KEY, &some_bytes(10, 1)).await;
    let disposition = "attachment; filename*=UTF-8''a%20b.txt";
    let request = client.get_object().bucket(bucket).key(KEY);
    let request = request.response_content_type("text/x-other");
    let answer = request
        .response_content_disposition(disposition)
        .send()
        .await
        .unwrap();
    assert_eq!(answer.content_type(), Some("text/x-other"));
    assert_eq!(answer.content_disposition(), Some(disposition));
    let answer = client.get_object().bucket(bucket).key(KEY).send().await.unwrap();
    assert_ne!(answer.content_type(), Some("text/x-other"));
    assert_eq!(answer.content_disposition(), None);
}

pub(super) async fn no_header_has_two_lines(client: &Client, bucket: &str) {
    put(client, bucket, KEY, &some_bytes(10, 1)).await;
    let request = client.get_object().bucket(bucket).key(KEY);
    let request = request.response_content_disposition("a\nb");
    assert_eq!(refused(request.send().await), is(400, "InvalidArgument"));
}

pub(super) async fn odd_keys(client: &Client, bucket: &str) {
    for key in ["a b+c=&d'(e)!*~,;:@$%2F[x]#?\"<>/f", "ünï/код", "/a//b/", "."] {
        put(client, bucket, key, &some_bytes(10, 1)).await;
        assert_eq!(
            read(client, bucket, key).await.unwrap(),
            some_bytes(10, 1),
            "{key}"
        );
        let request = client.list_objects_v2().bucket(bucket).prefix(key);
        let answer = request.send().await.unwrap();
        assert_eq!(answer.contents()[0].key(), Some(key));
        client
            .delete_object()
            .bucket(bucket)
            .key(key)
            .send()
            .await
            .unwrap();
        assert_eq!(read(client, bucket, key).await, None);
    }
}
