//! What depends on the time.

use super::{BUCKET, client, double, pass};
use crate::test_client::start;
use aws_sdk_s3::Client;
use aws_sdk_s3::types::CompletedPart;
use conformance::s3::{begin, is, list_of, put, put_part, refused, some_bytes};
use jiff::SignedDuration;

const KEY: &str = "a/key";

#[tokio::test]
async fn an_object_is_as_old_as_its_upload() {
    let double = double();
    let client = client(&double);
    put(&client, BUCKET, "whole", &some_bytes(10, 1)).await;
    let id = begin(&client, BUCKET, KEY).await;
    pass(&double, 1000);
    let part = put_part(&client, BUCKET, KEY, &id, 1, &some_bytes(10, 1)).await;
    assert_eq!(double.lock().0.uploads(BUCKET).next().unwrap().begun_at, start());
    complete(&client, &id, &part).await.unwrap();
    pass(&double, 1000);
    put(&client, BUCKET, "whole", &some_bytes(10, 1)).await;
    let made_at: Vec<_> = double
        .lock()
        .0
        .objects(BUCKET)
        .map(|object| object.made_at)
        .collect();
    assert_eq!(made_at, [start(), start() + SignedDuration::from_secs(2000)]);
    let answer = client.list_objects_v2().bucket(BUCKET).send().await.unwrap();
    let listed = answer
        .contents()
        .iter()
        .map(|object| object.last_modified().unwrap().secs());
    let expected = made_at.iter().map(|time| time.as_second());
    assert!(listed.eq(expected));
}

async fn complete(client: &Client, id: &str, part: &CompletedPart) -> Result<String, (u16, String)> {
    let request = client
        .complete_multipart_upload()
        .bucket(BUCKET)
        .key(KEY)
        .upload_id(id);
    let answer = request
        .multipart_upload(list_of(std::slice::from_ref(part)))
        .send()
        .await;
    match answer {
        Ok(answer) => Ok(answer.checksum_sha256.unwrap()),
        error => Err(refused(error)),
    }
}

#[tokio::test]
async fn a_completed_upload_may_be_remembered_for_a_while() {
    let double = double();
    let client = client(&double);
    double.lock().0.remember_completed(SignedDuration::from_secs(60));
    let id = begin(&client, BUCKET, KEY).await;
    let part = put_part(&client, BUCKET, KEY, &id, 1, &some_bytes(10, 1)).await;
    let first = complete(&client, &id, &part).await.unwrap();
    pass(&double, 59);
    assert_eq!(complete(&client, &id, &part).await, Ok(first));
    // Of other parts, or later, or without its object, there is no such upload.
    let other = CompletedPart::builder().part_number(1).e_tag("other").build();
    let gone = Err(is(404, "NoSuchUpload"));
    assert_eq!(complete(&client, &id, &other).await, gone);
    double.lock().0.remember_completed(SignedDuration::from_secs(59));
    assert_eq!(complete(&client, &id, &part).await, gone);
    double.lock().0.remember_completed(SignedDuration::from_secs(60));
    assert!(complete(&client, &id, &part).await.is_ok());
    put(&client, BUCKET, KEY, &some_bytes(10, 1)).await;
    assert_eq!(complete(&client, &id, &part).await, gone);
}
