//! Parts.

use super::{begin, is, part_numbers, put_part, refused, sha256, some_bytes, without_checksums};
use aws_sdk_s3::Client;
use aws_sdk_s3::primitives::ByteStream;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use md5::{Digest, Md5};

const KEY: &str = "a/key";

pub(super) async fn a_part_has_its_digest(client: &Client, bucket: &str) {
    let id = begin(client, bucket, KEY).await;
    let digest = sha256(b"these");
    let request = client.upload_part().bucket(bucket).key(KEY).upload_id(&id);
    let request = request.part_number(1).checksum_sha256(&digest);
    let answer = request
        .body(ByteStream::from_static(b"these"))
        .send()
        .await
        .unwrap();
    assert_eq!(answer.checksum_sha256(), Some(digest.as_str()));
    let request = client.list_parts().bucket(bucket).key(KEY).upload_id(&id);
    let listed = request.send().await.unwrap();
    assert_eq!(listed.parts()[0].checksum_sha256(), Some(digest.as_str()));
}

pub(super) async fn a_part_is_listed_as_it_is(client: &Client, bucket: &str) {
    let id = begin(client, bucket, KEY).await;
    let bytes = some_bytes(1000, 1);
    let part = put_part(client, bucket, KEY, &id, 3, &bytes).await;
    let etag = format!("\"{}\"", hex::encode(Md5::digest(&bytes)));
    assert_eq!(part.e_tag(), Some(etag.as_str()));
    let request = client.list_parts().bucket(bucket).key(KEY).upload_id(&id);
    let answer = request.send().await.unwrap();
    assert_eq!(answer.is_truncated(), Some(false));
    let [listed] = answer.parts() else {
        panic!("{answer:?}");
    };
    assert_eq!(listed.part_number(), Some(3));
    assert_eq!(listed.size(), Some(1000));
    assert_eq!(listed.e_tag(), Some(etag.as_str()));
    assert!(listed.last_modified().is_some());
}

pub(super) async fn a_part_that_is_sent_again_replaces_the_first(client: &Client, bucket: &str) {
    let id = begin(client, bucket, KEY).await;
    put_part(client, bucket, KEY, &id, 1, &some_bytes(10, 1)).await;
    let second = some_bytes(20, 2);
    put_part(client, bucket, KEY, &id, 1, &second).await;
    let request = client.list_parts().bucket(bucket).key(KEY).upload_id(&id);
    let answer = request.send().await.unwrap();
    assert_eq!(answer.parts().len(), 1);
    assert_eq!(answer.parts()[0].size(), Some(20));
}

pub(super) async fn a_part_with_another_digest_is_refused(client: &Client, bucket: &str) {
    let id = begin(client, bucket, KEY).await;
    // Only the first is a digest.
    for said in [sha256(b"others"), "AAAA".to_owned(), "no base64".to_owned()] {
        let is_one = said.len() == 44;
        let request = client.upload_part().bucket(bucket).key(KEY).upload_id(&id);
        let request = request
            .part_number(1)
            .checksum_sha256(said)
            .body(ByteStream::from_static(b"these"));
        let (status, code) = refused(request.send().await);
        assert!(
            status == 400 && (!is_one || code == "BadDigest"),
            "{status} {code}"
        );
    }
    assert!(part_numbers(client, bucket, KEY, &id).await.is_empty());
}

pub(super) async fn a_part_with_another_md5_is_refused(client: &Client, bucket: &str) {
    let id = begin(client, bucket, KEY).await;
    let part = |md5: &str| {
        let request = client.upload_part().bucket(bucket).key(KEY).upload_id(&id);
        request
            .part_number(1)
            .content_md5(md5)
            .checksum_sha256(sha256(b"these"))
            .body(ByteStream::from_static(b"these"))
            .send()
    };
    let other = BASE64.encode(Md5::digest(b"others"));
    assert_eq!(refused(part(&other).await), is(400, "BadDigest"));
    assert_eq!(refused(part("AAAA").await), is(400, "InvalidDigest"));
    assert!(part_numbers(client, bucket, KEY, &id).await.is_empty());
    part(&BASE64.encode(Md5::digest(b"these"))).await.unwrap();
}

pub(super) async fn a_part_without_a_digest_is_refused(client: &Client, bucket: &str) {
    let id = begin(client, bucket, KEY).await;
    let request = client.upload_part().bucket(bucket).key(KEY).upload_id(&id);
    let request = request.part_number(1).body(ByteStream::from_static(b"these"));
    let request = request.customize().config_override(without_checksums());
    assert_eq!(refused(request.send().await), is(400, "InvalidRequest"));
    assert!(part_numbers(client, bucket, KEY, &id).await.is_empty());
}

