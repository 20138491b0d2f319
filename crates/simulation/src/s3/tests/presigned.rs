//! How long presigned requests are good.

use super::{BUCKET, client, double, pass, wire};
use bytes::Bytes;
use conformance::s3::{put, request, some_bytes};
use std::time::Duration;

const KEY: &str = "a/key";

#[tokio::test]
async fn to_the_second() {
    let double = double();
    let client = client(&double);
    put(&client, BUCKET, KEY, &some_bytes(10, 1)).await;
    let wire = wire(&double);
    let signed = client.get_object().bucket(BUCKET).key(KEY);
    let signed = signed.presigned(wire.signed(Duration::ZERO)).await.unwrap();
    pass(&double, 900);
    wire.send(request(&signed, &Bytes::new())).await.is(200, "");
    pass(&double, 1);
    let answer = wire.send(request(&signed, &Bytes::new())).await;
    answer.is(403, "AccessDenied");
    assert!(String::from_utf8_lossy(&answer.body).contains("Request has expired"));
}
