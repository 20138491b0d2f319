//! Many uploads at the edge of a quota.

use super::{AT_ONCE, complete, insist, post};
use crate::harness::audit;
use crate::harness::bytes::fresh;
use crate::harness::http::HttpResponse;
use crate::harness::person::Person;
use crate::harness::wait::TIMEOUT;
use futures::future::join;
use futures::{StreamExt, stream};
use serde_json::json;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::time::sleep;

/// Somebody with room for so many bytes.
async fn with_quota(quota: u64) -> Person {
    let person = Person::not_signed_in().await;
    person.set_quota(quota).await;
    person
}

/// What is accepted is exactly what there is room for.
#[tokio::test]
async fn two_hundred_uploads_at_the_edge_of_a_quota() {
    const SIZE: u64 = 1000;
    const FIT: u64 = 57;
    const QUOTA: u64 = FIT * SIZE + SIZE - 1;
    let person = with_quota(QUOTA).await;
    let answers: Vec<HttpResponse> = stream::iter(0..200)
        .map(async |name| {
            post(
                &person,
                "/uploads",
                &json!({ "name": format!("{name}"), "size": SIZE }),
            )
            .await
        })
        .buffer_unordered(AT_ONCE)
        .collect()
        .await;
    let (accepted, refused): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status == 201);
    assert_eq!((accepted.len() as u64, refused.len() as u64), (FIT, 200 - FIT));
    for answer in refused {
        let problem = answer.problem(403, "quota_exceeded");
        assert_eq!(problem["wanted_bytes"], SIZE, "{problem}");
        let (used, free) = (&problem["used_bytes"], &problem["free_bytes"]);
        assert_eq!(
            used.as_u64().unwrap() + free.as_u64().unwrap(),
            QUOTA,
            "{problem}"
        );
    }
    assert_eq!(person.used().await, FIT * SIZE);
    audit::world(&[&person], "at the edge of a quota").await;
}

/// The same while uploads are aborted and completed and files deleted: room comes and goes, and is never there twice.
#[tokio::test]
async fn uploads_at_the_edge_of_a_quota_while_room_comes_and_goes() {
    const SIZE: u64 = 1000;
    const FIT: u64 = 20;
    let person = with_quota(FIT * SIZE).await;
    let (accepted, refused, over) = (AtomicU64::new(0), AtomicU64::new(0), AtomicU64::new(0));
    let one = async |name: u64| {
        let bytes = fresh(1000);
        let body = json!({ "name": format!("{name}"), "size": SIZE });
        let answer = post(&person, "/uploads", &body).await;
        if answer.status == 403 {
            refused.fetch_add(1, Ordering::Relaxed);
            // What is under way makes room only when it is done.
            sleep(Duration::from_millis(100)).await;
            return;
        }
        accepted.fetch_add(1, Ordering::Relaxed);
        let upload = answer.expect(201).json()["id"].as_str().unwrap().to_owned();
        over.fetch_max(person.used().await, Ordering::Relaxed);
        if name.is_multiple_of(4) {
            let path = format!("/uploads/{upload}");
            insist(async || person.call("DELETE", &path, None).await)
                .await
                .expect(204);
            return;
        }
        person.send_parts(&upload, &bytes, [1]).await;
        let done = complete(&person, &upload).await.expect(200).json();
        if name % 4 != 3 {
            let path = format!("/files/{}?permanently=true", done["file"]["id"].as_str().unwrap());
            insist(async || person.call("DELETE", &path, None).await)
                .await
                .expect(204);
        }
    };
    let began = Instant::now();
    // A quarter of them stays: twice as many as fit leave half of the quota.
    let go_on = |_: &u64| accepted.load(Ordering::Relaxed) < 2 * FIT && began.elapsed() < TIMEOUT;
    stream::iter((0..).take_while(go_on))
        .for_each_concurrent(AT_ONCE, one)
        .await;
    let most = over.into_inner();
    let (accepted, refused) = (accepted.into_inner(), refused.into_inner());
    println!("{accepted} accepted, {refused} refused, {most} bytes at most");
    assert!(most <= FIT * SIZE, "{most} bytes");
    assert!(accepted > FIT && refused > 0, "{accepted}, {refused}");
    audit::world(&[&person], "room comes and goes").await;
    // All that is left of the quota can be had, and no more.
    let left = FIT - person.used().await / SIZE;
    for name in 0..left {
        let body = json!({ "name": format!("last {name}"), "size": SIZE });
        post(&person, "/uploads", &body).await.expect(201);
    }
    let body = json!({ "name": "too much", "size": 1 });
    post(&person, "/uploads", &body)
        .await
        .problem(403, "quota_exceeded");
    post(&person, "/uploads", &json!({ "name": "nothing", "size": 0 }))
        .await
        .expect(201);
}

/// A quota that is lowered below what is used takes nothing away, and lets nothing in; set in the midst of uploads, it is
/// still exact.
#[tokio::test]
async fn a_quota_that_is_changed_while_uploads_begin() {
    let person = with_quota(100_000).await;
    let uploads = async {
        stream::iter(0..60)
            .map(async |name| {
                post(
                    &person,
                    "/uploads",
                    &json!({ "name": format!("{name}"), "size": 1000 }),
                )
                .await
                .status
            })
            .buffer_unordered(AT_ONCE)
            .collect::<Vec<u16>>()
            .await
    };
    let quotas = async {
        for quota in [30_000, 90_000, 5_000, 40_000, 10_000] {
            person.set_quota(quota).await;
        }
    };
    let (statuses, ()) = join(uploads, quotas).await;
    let accepted = statuses.iter().filter(|status| **status == 201).count() as u64;
    assert!(
        statuses.iter().all(|status| [201, 403].contains(status)),
        "{statuses:?}"
    );
    assert_eq!(person.used().await, accepted * 1000);
    audit::world(&[&person], "a quota that is changed").await;
    person.set_quota(0).await;
    post(&person, "/uploads", &json!({ "name": "a", "size": 1 }))
        .await
        .problem(403, "quota_exceeded");
    assert_eq!(person.used().await, accepted * 1000, "nothing is lost");
}
