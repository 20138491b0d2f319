//! The double as Longshore's own code sees it.

use super::{BUCKET, double};
use crate::s3::S3;
use crate::test_client::{Double, start};
use bytes::Bytes;
use conformance::s3::{put, sha256, some_bytes};
use domain::content::{ContentId, PartDigest};
use domain::reconcile::pass::Marker;
use domain::reconcile::{Checksum, Found};
use host::{Clock, Rng};
use http::Request;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use std::time::Duration;
use store::Environment;
use store::error::ErrorKind;
use store::objects::{Completion, Objects, StoredPart};

const KEY: &str = "a/key";
const PART: usize = 8 * 1024 * 1024;
const TIMEOUT: Duration = Duration::from_secs(5);

fn objects(double: &Double<S3>, bucket: &str) -> Objects {
    let environment = Environment::new(double.sdk(), Clock::set_to(start()), Rng::seeded(1));
    Objects::named(&environment, bucket.to_owned())
}

/// Sends a part as a client does.
async fn put_part(
    objects: &Objects,
    double: &Double<S3>,
    id: &str,
    number: u32,
    bytes: &Bytes,
    sent: &Bytes,
) -> (u16, String) {
    let length = u64::try_from(bytes.len()).unwrap();
    let digest = PartDigest::of(bytes);
    let signed = objects.sign_part(KEY, id, number, length, &digest).await.unwrap();
    let (_, date) = signed.url.split_once("X-Amz-Date=").unwrap();
    let mut request = Request::put(&signed.url);
    for (name, value) in &signed.headers {
        request = request.header(name, value);
    }
    let request = request.body(sent.clone()).unwrap();
    let answer = double.lock().0.answer(&request, signed_at(&date[..16]));
    let text = String::from_utf8_lossy(answer.body());
    let code = text
        .split_once("<Code>")
        .and_then(|(_, rest)| rest.split_once('<'));
    (
        answer.status().as_u16(),
        code.map_or_else(String::new, |(code, _)| code.to_owned()),
    )
}

/// Whatever the clock is that the SDK signs by.
fn signed_at(date: &str) -> Timestamp {
    let date = DateTime::strptime("%Y%m%dT%H%M%SZ", date).unwrap();
    date.to_zoned(TimeZone::UTC).unwrap().timestamp()
}

async fn put_two(objects: &Objects, double: &Double<S3>, id: &str) -> (Vec<Bytes>, ContentId) {
    let bytes = vec![some_bytes(PART, 1), some_bytes(1000, 2)];
    for (number, bytes) in (1..).zip(&bytes) {
        let answer = put_part(objects, double, id, number, bytes, bytes).await;
        assert_eq!(answer, (200, String::new()));
    }
    let digests: Vec<_> = bytes.iter().map(|bytes| PartDigest::of(bytes)).collect();
    (bytes, ContentId::of_parts(&digests).unwrap())
}

#[tokio::test]
async fn an_upload_from_beginning_to_end() {
    let double = double();
    let objects = objects(&double, BUCKET);
    let id = objects.begin_multipart(KEY).await.unwrap();
    let (bytes, content_id) = put_two(&objects, &double, &id).await;
    let size = u64::try_from(PART).unwrap() + 1000;
    let parts = objects.list_parts(KEY, &id).await.unwrap().unwrap();
    let found: Vec<_> = parts
        .iter()
        .map(|part| (part.number, part.digest.to_string()))
        .collect();
    assert_eq!(found, [(1, sha256(&bytes[0])), (2, sha256(&bytes[1]))]);
    assert!(!objects.has(KEY, size, &content_id).await.unwrap());

    let complete = |parts: Vec<StoredPart>, size| {
        let (objects, id) = (objects.clone(), id.clone());
        async move {
            let answer = objects.complete_multipart(KEY, &id, &parts, size, &content_id, TIMEOUT);
            answer.await
        }
    };
    let error = complete(parts.clone(), size + 1).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Invalid);
    let mut others = parts.clone();
    others[1].digest = PartDigest::of(b"others");
    let changed = complete(others, size).await.unwrap();
    assert!(matches!(changed, Completion::PartsChanged), "{changed:?}");
    let done = complete(parts.clone(), size).await.unwrap();
    assert!(matches!(done, Completion::Done), "{done:?}");
    let again = complete(parts, size).await.unwrap();
    assert!(matches!(again, Completion::NoSuchUpload), "{again:?}");

    assert!(objects.list_parts(KEY, &id).await.unwrap().is_none());
    assert!(objects.has(KEY, size, &content_id).await.unwrap());
    assert!(!objects.has(KEY, size - 1, &content_id).await.unwrap());
    let found = objects.look_for(KEY, &content_id).await.unwrap();
    let checksum = Checksum::Same;
    assert_eq!(found, Found::Object { size, checksum });
    let range = size - 1500..size - 500;
    let some = objects.read(KEY, &range).await.unwrap().collect().await.unwrap();
    assert_eq!(some.into_bytes(), bytes.concat()[PART - 500..PART + 500]);
    let url = objects.sign_read(KEY, "text/x-odd", "attachment").await.unwrap();
    let (_, date) = url.split_once("X-Amz-Date=").unwrap();
    let now = signed_at(&date[..16]);
    let request = Request::get(&url).body(Bytes::new()).unwrap();
    let answer = double.lock().0.answer(&request, now);
    assert_eq!(answer.status().as_u16(), 200);
    assert!(*answer.body() == bytes.concat());
    let late = now + SignedDuration::from_secs(901);
    let answer = double.lock().0.answer(&request, late);
    assert_eq!(answer.status().as_u16(), 403);
}

