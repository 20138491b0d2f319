//! The primary store has lost a file: downloads are redirected to a replica that was verified, and is there.

use crate::harness::aws;
use crate::harness::bytes::{PART, fresh};
use crate::harness::cli::Terminal;
use crate::harness::http::{HttpResponse, send};
use crate::harness::person::Person;
use crate::harness::proxy::{Act, Proxy, Seen};
use crate::harness::target_proxy::{Asked, Fate};
use crate::harness::test_targets::{Kind, ReplicationFixture, Stored, TestTarget};
use crate::harness::wait::until;
use crate::harness::workers::{WorkerOptions, Workers};
use bytes::Bytes;
use serde_json::json;
use std::process::Stdio;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

const NAME: &str = "größe \"1\".html";
const TYPE: &str = "text/html; charset=utf-8";

/// A target that is there or not.
#[derive(Clone)]
struct Switch(Arc<Mutex<Fate>>);

impl Switch {
    fn new() -> Self {
        Self(Arc::new(Mutex::new(Fate::Pass)))
    }

    fn rule(&self) -> impl Fn(&Asked) -> Fate + Send + Sync + 'static {
        let fate = Arc::clone(&self.0);
        move |_| *fate.lock().unwrap()
    }

    /// What becomes of all requests from now on.
    fn set(&self, fate: Fate) {
        *self.0.lock().unwrap() = fate;
    }
}

/// A file that is at every place.
async fn copied(fixture: &ReplicationFixture, bytes: &Bytes) -> Stored {
    let body = json!({ "name": NAME, "size": bytes.len(), "content_type": TYPE });
    let upload = fixture
        .person
        .call("POST", "/uploads", Some(&body))
        .await
        .expect(201)
        .json();
    let upload = upload["id"].as_str().unwrap().to_owned();
    let parts = u32::try_from(bytes.len().div_ceil(PART)).unwrap();
    fixture.person.send_parts(&upload, bytes, 1..=parts).await;
    let stored = fixture.complete(&upload).await;
    let workers = Workers::start(&fixture.queues, WorkerOptions::usual(2));
    for place in &fixture.places {
        fixture.available(&stored, place).await;
    }
    workers.idle().await;
    workers.stop().await;
    stored
}

async fn content(person: &Person, stored: &Stored) -> HttpResponse {
    person
        .call("GET", &format!("/files/{}/content", stored.file.id), None)
        .await
}

/// Checks that a download leads to this place, with the file's bytes, name and type, and that only this may be done there.
async fn leads_to(place: &TestTarget, fixture: &ReplicationFixture, stored: &Stored, bytes: &Bytes) {
    assert!(
        place.object(&stored.blob) == *bytes,
        "{:?}: other bytes, for its own client",
        place.kind
    );
    let answer = content(&fixture.person, stored).await.expect(307);
    assert_eq!(answer.header("cache-control"), "no-store");
    let url = answer.header("location").to_owned();
    assert!(
        url.starts_with(&place.relay.endpoint),
        "not {:?}: {url}",
        place.kind
    );
    let whole = send("GET", &url, &[], "").await.expect(200);
    assert!(whole.body == *bytes, "{:?}: other bytes", place.kind);
    assert_eq!(whole.header("content-type"), TYPE);
    let disposition = whole.header("content-disposition");
    assert!(disposition.starts_with("attachment;"), "{disposition}");
    assert!(
        disposition.contains("filename*=UTF-8''gr%C3%B6%C3%9Fe%20%221%22.html"),
        "{disposition}"
    );
    let part = send("GET", &url, &[("range", "bytes=100-199")], "")
        .await
        .expect(206);
    assert_eq!(part.body, bytes[100..200]);
    send("DELETE", &url, &[], "").await.expect(403);
    let other = url.replacen(&stored.blob, &format!("x{}", &stored.blob[1..]), 1);
    send("GET", &other, &[], "").await.expect(403);
}

async fn leads_nowhere(person: &Person, stored: &Stored) {
    let answer = content(person, stored).await.expect(503);
    let document = answer.json();
    assert_eq!(document["code"], "bytes_unavailable", "{document}");
    assert!(!answer.header("retry-after").is_empty());
}

async fn lose(stored: &Stored) {
    aws::lose_object(&format!("blobs/{}", stored.blob)).await;
}

async fn lost_since(stored: &Stored) -> Option<String> {
    let row = aws::item(&format!("BLOB#{}", stored.blob), "BLOB").await.unwrap();
    row["lost_since"].as_str().map(str::to_owned)
}

#[tokio::test]
async fn a_lost_file_is_at_oss() {
    let switch = Switch::new();
    let fixture = ReplicationFixture::new(vec![TestTarget::new(Kind::Oss, switch.rule()).await]).await;
    let bytes = fresh(2 * PART + 3);
    let stored = copied(&fixture, &bytes).await;
    // While the primary store has it, nobody is sent elsewhere.
    let url = content(&fixture.person, &stored)
        .await
        .expect(307)
        .header("location")
        .to_owned();
    assert!(!url.starts_with(&fixture.places[0].relay.endpoint), "{url}");
    lose(&stored).await;
    leads_to(&fixture.places[0], &fixture, &stored, &bytes).await;
    assert!(lost_since(&stored).await.is_some(), "it is known now");
    leads_to(&fixture.places[0], &fixture, &stored, &bytes).await;
    let stranger = Person::not_signed_in().await;
    content(&stranger, &stored).await.problem(404, "not_found");
    for fate in [Fate::Reset, Fate::Hang] {
        switch.set(fate);
        leads_nowhere(&fixture.person, &stored).await;
    }
    fixture.close().await;
}

