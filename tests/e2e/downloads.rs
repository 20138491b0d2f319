//! What a download is: a redirect to the store, which knows ranges and names.

use crate::harness::aws;
use crate::harness::bytes::fresh;
use crate::harness::http::send;
use crate::harness::person::{Person, content_id};
use crate::harness::stack::stack;
use client::transfer::{Options, UploadRequest, upload};
use client::types::{Node, OnConflict};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, civil};
use serde_json::json;

#[tokio::test]
async fn a_download_is_a_redirect_that_needs_no_token() {
    let person = Person::new().await;
    let bytes = fresh(5000);
    let file = person.store("a.bin", None, &bytes).await.file;
    let answer = person
        .call("GET", &format!("/files/{}/content", file.id), None)
        .await
        .expect(307);
    assert_eq!(answer.header("cache-control"), "no-store");
    let url = answer.header("location").to_owned();
    assert!(
        !url.starts_with(&stack().api_url),
        "no byte passes through the API: {url}"
    );

    let whole = send("GET", &url, &[], "").await.expect(200);
    assert_eq!(whole.body, bytes);
    let part = send("GET", &url, &[("range", "bytes=100-199")], "")
        .await
        .expect(206);
    assert_eq!(part.body, bytes[100..200]);
    // The URL allows reading this object, and nothing else.
    send("DELETE", &url, &[], "").await.expect(403);
    send("PUT", &url, &[], "x").await.expect(403);
    let other = url.replacen("/blobs/", "/blobs/x", 1);
    send("GET", &other, &[], "").await.expect(403);
}

#[tokio::test]
async fn a_browser_is_told_name_and_type() {
    let person = Person::new().await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    std::fs::write(&path, fresh(10)).unwrap();
    let request = UploadRequest {
        path,
        name: "größe \"1\".html".to_owned(),
        parent: None,
        content_type: Some("text/html; charset=utf-8".to_owned()),
        on_conflict: OnConflict::Fail,
    };
    let file = upload(&person.api, &request, &Options::default())
        .await
        .unwrap()
        .file;
    let url = person.api.content_url(&file.id, None).await.unwrap();
    let answer = send("GET", url.reveal(), &[], "").await.expect(200);
    assert_eq!(answer.header("content-type"), "text/html; charset=utf-8");
    let disposition = answer.header("content-disposition");
    // Never shown inside the store's own origin, whatever it is.
    assert!(disposition.starts_with("attachment;"), "{disposition}");
    assert!(
        disposition.contains("filename*=UTF-8''gr%C3%B6%C3%9Fe%20%221%22.html"),
        "{disposition}"
    );
}

#[tokio::test]
async fn a_folder_has_no_content() {
    let person = Person::new().await;
    let folder = person.api.create_folder("f", None).await.unwrap();
    for leads in ["content", "link"] {
        person
            .call("GET", &format!("/files/{}/{leads}", folder.id), None)
            .await
            .problem(404, "not_found");
    }
}

/// What a link answers to whoever has one: the URL, and when it stops working.
async fn linked(person: &Person, file: &Node) -> (String, Timestamp) {
    let answer = person
        .call("GET", &format!("/files/{}/link", file.id), None)
        .await
        .expect(200);
    assert_eq!(answer.header("cache-control"), "no-store");
    let link = answer.json();
    assert_eq!(
        (link["size"].as_u64(), &link["content_id"]),
        (file.size, &json!(file.content_id))
    );
    let url = link["url"].as_str().unwrap().to_owned();
    (url, link["expires_at"].as_str().unwrap().parse().unwrap())
}

/// When a URL stops working, by what is signed.
fn signed_until(url: &str) -> Timestamp {
    let parameter = |name: &str| {
        let mut words = url.split(['?', '&']).filter_map(|word| word.split_once('='));
        words.find(|(found, _)| *found == name).unwrap().1.to_owned()
    };
    let signed = civil::DateTime::strptime("%Y%m%dT%H%M%SZ", parameter("X-Amz-Date")).unwrap();
    let lifetime = parameter("X-Amz-Expires").parse().unwrap();
    let signed = signed.to_zoned(TimeZone::UTC).unwrap().timestamp();
    signed + SignedDuration::from_secs(lifetime)
}

#[tokio::test]
async fn a_link_is_the_same_url_as_json() {
    let person = Person::new().await;
    let bytes = fresh(5000);
    let file = person.store("a.bin", None, &bytes).await.file;
    let (url, expires_at) = linked(&person, &file).await;
    let early = signed_until(&url).duration_since(expires_at);
    assert!(
        early >= SignedDuration::ZERO && early <= SignedDuration::from_secs(1),
        "{expires_at} is not when {url} stops working"
    );
    assert!(expires_at > Timestamp::now());
    let there = send("GET", &url, &[], "").await.expect(200);
    assert_eq!(there.body, bytes);
    assert_eq!(content_id(&there.body), file.content_id.unwrap());
    assert!(there.header("content-disposition").starts_with("attachment;"));
    send("DELETE", &url, &[], "").await.expect(403);

    let stranger = Person::new().await;
    for (who, id) in [(&stranger, file.id.as_str()), (&person, "0000")] {
        let path = format!("/files/{id}/link");
        who.call("GET", &path, None).await.problem(404, "not_found");
    }
}

/// With targets on this machine.
mod failover {
    use super::{Timestamp, aws, content_id, fresh, linked, send};
    use crate::harness::target_proxy::Fate;
    use crate::harness::test_targets::{Kind, ReplicationFixture, TestTarget};
    use crate::harness::workers::{WorkerOptions, Workers};

    /// The bytes are gone from the primary store, and nobody has noticed yet.
    #[tokio::test]
    async fn a_link_to_a_lost_file_leads_to_a_target() {
        let place = TestTarget::new(Kind::Oss, |_| Fate::Pass).await;
        let fixture = ReplicationFixture::new(vec![place]).await;
        let (person, place) = (&fixture.person, &fixture.places[0]);
        let bytes = fresh(1000);
        let stored = fixture.store("a.bin", &bytes).await;
        let workers = Workers::start(&fixture.queues, WorkerOptions::usual(1));
        fixture.available(&stored, place).await;
        workers.idle().await;
        workers.stop().await;
        let (url, _) = linked(person, &stored.file).await;
        assert!(!url.starts_with(&place.relay.endpoint), "{url}");
        aws::lose_object(&format!("blobs/{}", stored.blob)).await;
        let (url, expires_at) = linked(person, &stored.file).await;
        assert!(url.starts_with(&place.relay.endpoint), "{url}");
        assert!(expires_at > Timestamp::now());
        let there = send("GET", &url, &[], "").await.expect(200);
        assert_eq!(content_id(&there.body), stored.file.content_id.unwrap());
        fixture.close().await;
    }
}