#[tokio::test]
async fn other_bytes_than_were_signed() {
    let double = double();
    let objects = objects(&double, BUCKET);
    let id = objects.begin_multipart(KEY).await.unwrap();
    let bytes = some_bytes(1000, 1);
    let sent = put_part(&objects, &double, &id, 1, &bytes, &some_bytes(1000, 2)).await;
    assert_eq!(sent, (400, "BadDigest".to_owned()));
    let sent = put_part(&objects, &double, &id, 1, &bytes, &bytes.slice(1..)).await;
    assert_eq!(sent, (403, "SignatureDoesNotMatch".to_owned()));
    assert!(objects.list_parts(KEY, &id).await.unwrap().unwrap().is_empty());
}

#[tokio::test]
async fn uploads_that_are_given_up() {
    let double = double();
    let objects = objects(&double, BUCKET);
    let mut ids = Vec::new();
    for _ in 0..3 {
        ids.push(objects.begin_multipart(KEY).await.unwrap());
    }
    let other = objects.begin_multipart("a/keys").await.unwrap();
    let (first, more) = objects.list_multiparts(None, 2).await.unwrap();
    assert!(more);
    assert_eq!(first[1].id, ids[1]);
    assert_eq!(first[1].begun_at, start());
    let marker = Marker {
        key: KEY.to_owned(),
        id: Some(ids[1].clone()),
    };
    let (rest, more) = objects.list_multiparts(Some(&marker), 2).await.unwrap();
    assert!(!more);
    assert_eq!((&rest[0].id, &rest[1].id), (&ids[2], &other));

    objects.abort_multipart(KEY, &ids[0]).await.unwrap();
    objects.abort_multipart(KEY, &ids[0]).await.unwrap();
    objects.abort_all_multiparts(KEY).await.unwrap();
    let open: Vec<_> = double.lock().0.uploads(BUCKET).map(|upload| upload.id).collect();
    assert_eq!(open, [other]);
}

#[tokio::test]
async fn objects_that_are_listed_and_deleted() {
    let double = double();
    let objects = objects(&double, BUCKET);
    let client = super::client(&double);
    let keys: Vec<String> = (0..1002).map(|number| format!("{number:04}")).collect();
    for key in &keys {
        put(&client, BUCKET, key, &some_bytes(3, 1)).await;
    }
    let (listed, more) = objects.list(Some("0000"), 500).await.unwrap();
    assert!(more);
    assert_eq!(
        (listed.len(), listed[0].key.as_str(), listed[0].size),
        (500, "0001", 3)
    );
    assert_eq!(listed[0].made_at, start());
    assert!(objects.delete_many(&keys).await.unwrap().is_empty());
    objects.delete("0000").await.unwrap();
    let (listed, more) = objects.list(None, 500).await.unwrap();
    assert!(listed.is_empty() && !more);
}

#[tokio::test]
async fn a_bucket_that_is_missing_is_no_missing_object() {
    let double = double();
    assert!(objects(&double, BUCKET).head(KEY).await.unwrap().is_none());
    let error = objects(&double, "none").head(KEY).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Misconfigured);
}