pub(super) async fn a_part_with_a_checksum_of_another_kind_is_refused(client: &Client, bucket: &str) {
    let id = begin(client, bucket, KEY).await;
    let request = client.upload_part().bucket(bucket).key(KEY).upload_id(&id);
    // The SDK adds a CRC-32.
    let request = request.part_number(1).body(ByteStream::from_static(b"these"));
    assert_eq!(refused(request.send().await), is(400, "InvalidRequest"));
    assert!(part_numbers(client, bucket, KEY, &id).await.is_empty());
}

pub(super) async fn a_part_number_out_of_range_is_refused(client: &Client, bucket: &str) {
    let id = begin(client, bucket, KEY).await;
    for number in [-1, 0, 10_001] {
        let request = client.upload_part().bucket(bucket).key(KEY).upload_id(&id);
        let request = request
            .part_number(number)
            .checksum_sha256(sha256(b"these"))
            .body(ByteStream::from_static(b"these"));
        assert_eq!(
            refused(request.send().await),
            is(400, "InvalidArgument"),
            "{number}"
        );
    }
    for number in [1, 10_000] {
        put_part(client, bucket, KEY, &id, number, &some_bytes(5, 1)).await;
    }
}

pub(super) async fn a_part_of_no_upload_is_refused(client: &Client, bucket: &str) {
    let id = begin(client, bucket, KEY).await;
    for (key, id) in [("another/key", id.as_str()), (KEY, "none")] {
        let request = client.upload_part().bucket(bucket).key(key).upload_id(id);
        let request = request
            .part_number(1)
            .checksum_sha256(sha256(b"these"))
            .body(ByteStream::from_static(b"these"));
        assert_eq!(
            refused(request.send().await),
            is(404, "NoSuchUpload"),
            "{key} {id}"
        );
        let request = client.list_parts().bucket(bucket).key(key).upload_id(id);
        assert_eq!(
            refused(request.send().await),
            is(404, "NoSuchUpload"),
            "{key} {id}"
        );
    }
    assert!(part_numbers(client, bucket, KEY, &id).await.is_empty());
}

/// All numbers that are listed, and how many there were on each page.
async fn pages(client: &Client, bucket: &str, id: &str, most: Option<i32>) -> (Vec<i32>, Vec<usize>) {
    let (mut numbers, mut lengths, mut marker) = (Vec::new(), Vec::new(), None);
    loop {
        let request = client.list_parts().bucket(bucket).key(KEY).upload_id(id);
        let request = request.set_max_parts(most).set_part_number_marker(marker);
        let answer = request.send().await.unwrap();
        lengths.push(answer.parts().len());
        numbers.extend(answer.parts().iter().map(|part| part.part_number().unwrap()));
        if answer.is_truncated() != Some(true) {
            return (numbers, lengths);
        }
        marker = answer.next_part_number_marker;
        assert!(marker.is_some());
    }
}

pub(super) async fn parts_are_listed_in_pages(client: &Client, bucket: &str) {
    let id = begin(client, bucket, KEY).await;
    for number in [7, 2, 9, 1] {
        put_part(client, bucket, KEY, &id, number, &some_bytes(5, 1)).await;
    }
    for (most, lengths) in [
        (1, vec![1, 1, 1, 1]),
        (2, vec![2, 2]),
        (3, vec![3, 1]),
        (4, vec![4]),
    ] {
        let expected = (vec![1, 2, 7, 9], lengths);
        assert_eq!(pages(client, bucket, &id, Some(most)).await, expected);
    }
}

pub(super) async fn more_than_a_thousand_parts_are_listed_in_pages(client: &Client, bucket: &str) {
    let id = begin(client, bucket, KEY).await;
    for number in 1..=1003 {
        put_part(client, bucket, KEY, &id, number, &some_bytes(1, 1)).await;
    }
    for most in [None, Some(2000)] {
        let (numbers, lengths) = pages(client, bucket, &id, most).await;
        assert_eq!(numbers, (1..=1003).collect::<Vec<_>>());
        assert_eq!(lengths, [1000, 3]);
    }
}

pub(super) async fn without_an_algorithm_digests_are_verified_and_not_kept(client: &Client, bucket: &str) {
    let request = client.create_multipart_upload().bucket(bucket).key(KEY);
    let id = request.send().await.unwrap().upload_id.unwrap();
    let part = |said: Option<String>| {
        let request = client.upload_part().bucket(bucket).key(KEY).upload_id(&id);
        let request = request
            .part_number(1)
            .set_checksum_sha256(said)
            .body(ByteStream::from_static(b"these"));
        request.customize().config_override(without_checksums()).send()
    };
    assert_eq!(refused(part(Some(sha256(b"others"))).await), is(400, "BadDigest"));
    assert!(part_numbers(client, bucket, KEY, &id).await.is_empty());
    for said in [Some(sha256(b"these")), None] {
        part(said).await.unwrap();
        let request = client.list_parts().bucket(bucket).key(KEY).upload_id(&id);
        assert_eq!(request.send().await.unwrap().parts()[0].checksum_sha256(), None);
    }
}
