//! Lists of objects and of multipart uploads.

use super::{begin, put, some_bytes};
use aws_sdk_s3::Client;
use aws_sdk_s3::operation::list_objects_v2::builders::ListObjectsV2FluentBuilder;
use aws_sdk_s3::primitives::DateTime;
use bytes::Bytes;
use std::collections::BTreeSet;

async fn keys(request: ListObjectsV2FluentBuilder) -> Vec<String> {
    let answer = request.send().await.unwrap();
    let count = usize::try_from(answer.key_count().unwrap()).unwrap();
    assert_eq!(count, answer.contents().len());
    let keys = answer.contents().iter().map(|object| object.key().unwrap());
    keys.map(str::to_owned).collect()
}

pub(super) async fn objects_are_listed_as_they_are(client: &Client, bucket: &str) {
    let bytes = some_bytes(1000, 1);
    put(client, bucket, "a", &bytes).await;
    let answer = client.list_objects_v2().bucket(bucket).send().await.unwrap();
    assert_eq!(answer.is_truncated(), Some(false));
    let [object] = answer.contents() else {
        panic!("{answer:?}");
    };
    assert_eq!((object.key(), object.size()), (Some("a"), Some(1000)));
    let seen = client.head_object().bucket(bucket).key("a").send().await.unwrap();
    assert_eq!(object.e_tag(), seen.e_tag());
    // In seconds, or more exactly.
    let made_at = |time: Option<&DateTime>| time.unwrap().secs();
    assert_eq!(made_at(object.last_modified()), made_at(seen.last_modified()));
}

/// All keys that are listed, and how many there were on each page.
async fn pages(client: &Client, bucket: &str, most: Option<i32>) -> (Vec<String>, Vec<usize>) {
    let (mut keys, mut lengths, mut token) = (Vec::new(), Vec::new(), None);
    loop {
        let request = client.list_objects_v2().bucket(bucket).set_max_keys(most);
        let answer = request.set_continuation_token(token).send().await.unwrap();
        lengths.push(answer.contents().len());
        let found = answer.contents().iter().map(|object| object.key().unwrap());
        keys.extend(found.map(str::to_owned));
        token = answer.next_continuation_token;
        assert_eq!(answer.is_truncated, Some(token.is_some()));
        if token.is_none() {
            return (keys, lengths);
        }
    }
}

pub(super) async fn objects_are_listed_in_pages(client: &Client, bucket: &str) {
    for key in ["b", "a/1", "c", "a"] {
        put(client, bucket, key, &Bytes::new()).await;
    }
    let expected = ["a", "a/1", "b", "c"];
    for (most, lengths) in [
        (1, vec![1, 1, 1, 1]),
        (2, vec![2, 2]),
        (3, vec![3, 1]),
        (4, vec![4]),
    ] {
        let (keys, found) = pages(client, bucket, Some(most)).await;
        assert_eq!(keys, expected);
        assert_eq!(found, lengths);
    }
}

pub(super) async fn more_than_a_thousand_objects_are_listed_in_pages(client: &Client, bucket: &str) {
    let expected: Vec<String> = (0..1003).map(|number| format!("{number:04}")).collect();
    for key in &expected {
        put(client, bucket, key, &Bytes::new()).await;
    }
    for most in [None, Some(5000)] {
        let (keys, lengths) = pages(client, bucket, most).await;
        assert_eq!(keys, expected);
        assert_eq!(lengths, [1000, 3]);
    }
}

pub(super) async fn objects_are_listed_from_a_key_on(client: &Client, bucket: &str) {
    for key in ["a", "b", "d"] {
        put(client, bucket, key, &Bytes::new()).await;
    }
    for (after, expected) in [
        ("a", &["b", "d"][..]),
        ("c", &["d"]),
        ("d", &[]),
        ("A", &["a", "b", "d"]),
    ] {
        let request = client.list_objects_v2().bucket(bucket).start_after(after);
        assert_eq!(keys(request).await, expected, "{after}");
    }
}

pub(super) async fn objects_are_listed_by_prefix(client: &Client, bucket: &str) {
    for key in ["a", "b/1", "b/2", "b3", "c"] {
        put(client, bucket, key, &Bytes::new()).await;
    }
    for (prefix, expected) in [
        ("b/", &["b/1", "b/2"][..]),
        ("b", &["b/1", "b/2", "b3"]),
        ("d", &[]),
    ] {
        let request = client.list_objects_v2().bucket(bucket).prefix(prefix);
        assert_eq!(keys(request).await, expected, "{prefix}");
    }
}

