//! Multipart uploads that are not completed, and stay as they are.

use super::{MIN_PART, begin, is, list_of, part_numbers, put_part, read, refused, sha256, some_bytes};
use aws_sdk_s3::Client;
use aws_sdk_s3::operation::complete_multipart_upload::builders::CompleteMultipartUploadFluentBuilder;
use aws_sdk_s3::types::{ChecksumAlgorithm, ChecksumType, CompletedPart};
use domain::content::{ContentId, PartDigest};

const KEY: &str = "a/key";

/// An upload with two parts that could be completed.
struct Open<'a> {
    client: &'a Client,
    bucket: &'a str,
    id: String,
    parts: [CompletedPart; 2],
}

impl<'a> Open<'a> {
    async fn new(client: &'a Client, bucket: &'a str) -> Self {
        let id = begin(client, bucket, KEY).await;
        let first = put_part(client, bucket, KEY, &id, 1, &some_bytes(MIN_PART, 1)).await;
        let second = put_part(client, bucket, KEY, &id, 2, &some_bytes(1000, 2)).await;
        Self {
            client,
            bucket,
            id,
            parts: [first, second],
        }
    }

    fn complete(&self, parts: &[CompletedPart]) -> CompleteMultipartUploadFluentBuilder {
        let request = self.client.complete_multipart_upload().bucket(self.bucket);
        let request = request.key(KEY).upload_id(&self.id);
        request.multipart_upload(list_of(parts))
    }

    /// Nothing came of what was refused, and it can be completed.
    async fn is_as_it_was(&self) {
        let numbers = part_numbers(self.client, self.bucket, KEY, &self.id).await;
        assert_eq!(numbers, [1, 2]);
        assert_eq!(read(self.client, self.bucket, KEY).await, None);
        self.complete(&self.parts).send().await.unwrap();
        assert!(read(self.client, self.bucket, KEY).await.is_some());
    }
}

pub(super) async fn parts_out_of_order_are_refused(client: &Client, bucket: &str) {
    let open = Open::new(client, bucket).await;
    let [first, second] = open.parts.clone();
    for parts in [[second, first.clone()], [first.clone(), first]] {
        let answer = open.complete(&parts).send().await;
        assert_eq!(refused(answer), is(400, "InvalidPartOrder"));
    }
    open.is_as_it_was().await;
}

pub(super) async fn parts_that_are_others_are_refused(client: &Client, bucket: &str) {
    let open = Open::new(client, bucket).await;
    let [first, second] = open.parts.clone();
    let changed = || {
        let part = CompletedPart::builder().part_number(2);
        part.e_tag(second.e_tag().unwrap())
            .checksum_sha256(second.checksum_sha256().unwrap())
    };
    for other in [changed().e_tag(first.e_tag().unwrap()), changed().part_number(3)] {
        let answer = open.complete(&[first.clone(), other.build()]).send().await;
        assert_eq!(refused(answer), is(400, "InvalidPart"));
    }
    open.is_as_it_was().await;
}

pub(super) async fn parts_with_other_digests_are_refused(client: &Client, bucket: &str) {
    let open = Open::new(client, bucket).await;
    let [first, second] = open.parts.clone();
    let other = CompletedPart::builder().part_number(2);
    let other = other.e_tag(second.e_tag().unwrap());
    let other = other.checksum_sha256(sha256(b"others")).build();
    let answer = open.complete(&[first, other]).send().await;
    assert_eq!(refused(answer), is(400, "InvalidPart"));
    open.is_as_it_was().await;
}

pub(super) async fn parts_without_digests_are_refused(client: &Client, bucket: &str) {
    let open = Open::new(client, bucket).await;
    let [first, second] = open.parts.clone();
    let without = CompletedPart::builder()
        .part_number(2)
        .e_tag(second.e_tag().unwrap());
    for other in [without.clone(), without.checksum_sha256("AAAA")] {
        let answer = open.complete(&[first.clone(), other.build()]).send().await;
        assert_eq!(refused(answer).0, 400);
    }
    open.is_as_it_was().await;
}

pub(super) async fn a_small_part_that_is_not_the_last_is_refused(client: &Client, bucket: &str) {
    let open = Open::new(client, bucket).await;
    let small = some_bytes(MIN_PART - 1, 3);
    let small = put_part(client, bucket, KEY, &open.id, 1, &small).await;
    let answer = open.complete(&[small, open.parts[1].clone()]).send().await;
    assert_eq!(refused(answer), is(400, "EntityTooSmall"));
    put_part(client, bucket, KEY, &open.id, 1, &some_bytes(MIN_PART, 1)).await;
    open.is_as_it_was().await;
}

pub(super) async fn another_size_is_refused(client: &Client, bucket: &str) {
    let open = Open::new(client, bucket).await;
    let size = i64::try_from(MIN_PART).unwrap() + 1000;
    for wrong in [0, size - 1, size + 1] {
        let answer = open.complete(&open.parts).mpu_object_size(wrong).send().await;
        assert_eq!(refused(answer), is(400, "InvalidRequest"), "{wrong}");
    }
    open.is_as_it_was().await;
}

pub(super) async fn another_checksum_is_refused(client: &Client, bucket: &str) {
    let open = Open::new(client, bucket).await;
    let digests = [some_bytes(MIN_PART, 1), some_bytes(1000, 2)].map(|bytes| PartDigest::of(&bytes));
    let right = ContentId::of_parts(&digests).unwrap().to_string();
    for wrong in [
        sha256(b"others"),
        format!("{}-2", sha256(b"others")),
        right.replace("-2", "-3"),
        right.replace("-2", "-a"),
        "AAAA".to_owned(),
    ] {
        let answer = open.complete(&open.parts).checksum_sha256(&wrong).send().await;
        assert_eq!(refused(answer).0, 400, "{wrong}");
    }
    let numbers = part_numbers(client, bucket, KEY, &open.id).await;
    assert_eq!(numbers, [1, 2]);
    let request = open.complete(&open.parts).checksum_sha256(right);
    request.send().await.unwrap();
}

pub(super) async fn another_kind_of_checksum_is_refused(client: &Client, bucket: &str) {
    let open = Open::new(client, bucket).await;
    let request = open.complete(&open.parts).checksum_type(ChecksumType::FullObject);
    assert_eq!(refused(request.send().await), is(400, "InvalidRequest"));
    open.is_as_it_was().await;
}

pub(super) async fn no_parts_are_refused(client: &Client, bucket: &str) {
    let open = Open::new(client, bucket).await;
    let answer = open.complete(&[]).send().await;
    assert_eq!(refused(answer).0, 400);
    open.is_as_it_was().await;
}

pub(super) async fn numbers_with_gaps_are_refused(client: &Client, bucket: &str) {
    let open = Open::new(client, bucket).await;
    let answer = open.complete(&open.parts[1..]).send().await;
    assert_eq!(refused(answer), is(500, "InternalError"));
    open.is_as_it_was().await;
}

pub(super) async fn sums_of_whole_objects_are_refused(client: &Client, bucket: &str) {
    let begin = |algorithm: Option<ChecksumAlgorithm>| {
        let request = client.create_multipart_upload().bucket(bucket).key(KEY);
        let request = request.checksum_type(ChecksumType::FullObject);
        request.set_checksum_algorithm(algorithm).send()
    };
    for algorithm in [Some(ChecksumAlgorithm::Sha256), None] {
        assert_eq!(refused(begin(algorithm).await), is(400, "InvalidRequest"));
    }
    let request = client.list_multipart_uploads().bucket(bucket);
    assert!(request.send().await.unwrap().uploads().is_empty());
}