/// What is marked as lost, and is there all the same, comes from the primary store.
#[tokio::test]
async fn a_mark_is_not_believed_blindly() {
    let fixture = ReplicationFixture::new(vec![TestTarget::new(Kind::Oss, |_| Fate::Pass).await]).await;
    let bytes = fresh(1000);
    let stored = copied(&fixture, &bytes).await;
    let mark = json!({ "lost_since": "2026-01-01T00:00:00Z" });
    aws::set(&format!("BLOB#{}", stored.blob), "BLOB", &mark).await;
    assert!(lost_since(&stored).await.is_some());
    let url = content(&fixture.person, &stored)
        .await
        .expect(307)
        .header("location")
        .to_owned();
    assert!(!url.starts_with(&fixture.places[0].relay.endpoint), "{url}");
    assert_eq!(send("GET", &url, &[], "").await.expect(200).body, bytes);
    lose(&stored).await;
    leads_to(&fixture.places[0], &fixture, &stored, &bytes).await;
    fixture.close().await;
}

/// A file of somebody at a terminal, and its parts on their way.
async fn at_a_terminal(fixture: &ReplicationFixture, bytes: &Bytes) -> (Terminal, Stored) {
    let terminal = Terminal::new();
    terminal.json(&["login", &fixture.person.username]);
    (terminal, copied(fixture, bytes).await)
}

/// The command line downloads what is at this place only.
async fn is_downloaded(kind: Kind) {
    let fixture = ReplicationFixture::new(vec![TestTarget::new(kind, |_| Fate::Pass).await]).await;
    let bytes = fresh(3 * PART + 17);
    let (terminal, stored) = at_a_terminal(&fixture, &bytes).await;
    lose(&stored).await;
    terminal.json(&["download", NAME, "-o", "copy"]);
    assert!(std::fs::read(terminal.path("copy")).unwrap() == bytes);
    fixture.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_command_line_downloads_what_is_lost() {
    is_downloaded(Kind::Oss).await;
}

/// Some parts came from the primary store when it lost the file. The others come from elsewhere.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_command_line_goes_on_elsewhere() {
    const PARTS: usize = 12;
    const PASSED: usize = 5;
    let fixture = ReplicationFixture::new(vec![TestTarget::new(Kind::Oss, |_| Fate::Pass).await]).await;
    let bytes = fresh(PARTS * PART - 100);
    let (mut terminal, stored) = at_a_terminal(&fixture, &bytes).await;
    let primary = format!("/blobs/{}", stored.blob);
    let (wanted, asked) = (primary.clone(), AtomicUsize::new(0));
    let proxy = Proxy::start(move |seen: &Seen| {
        let of_primary = seen.operation == "S3 GetObject" && seen.path.contains(&wanted);
        if of_primary && asked.fetch_add(1, Ordering::SeqCst) >= PASSED {
            Act::Late
        } else {
            Act::Pass
        }
    })
    .await;
    terminal.through(Some(&proxy.url));
    let program = terminal
        .command(&["--json", "download", NAME, "-o", "copy", "--streams", "3"])
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let fetched = |proxy: &Proxy, path: &str| {
        let seen = proxy.seen();
        let parts = seen
            .iter()
            .filter(|seen| seen.operation == "S3 GetObject" && seen.path.contains(path));
        parts.count()
    };
    until("some parts have come, and others wait", async || {
        (fetched(&proxy, &primary) == PASSED + 3).then_some(())
    })
    .await;
    lose(&stored).await;
    proxy.go();
    let output = tokio::task::spawn_blocking(|| program.wait_with_output().unwrap())
        .await
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(std::fs::read(terminal.path("copy")).unwrap() == bytes);
    let elsewhere = fetched(&proxy, &fixture.places[0].key(&stored.blob));
    assert_eq!(elsewhere, PARTS - PASSED, "what had come was not fetched again");
    fixture.close().await;
}

mod real_ceph {
    use super::{
        Fate, Kind, PART, Person, ReplicationFixture, Switch, TestTarget, content, copied, fresh,
        is_downloaded, leads_nowhere, leads_to, lose,
    };
    use crate::harness::ceph;

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn the_command_line_downloads_what_is_lost() {
        is_downloaded(Kind::Ceph).await;
    }

    /// Whichever of two has the file's bytes serves them, however the other fails: it does not answer at all, has other
    /// bytes, or has none.
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_lost_file_is_there_or_at_oss() {
        let switch = Switch::new();
        let places = vec![
            TestTarget::new(Kind::Ceph, |_| Fate::Pass).await,
            TestTarget::new(Kind::Oss, switch.rule()).await,
        ];
        let fixture = ReplicationFixture::new(places).await;
        let [ceph, oss] = fixture.places.as_slice() else {
            panic!("there are two");
        };
        for size in [1000, 2 * PART + 3] {
            let bytes = fresh(size);
            let stored = copied(&fixture, &bytes).await;
            lose(&stored).await;
            for fate in [Fate::Reset, Fate::Hang] {
                switch.set(fate);
                leads_to(ceph, &fixture, &stored, &bytes).await;
            }
            let key = ceph.key(&stored.blob);
            // As many bytes, and others.
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("other");
            std::fs::write(&path, fresh(size)).unwrap();
            ceph::boto3(&["put", &key, path.to_str().unwrap()]);
            switch.set(Fate::Reset);
            leads_nowhere(&fixture.person, &stored).await;
            switch.set(Fate::Pass);
            leads_to(oss, &fixture, &stored, &bytes).await;
            ceph::boto3(&["delete", &key]);
            leads_to(oss, &fixture, &stored, &bytes).await;
            let stranger = Person::not_signed_in().await;
            content(&stranger, &stored).await.problem(404, "not_found");
            // Its name is free for the next one.
            fixture.person.api.delete_file(&stored.file.id).await.unwrap();
        }
        fixture.close().await;
    }
}
