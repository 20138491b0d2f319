//! What goes wrong on demand.

use crate::ask::ServerFixture;
use std::time::{Duration, Instant};

#[tokio::test]
async fn failures_of_the_server_do_nothing() {
    let place = ServerFixture::new();
    for (kind, status, code) in [("500", 500, "InternalError"), ("503", 503, "ServiceUnavailable")] {
        let plan = format!(r#"{{"rate": 1, "kinds": ["{kind}"], "only": ["PutObject"]}}"#);
        place.faults(&plan).await.expect(200);
        place.put("a", vec![1; 3_000_000]).await.refused(status, code);
        place.get("a").await.refused(404, "NoSuchKey");
        assert_eq!(place.state().await["faults"][kind], 1);
    }
    place.faults("{}").await.expect(200);
    place.put("a", "bytes").await.expect(200);
}

#[tokio::test]
async fn a_lost_answer_may_be_of_a_request_that_was_carried_out() {
    let place = ServerFixture::new();
    for (kind, status) in [("reset", 404), ("reset_after", 200)] {
        let plan = format!(r#"{{"rate": 1, "kinds": ["{kind}"], "only": ["PutObject"]}}"#);
        place.faults(&plan).await.expect(200);
        place.ask("PUT", "a").body("bytes").gets_no_answer().await;
        place.get("a").await.expect(status);
    }
}

#[tokio::test]
async fn a_hanging_request_goes_on() {
    let place = ServerFixture::new();
    let plan = r#"{"rate": 1, "kinds": ["hang_ms:300"]}"#;
    place.faults(plan).await.expect(200);
    let started = Instant::now();
    place.put("a", "bytes").await.expect(200);
    assert!(started.elapsed() >= Duration::from_millis(300));
}

#[tokio::test]
async fn corrupted_bytes_are_stored_with_their_own_checksum() {
    let place = ServerFixture::new();
    let right = place.put("a", "123456789").await.expect(200);
    let plan = r#"{"rate": 1, "kinds": ["corrupt_stored"]}"#;
    place.faults(plan).await.expect(200);
    let wrong = place.put("a", "123456789").await.expect(200);
    assert_ne!(
        right.header("x-oss-hash-crc64ecma"),
        wrong.header("x-oss-hash-crc64ecma")
    );
    let crc64 = right.header("x-oss-hash-crc64ecma");
    let checked = place.ask("PUT", "b").header("x-oss-hash-crc64ecma", crc64);
    checked.body("123456789").send().await.refused(400, "InvalidCRC");
    let got = place.get("a").await.expect(200);
    assert_eq!(got.text(), "123456788");
    assert_eq!(got.header("etag"), wrong.header("etag"));
    // A read has no bytes to corrupt.
    assert_eq!(place.state().await["faults"]["corrupt_stored"], 2);
}

#[tokio::test]
async fn a_permanent_refusal_lasts_until_it_is_lifted() {
    let place = ServerFixture::new();
    place.put("a", "bytes").await.expect(200);
    for (code, status) in [
        ("InvalidAccessKeyId", 403),
        ("SecurityTokenExpired", 403),
        ("NoSuchBucket", 404),
        ("PublicEndpointForbidden", 400),
    ] {
        let plan = format!(r#"{{"permanent": "{code}"}}"#);
        place.faults(&plan).await.expect(200);
        for _ in 0..2 {
            place.get("a").await.refused(status, code);
        }
    }
    place.faults("{}").await.expect(200);
    place.get("a").await.expect(200);
}

#[tokio::test]
async fn bytes_pass_at_the_pace_that_was_asked_for() {
    let place = ServerFixture::new();
    let plan = r#"{"bytes_per_second_per_connection": 1000000}"#;
    place.faults(plan).await.expect(200);
    for method in ["PUT", "GET"] {
        let started = Instant::now();
        let ask = place.ask(method, "a");
        let ask = if method == "PUT" {
            ask.body(vec![1; 500_000])
        } else {
            ask
        };
        ask.send().await.expect(200);
        assert!(
            started.elapsed() >= Duration::from_millis(450),
            "{:?}",
            started.elapsed()
        );
    }
    place.faults("{}").await.expect(200);
}

#[tokio::test]
async fn without_the_token_there_is_no_admin() {
    let place = ServerFixture::new();
    place
        .ask("GET", "state")
        .but(|ask| ask.bucket = "-".to_owned())
        .send()
        .await
        .refused(404, "NoSuchBucket");
    let guess = place.ask("GET", "state").but(|ask| ask.bucket = "-".to_owned());
    let guess = guess.header("x-oss-server-admin", "guess").send().await;
    guess.refused(404, "NoSuchBucket");
    place.faults(r#"{"permanent": "Nonsense"}"#).await.expect(400);
    let state = place.state().await;
    assert_eq!(state["requests"]["GetObject"], 2);
}
