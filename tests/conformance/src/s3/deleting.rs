//! Objects that are deleted.

use super::{put, read, refused, some_bytes, without_checksums};
use aws_sdk_s3::Client;
use aws_sdk_s3::operation::delete_objects::builders::DeleteObjectsFluentBuilder;
use aws_sdk_s3::types::{Delete, ObjectIdentifier};
use std::collections::BTreeSet;

fn delete_many(client: &Client, bucket: &str, keys: &[String], quiet: bool) -> DeleteObjectsFluentBuilder {
    let named = keys
        .iter()
        .map(|key| ObjectIdentifier::builder().key(key).build().unwrap());
    let delete = Delete::builder().set_objects(Some(named.collect())).quiet(quiet);
    client
        .delete_objects()
        .bucket(bucket)
        .delete(delete.build().unwrap())
}

pub(super) async fn an_object_is_deleted_once_and_again(client: &Client, bucket: &str) {
    put(client, bucket, "a", &some_bytes(10, 1)).await;
    put(client, bucket, "ab", &some_bytes(10, 1)).await;
    for _ in 0..2 {
        client
            .delete_object()
            .bucket(bucket)
            .key("a")
            .send()
            .await
            .unwrap();
        assert_eq!(read(client, bucket, "a").await, None);
    }
    assert!(read(client, bucket, "ab").await.is_some());
}

pub(super) async fn many_objects_are_deleted(client: &Client, bucket: &str) {
    for key in ["a", "b & <c>", "d"] {
        put(client, bucket, key, &some_bytes(10, 1)).await;
    }
    let keys = ["a", "b & <c>", "none"].map(str::to_owned);
    let answer = delete_many(client, bucket, &keys, false).send().await.unwrap();
    assert!(answer.errors().is_empty());
    let deleted = answer.deleted().iter().map(|deleted| deleted.key().unwrap());
    let deleted: BTreeSet<_> = deleted.collect();
    assert_eq!(deleted, BTreeSet::from(keys.each_ref().map(String::as_str)));
    assert_eq!(read(client, bucket, "a").await, None);
    assert_eq!(read(client, bucket, "b & <c>").await, None);
    assert!(read(client, bucket, "d").await.is_some());
}

pub(super) async fn many_objects_are_deleted_quietly(client: &Client, bucket: &str) {
    put(client, bucket, "a", &some_bytes(10, 1)).await;
    let keys: Vec<String> = (0..1000).map(|number| format!("{number}")).collect();
    let keys = [vec!["a".to_owned()], keys[1..].to_vec()].concat();
    // The SDK adds a checksum, because S3 wants one, even where no others are wanted.
    let request = delete_many(client, bucket, &keys, true);
    let request = request.customize().config_override(without_checksums());
    let answer = request.send().await.unwrap();
    assert!(answer.errors().is_empty() && answer.deleted().is_empty());
    assert_eq!(read(client, bucket, "a").await, None);
}

pub(super) async fn more_than_a_thousand_are_refused(client: &Client, bucket: &str) {
    put(client, bucket, "0", &some_bytes(10, 1)).await;
    let keys: Vec<String> = (0..1001).map(|number| format!("{number}")).collect();
    let request = delete_many(client, bucket, &keys, true);
    assert_eq!(refused(request.send().await).0, 400);
    assert!(read(client, bucket, "0").await.is_some());
}