type Listed = (String, String);

/// A page of uploads, and whether there are more.
async fn page(client: &Client, bucket: &str, after: (&str, Option<&str>), most: i32) -> (Vec<Listed>, bool) {
    let request = client.list_multipart_uploads().bucket(bucket).key_marker(after.0);
    let request = request.set_upload_id_marker(after.1.map(str::to_owned));
    let answer = request.max_uploads(most).send().await.unwrap();
    let uploads = answer.uploads().iter().map(|upload| {
        assert!(upload.initiated().is_some());
        let (key, id) = (upload.key().unwrap(), upload.upload_id().unwrap());
        (key.to_owned(), id.to_owned())
    });
    let uploads: Vec<_> = uploads.collect();
    let more = answer.is_truncated() == Some(true);
    if more {
        let (key, id) = uploads.last().unwrap();
        assert_eq!(answer.next_key_marker(), Some(key.as_str()));
        assert_eq!(answer.next_upload_id_marker(), Some(id.as_str()));
    }
    (uploads, more)
}

/// Begins some uploads, and returns them in the order of their keys and beginnings.
async fn begun(client: &Client, bucket: &str) -> Vec<Listed> {
    let mut all = Vec::new();
    for key in ["b", "a", "b", "c", "b"] {
        all.push((key.to_owned(), begin(client, bucket, key).await));
    }
    all.sort_by(|(one, _), (other, _)| one.cmp(other));
    all
}

/// Without the order of those of a key.
fn sorted(mut uploads: Vec<Listed>) -> Vec<Listed> {
    assert!(uploads.is_sorted_by_key(|(key, _)| key.clone()), "{uploads:?}");
    uploads.sort();
    uploads
}

pub(super) async fn uploads_are_listed_in_pages(client: &Client, bucket: &str) {
    let all = sorted(begun(client, bucket).await);
    for most in 1..=6 {
        let (mut found, mut after) = (Vec::new(), (String::new(), None::<String>));
        loop {
            let (uploads, more) = page(client, bucket, (&after.0, after.1.as_deref()), most).await;
            assert!(uploads.len() <= usize::try_from(most).unwrap());
            found.extend(uploads);
            if !more {
                break;
            }
            let (key, id) = found.last().unwrap().clone();
            after = (key, Some(id));
        }
        assert_eq!(sorted(found), all, "{most}");
    }
}

pub(super) async fn a_key_alone_means_all_of_its_uploads(client: &Client, bucket: &str) {
    let all = sorted(begun(client, bucket).await);
    let (after_a, more) = page(client, bucket, ("a", None), 100).await;
    assert_eq!((sorted(after_a).as_slice(), more), (&all[1..], false));
    let (after_b, _) = page(client, bucket, ("b", None), 100).await;
    assert_eq!(after_b, all[4..]);
}

pub(super) async fn uploads_of_a_key_are_listed_by_their_beginnings(client: &Client, bucket: &str) {
    // So many that another order is not this one by chance.
    let mut all = Vec::new();
    for _ in 0..8 {
        all.push(("k".to_owned(), begin(client, bucket, "k").await));
    }
    let (found, _) = page(client, bucket, ("", None), 100).await;
    assert_eq!(found, all);
}

/// Which of the same key are listed is not documented.
pub(super) async fn uploads_are_listed_after_one_that_is_gone(client: &Client, bucket: &str) {
    let all = begun(client, bucket).await;
    let (key, id) = &all[2];
    let request = client.abort_multipart_upload().bucket(bucket).key(key);
    request.upload_id(id).send().await.unwrap();
    let (found, _) = page(client, bucket, (key, Some(id)), 100).await;
    assert_eq!(found.last(), all.last());
    assert!(found.iter().all(|upload| all[1..].contains(upload)), "{found:?}");
}

pub(super) async fn uploads_are_listed_by_prefix(client: &Client, bucket: &str) {
    let all = begun(client, bucket).await;
    let request = client.list_multipart_uploads().bucket(bucket).prefix("b");
    let answer = request.send().await.unwrap();
    let ids = answer.uploads().iter().map(|upload| upload.upload_id().unwrap());
    let ids: BTreeSet<&str> = ids.collect();
    let expected = all[1..4].iter().map(|(_, id)| id.as_str());
    assert_eq!(ids, expected.collect());
}
