//! Multipart uploads that become objects.

use super::{MIN_PART, without_checksums};
use super::{begin, head, is, list_of, part_numbers, put, put_part, read, refused, sha256, some_bytes};
use aws_sdk_s3::Client;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{ChecksumType, CompletedPart};
use bytes::Bytes;
use domain::content::{ContentId, PartDigest};
use md5::{Digest, Md5};

const KEY: &str = "a/key";

pub(super) async fn parts_become_an_object(client: &Client, bucket: &str) {
    let id = begin(client, bucket, KEY).await;
    let (first, second) = (some_bytes(MIN_PART, 1), some_bytes(1000, 2));
    let parts = [
        put_part(client, bucket, KEY, &id, 1, &first).await,
        put_part(client, bucket, KEY, &id, 2, &second).await,
    ];
    let expected_size = i64::try_from(first.len() + second.len()).unwrap();
    let request = client.complete_multipart_upload().bucket(bucket).key(KEY);
    request
        .upload_id(&id)
        .multipart_upload(list_of(&parts))
        .checksum_type(ChecksumType::Composite)
        .mpu_object_size(expected_size)
        .send()
        .await
        .unwrap();
    let md5s = [&first, &second].map(Md5::digest).concat();
    let etag = format!("\"{}-2\"", hex::encode(Md5::digest(md5s)));
    let seen = client.head_object().bucket(bucket).key(KEY).send().await.unwrap();
    assert_eq!(seen.e_tag(), Some(etag.as_str()));
    assert_eq!(seen.content_length(), Some(expected_size));
    let whole = Bytes::from([first.clone(), second].concat());
    assert!(read(client, bucket, KEY).await.unwrap() == whole);
    // Over the boundary of the parts.
    let (start, end) = (first.len() - 3, first.len() + 2);
    let request = client.get_object().bucket(bucket).key(KEY);
    let answer = request
        .range(format!("bytes={start}-{end}"))
        .send()
        .await
        .unwrap();
    let some = answer.body.collect().await.unwrap().into_bytes();
    assert_eq!(some, whole[start..=end]);
}

pub(super) async fn completing_tells_the_etag(client: &Client, bucket: &str) {
    let id = begin(client, bucket, KEY).await;
    let part = put_part(client, bucket, KEY, &id, 1, &some_bytes(1000, 1)).await;
    let request = client.complete_multipart_upload().bucket(bucket).key(KEY);
    let request = request.upload_id(&id).multipart_upload(list_of(&[part]));
    let answer = request.send().await.unwrap();
    let seen = client.head_object().bucket(bucket).key(KEY).send().await.unwrap();
    assert!(seen.e_tag().is_some());
    assert_eq!(answer.e_tag(), seen.e_tag());
}

pub(super) async fn an_object_has_the_checksum_of_its_parts(client: &Client, bucket: &str) {
    let id = begin(client, bucket, KEY).await;
    let bytes = some_bytes(1000, 1);
    let part = put_part(client, bucket, KEY, &id, 1, &bytes).await;
    let request = client.complete_multipart_upload().bucket(bucket).key(KEY);
    let request = request.upload_id(&id).multipart_upload(list_of(&[part]));
    let answer = request.send().await.unwrap();
    let content_id = ContentId::of_parts(&[PartDigest::of(&bytes)])
        .unwrap()
        .to_string();
    assert_eq!(answer.checksum_sha256(), Some(content_id.as_str()));
    assert_eq!(answer.checksum_type(), Some(&ChecksumType::Composite));
    let expected = (1000, Some(content_id), Some(ChecksumType::Composite));
    assert_eq!(head(client, bucket, KEY).await, expected);
}

pub(super) async fn an_empty_part_becomes_an_empty_object(client: &Client, bucket: &str) {
    let id = begin(client, bucket, KEY).await;
    let part = put_part(client, bucket, KEY, &id, 1, &Bytes::new()).await;
    let request = client.complete_multipart_upload().bucket(bucket).key(KEY);
    let request = request.upload_id(&id).multipart_upload(list_of(&[part]));
    request.mpu_object_size(0).send().await.unwrap();
    assert_eq!(read(client, bucket, KEY).await.unwrap(), "");
}

pub(super) async fn parts_that_are_not_named_are_left_out(client: &Client, bucket: &str) {
    let id = begin(client, bucket, KEY).await;
    let first = put_part(client, bucket, KEY, &id, 1, &some_bytes(10, 1)).await;
    put_part(client, bucket, KEY, &id, 2, &some_bytes(20, 2)).await;
    let request = client.complete_multipart_upload().bucket(bucket).key(KEY);
    let request = request.upload_id(&id).multipart_upload(list_of(&[first]));
    request.send().await.unwrap();
    assert_eq!(read(client, bucket, KEY).await.unwrap(), some_bytes(10, 1));
}

