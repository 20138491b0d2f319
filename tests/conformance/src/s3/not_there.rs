//! Objects and buckets that are not there.

use super::{is, refused};
use aws_sdk_s3::Client;

const KEY: &str = "a/key";

pub(super) async fn no_object(client: &Client, bucket: &str) {
    let answer = client.get_object().bucket(bucket).key(KEY).send().await;
    assert_eq!(refused(answer), is(404, "NoSuchKey"));
    // Without a body there is no code but the one that the SDK makes of the status.
    let (status, _) = refused(client.head_object().bucket(bucket).key(KEY).send().await);
    assert_eq!(status, 404);
    client.head_bucket().bucket(bucket).send().await.unwrap();
}

pub(super) async fn no_bucket(client: &Client, _bucket: &str) {
    let none = "there-is-no-such-bucket";
    let (status, _) = refused(client.head_bucket().bucket(none).send().await);
    assert_eq!(status, 404);
    let (status, _) = refused(client.head_object().bucket(none).key(KEY).send().await);
    assert_eq!(status, 404);
    let expected = is(404, "NoSuchBucket");
    let answer = client.get_object().bucket(none).key(KEY).send().await;
    assert_eq!(refused(answer), expected);
    let answer = client
        .create_multipart_upload()
        .bucket(none)
        .key(KEY)
        .send()
        .await;
    assert_eq!(refused(answer), expected);
    let answer = client.list_objects_v2().bucket(none).send().await;
    assert_eq!(refused(answer), expected);
    let answer = client.list_multipart_uploads().bucket(none).send().await;
    assert_eq!(refused(answer), expected);
    let answer = client.delete_object().bucket(none).key(KEY).send().await;
    assert_eq!(refused(answer), expected);
}
