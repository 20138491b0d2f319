//! Data survives the process, however it ends.

use crate::ask::{ServerFixture, blobs};
use oss_server::Settings;
use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

/// The server as a program.
struct Program {
    child: Child,
    ready: Value,
}

impl Program {
    fn start(settings: &Settings) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_oss-server"))
            .arg("--dir")
            .arg(&settings.folder)
            .args(["--bucket", &settings.bucket, "--region", &settings.region])
            .args(["--access-key-id", &settings.access_key_id])
            .args(["--secret-access-key", &settings.secret_access_key])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let ready = serde_json::from_str(&line).unwrap();
        Self { child, ready }
    }

    fn endpoint(&self) -> String {
        self.ready["endpoint"].as_str().unwrap().to_owned()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // As `kill -9` does.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test]
async fn a_server_that_starts_again_has_everything() {
    let place = ServerFixture::new();
    place.put("a ü", "bytes").await.expect(200);
    let done = place.begin("b").await;
    let etag = place.part("b", &done, 1, "other bytes").await;
    place
        .completion("b", &done, &[(1, &etag)])
        .send()
        .await
        .expect(200);
    let open = place.begin("c").await;
    let etag = place.part("c", &open, 1, "first").await;
    let before = place.state().await;
    let about = place.ask("HEAD", "a ü").send().await.expect(200);

    let place = place.restarted();
    let after = place.state().await;
    for name in ["objects", "multiparts"] {
        assert_eq!(before[name], after[name]);
        assert!(!after[name].as_array().unwrap().is_empty());
    }
    let again = place.ask("HEAD", "a ü").send().await.expect(200);
    for name in ["etag", "last-modified", "x-oss-hash-crc64ecma"] {
        assert_eq!(about.header(name), again.header(name));
    }
    assert_eq!(place.get("b").await.expect(200).text(), "other bytes");
    place
        .completion("c", &open, &[(1, &etag)])
        .send()
        .await
        .expect(200);
    assert_eq!(place.get("c").await.expect(200).text(), "first");
}

#[tokio::test]
async fn what_was_answered_survives_being_killed_and_the_rest_goes() {
    let place = ServerFixture::new();
    let folder = TempDir::new().unwrap();
    let mut settings = place.settings.clone();
    settings.folder = folder.path().to_owned();
    let program = Program::start(&settings);
    let at = |endpoint: &str, method: &str, key: &str| {
        let endpoint = endpoint.to_owned();
        place.ask(method, key).but(|ask| ask.endpoint = endpoint)
    };
    let endpoint = program.endpoint();
    at(&endpoint, "PUT", "a").body("bytes").send().await.expect(200);
    let begun = at(&endpoint, "POST", "b").query("uploads", "").send().await;
    let id = begun.expect(200).element("UploadId");
    let part = |endpoint: &str, number: &str| {
        let ask = at(endpoint, "PUT", "b").query("partNumber", number);
        ask.query("uploadId", &id)
    };
    let sent = part(&endpoint, "1").body("first").send().await.expect(200);
    let etag = sent.header("etag").to_owned();

    // In the middle of a part: it is large enough that much of it is on disk while the rest is still to come.
    let large = part(&endpoint, "2").body(vec![7; 256 * 1024 * 1024]);
    let sending = tokio::spawn(large.gets_no_answer());
    while blobs(folder.path()) < 3 {
        tokio::task::yield_now().await;
    }
    drop(program);
    sending.await.unwrap();

    let program = Program::start(&settings);
    let endpoint = program.endpoint();
    assert_eq!(blobs(folder.path()), 2);
    assert_eq!(at(&endpoint, "GET", "a").send().await.expect(200).text(), "bytes");
    let listed = at(&endpoint, "GET", "b")
        .query("uploadId", &id)
        .send()
        .await
        .expect(200);
    assert_eq!(listed.elements("PartNumber"), ["1"]);
    let xml = format!(
        "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>{etag}</ETag></Part></CompleteMultipartUpload>"
    );
    let complete = at(&endpoint, "POST", "b").query("uploadId", &id).body(xml);
    complete.send().await.expect(200);
    assert_eq!(at(&endpoint, "GET", "b").send().await.expect(200).text(), "first");
}