pub(super) async fn without_an_algorithm_there_is_no_checksum(client: &Client, bucket: &str) {
    let request = client.create_multipart_upload().bucket(bucket).key(KEY);
    let id = request.send().await.unwrap().upload_id.unwrap();
    let request = client.upload_part().bucket(bucket).key(KEY).upload_id(&id);
    let request = request.part_number(1).body(ByteStream::from_static(b"these"));
    let request = request.customize().config_override(without_checksums());
    let etag = request.send().await.unwrap().e_tag.unwrap();
    let complete = |sha256: Option<String>| {
        // Without quotes an ETag is as good.
        let part = CompletedPart::builder()
            .part_number(1)
            .e_tag(etag.trim_matches('"'));
        let part = part.set_checksum_sha256(sha256).build();
        let request = client.complete_multipart_upload().bucket(bucket).key(KEY);
        request.upload_id(&id).multipart_upload(list_of(&[part])).send()
    };
    assert_eq!(
        refused(complete(Some(sha256(b"these"))).await),
        is(400, "InvalidPart")
    );
    let answer = complete(None).await.unwrap();
    assert_eq!(answer.checksum_sha256(), None);
    assert_eq!(head(client, bucket, KEY).await, (5, None, None));
}

pub(super) async fn a_completed_upload_is_gone(client: &Client, bucket: &str) {
    let id = begin(client, bucket, KEY).await;
    let part = put_part(client, bucket, KEY, &id, 1, &some_bytes(10, 1)).await;
    let complete = || {
        let request = client.complete_multipart_upload().bucket(bucket).key(KEY);
        let request = request.upload_id(&id);
        request
            .multipart_upload(list_of(std::slice::from_ref(&part)))
            .send()
    };
    complete().await.unwrap();
    assert_eq!(refused(complete().await), is(404, "NoSuchUpload"));
    let request = client.abort_multipart_upload().bucket(bucket).key(KEY);
    assert_eq!(
        refused(request.upload_id(&id).send().await),
        is(404, "NoSuchUpload")
    );
    let request = client.list_parts().bucket(bucket).key(KEY);
    assert_eq!(
        refused(request.upload_id(&id).send().await),
        is(404, "NoSuchUpload")
    );
    let request = client.list_multipart_uploads().bucket(bucket);
    assert!(request.send().await.unwrap().uploads().is_empty());
    assert_eq!(read(client, bucket, KEY).await.unwrap(), some_bytes(10, 1));
}

pub(super) async fn an_aborted_upload_is_gone(client: &Client, bucket: &str) {
    let id = begin(client, bucket, KEY).await;
    let part = put_part(client, bucket, KEY, &id, 1, &some_bytes(10, 1)).await;
    let abort = || {
        let request = client.abort_multipart_upload().bucket(bucket).key(KEY);
        request.upload_id(&id).send()
    };
    abort().await.unwrap();
    assert_eq!(refused(abort().await), is(404, "NoSuchUpload"));
    let request = client.complete_multipart_upload().bucket(bucket).key(KEY);
    let request = request.upload_id(&id).multipart_upload(list_of(&[part]));
    assert_eq!(refused(request.send().await), is(404, "NoSuchUpload"));
    assert_eq!(read(client, bucket, KEY).await, None);
}

pub(super) async fn an_object_takes_the_place_of_another(client: &Client, bucket: &str) {
    put(client, bucket, KEY, &some_bytes(30, 3)).await;
    let id = begin(client, bucket, KEY).await;
    let part = put_part(client, bucket, KEY, &id, 1, &some_bytes(10, 1)).await;
    assert_eq!(read(client, bucket, KEY).await.unwrap(), some_bytes(30, 3));
    let request = client.complete_multipart_upload().bucket(bucket).key(KEY);
    let request = request.upload_id(&id).multipart_upload(list_of(&[part]));
    request.send().await.unwrap();
    assert_eq!(read(client, bucket, KEY).await.unwrap(), some_bytes(10, 1));
}

pub(super) async fn only_where_nothing_is(client: &Client, bucket: &str) {
    put(client, bucket, KEY, &some_bytes(30, 3)).await;
    let id = begin(client, bucket, KEY).await;
    let part = put_part(client, bucket, KEY, &id, 1, &some_bytes(10, 1)).await;
    let complete = || {
        let request = client.complete_multipart_upload().bucket(bucket).key(KEY);
        let request = request.upload_id(&id).if_none_match("*");
        request
            .multipart_upload(list_of(std::slice::from_ref(&part)))
            .send()
    };
    assert_eq!(refused(complete().await), is(412, "PreconditionFailed"));
    assert_eq!(read(client, bucket, KEY).await.unwrap(), some_bytes(30, 3));
    assert_eq!(part_numbers(client, bucket, KEY, &id).await, [1]);
    let request = client.delete_object().bucket(bucket).key(KEY);
    request.send().await.unwrap();
    complete().await.unwrap();
    assert_eq!(read(client, bucket, KEY).await.unwrap(), some_bytes(10, 1));
}
