//! The sixteen holes of the server that Longshore descends from, each by its name, and each shut.
//!
//! Most have tests of their own elsewhere that go further; here is what an attacker, or bad luck, would try first.

use crate::harness::aws::{function_environment, multipart_uploads, object};
use crate::harness::bytes::{MIB, PART, fresh, unique};
use crate::harness::http::send;
use crate::harness::person::{Person, content_id, put, put_with, sign};
use crate::harness::places::{Kind, Place, Yard};
use crate::harness::private_sweep::PrivateSweep;
use crate::harness::proof::proof_of;
use crate::harness::proxy::Act;
use crate::harness::sandbox::Sandbox;
use crate::harness::secrets::values;
use crate::harness::signed::send_signed;
use crate::harness::stack::{root, stack};
use crate::harness::target_proxy::Fate;
use crate::harness::wait::until;
use client::types::{ReplicaState, UploadState};
use jiff::Timestamp;
use jsonwebtoken::{EncodingKey, Header, encode};
use serde_json::json;
use std::path::Path;

/// There, a token was good if it had forty characters.
#[tokio::test]
async fn hole_01_token_checked_by_length_only() {
    let person = Person::new().await;
    let now = Timestamp::now().as_second();
    let claims = json!({
        "sub": person.id, "sid": "s1", "iss": "longshore", "aud": "longshore-api", "iat": now, "exp": now + 60,
    });
    let by_another_key = encode(&Header::default(), &claims, &EncodingKey::from_secret(&[7; 64])).unwrap();
    let last = if person.token.ends_with('A') { "B" } else { "A" };
    let changed = format!("{}{last}", &person.token[..person.token.len() - 1]);
    let unsigned = format!("{}.", person.token.rsplit_once('.').unwrap().0);
    // Signed as it should be, but for a session that there never was.
    let of_no_session = sign(&person.id, "5e55", "longshore-api", now + 60).await;
    let tokens = ["x".repeat(40), by_another_key, changed, unsigned, of_no_session];
    for token in tokens {
        let bearer = format!("Bearer {token}");
        let url = format!("{}/v1/account", stack().api_url);
        let answer = send("GET", &url, &[("authorization", &bearer)], "").await;
        answer.problem(401, "unauthorized");
    }
}

/// There, a user who knew a file's hash could download it.
#[tokio::test]
async fn hole_02_any_file_readable_by_its_hash() {
    let (owner, thief) = (Person::new().await, Person::new().await);
    let file = owner.store("a", None, &fresh(100)).await.file;
    let content = file.content_id.unwrap().to_string();
    let digest = content.split('-').next().unwrap().replace(['/', '+', '='], "_");
    for id in [file.id.as_str(), digest.as_str()] {
        for path in [format!("/files/{id}"), format!("/files/{id}/content")] {
            thief.call("GET", &path, None).await.problem(404, "not_found");
        }
        thief
            .call("DELETE", &format!("/files/{id}"), None)
            .await
            .problem(404, "not_found");
    }
}

/// There, a file had the hash that its uploader claimed.
#[tokio::test]
async fn hole_03_hash_never_verified() {
    let person = Person::new().await;
    let (claimed, real) = (fresh(1000), fresh(1000));
    let upload = person.begin_as("a", 1000, Some(content_id(&claimed))).await;
    let signed = person.sign(&upload.id, 1, &claimed).await;
    put(&signed, real.clone()).await.expect(400);
    person.send_parts(&upload.id, &real, [1]).await;
    person.complete(&upload.id).await.problem(409, "content_mismatch");
    person.send_parts(&upload.id, &claimed, [1]).await;
    let file = person.complete(&upload.id).await.expect(200).json();
    assert_eq!(file["file"]["content_id"], content_id(&claimed).to_string());
}

/// There, files were kept under the names and hashes that clients sent, whoever owned them.
#[tokio::test]
async fn hole_04_cross_user_overwrite() {
    let (owner, other) = (Person::new().await, Person::new().await);
    let (hers, his) = (fresh(100), fresh(200));
    let folder = owner.api.create_folder("f", None).await.unwrap();
    let file = owner.store("same", None, &hers).await.file;
    other.store("same", None, &his).await;
    assert_eq!(owner.fetch(&file).await, hers);
    let into_hers = json!({ "name": "x", "size": 1, "parent": folder.id, "on_conflict": "replace" });
    other
        .call("POST", "/uploads", Some(&into_hers))
        .await
        .problem(409, "parent_not_found");
    let upload = owner.begin("b", &hers).await.id;
    for (method, path) in [("POST", "/complete"), ("DELETE", "")] {
        other
            .call(method, &format!("/uploads/{upload}{path}"), None)
            .await
            .problem(404, "not_found");
    }
    let part = json!({ "parts": [{ "number": 1, "sha256": domain::content::PartDigest::of(&his) }] });
    other
        .call("POST", &format!("/uploads/{upload}/parts"), Some(&part))
        .await
        .problem(404, "not_found");
}

/// There, chunks were joined by a shell command that had the client's words in it.
#[tokio::test]
async fn hole_05_shell_injection_at_merge() {
    let person = Person::new().await;
    let marker = std::env::temp_dir().join(format!("longshore-{:x}", unique()));
    let marked = marker.to_str().unwrap().replace('/', "${HOME:0:1}");
    let bytes = fresh(PART + 1);
    for name in [
        format!("$(touch {marked})"),
        format!("`touch {marked}`"),
        format!("a; touch {marked} #"),
        "| cat *".to_owned(),
    ] {
        let file = person.store(&name, None, &bytes).await.file;
        assert_eq!(
            (file.name.as_str(), file.size),
            (name.as_str(), Some(bytes.len() as u64))
        );
        assert_eq!(person.fetch(&file).await, bytes);
    }
    assert!(!marker.exists());
    // Nothing that answers requests starts programs at all.
    for folder in [
        "functions",
        "crates/domain",
        "crates/api",
        "crates/store",
        "crates/service",
        "crates/targets",
        "crates/wire",
    ] {
        sources(&root().join(folder), &mut |path, text| {
            assert!(!text.contains("Command::new"), "{}", path.display());
        });
    }
}

/// There, a name could lead anywhere on the server's disk.
#[tokio::test]
async fn hole_06_unsanitised_paths() {
    let person = Person::new().await;
    for name in [
        "../../etc/passwd",
        "/etc/passwd",
        "a/../b",
        "a\\b",
        ".",
        "..",
        "",
        "a\0b",
        "a\nb",
    ] {
        for path in ["/uploads", "/folders"] {
            let mut body = json!({ "name": name });
            if path == "/uploads" {
                body["size"] = json!(1);
            }
            let problem = person.call("POST", path, Some(&body)).await;
            assert_eq!(
                problem.problem(400, "invalid_request")["field"],
                "name",
                "{name:?}"
            );
        }
    }
    for id in ["..", "%2e%2e%2faccount", "a%2fb"] {
        let answer = person.call("GET", &format!("/files/{id}"), None).await;
        assert!(
            answer.status == 404 || answer.status == 403,
            "{id}: {}",
            answer.status
        );
    }
    // Where bytes are has nothing of their name.
    let upload = person.sent("name-of-the-file", &fresh(10)).await.id;
    let row = person.upload_row(&upload).await;
    let key = format!("blobs/{}", row["blob"].as_str().unwrap());
    assert_eq!(multipart_uploads(&key).await.len(), 1);
    person.complete(&upload).await.expect(200);
    assert!(object(&key).await.is_some());
}

/// There, a hash was enough to have the file among one's own.
#[tokio::test]
async fn hole_07_instant_upload_by_hash_alone() {
    let (owner, thief) = (Person::new().await, Person::new().await);
    let bytes = fresh(2 * MIB);
    owner.store("a", None, &bytes).await;
    let upload = thief.challenged("mine", &bytes).await;
    let id = upload["id"].as_str().unwrap();
    thief.complete(id).await.problem(409, "parts_missing");
    let guess = proof_of(&upload["challenge"], &vec![0; bytes.len()]);
    let told = thief.prove(id, &guess).await;
    // Asking to complete has ended the challenge already.
    assert_ne!(told.expect(200).json()["state"], "complete");
    assert!(thief.api.all_files(None).await.unwrap().is_empty());
}

/// There, a message was acknowledged when it came, so a worker that died had lost it.
#[tokio::test]
async fn hole_08_queue_auto_ack_and_lost_messages() {
    let yard = Yard::new(vec![Place::new(Kind::S3, |_| Fate::Pass).await]).await;
    let (bytes, place) = (fresh(1000), &yard.places[0]);
    let stored = yard.store("a", &bytes).await;
    // A worker that dies in the middle of its work.
    let environment = yard.queues.environment();
    let dies = |seen: &crate::harness::proxy::Seen| {
        if seen.operation == "S3 GetObject" {
            Act::KillBefore
        } else {
            Act::Pass
        }
    };
    let mut dying = Sandbox::start_with("replicate", dies, &environment).await;
    assert_eq!(yard.queues.hand_over(&mut dying).await, 1);
    assert!(dying.is_dead());
    let mut worker = Sandbox::start_with("replicate", |_| Act::Pass, &environment).await;
    until("the message comes back, and the file arrives", async || {
        yard.queues.hand_over(&mut worker).await;
        let replica = yard.replica(&stored, place).await;
        (replica.state == ReplicaState::Available).then_some(())
    })
    .await;
    // And one whose message never came at all: the sweep sends another.
    let second = yard.store("b", &bytes[1..]).await;
    yard.queues.forget().await;
    let sweep = PrivateSweep::new();
    let replica = format!("REPLICA#{}", place.name);
    sweep
        .take(&format!("BLOB#{}", second.blob), &replica, &json!({}))
        .await;
    let mut function = Sandbox::start_with("sweep", |_| Act::Pass, &environment).await;
    sweep.take_what_is_written_by(&function);
    function
        .invoke(&crate::harness::private_sweep::event())
        .await
        .unwrap();
    until("the sweep sends a message", async || {
        yard.queues.hand_over(&mut worker).await;
        let replica = yard.replica(&second, place).await;
        (replica.state == ReplicaState::Available).then_some(())
    })
    .await;
    assert_eq!(place.object(&second.blob), bytes[1..]);
    yard.close().await;
}

/// There, only files that came in one piece were ever copied to another store.
#[tokio::test]
async fn hole_09_chunked_uploads_never_replicated() {
    let yard = Yard::new(vec![Place::new(Kind::S3, |_| Fate::Pass).await]).await;
    let (bytes, place) = (fresh(2 * PART + 1), &yard.places[0]);
    let stored = yard.store("chunked", &bytes).await;
    let mut worker = Sandbox::start_with("replicate", |_| Act::Pass, &yard.queues.environment()).await;
    until("the file arrives", async || {
        yard.queues.hand_over(&mut worker).await;
        let replica = yard.replica(&stored, place).await;
        (replica.state == ReplicaState::Available).then_some(())
    })
    .await;
    assert_eq!(place.object(&stored.blob), bytes);
    yard.close().await;
}

/// There, a failed copy was never reported.
#[tokio::test]
async fn hole_10_replication_errors_discarded() {
    let yard = Yard::new(vec![Place::new(Kind::S3, |_| Fate::Refuse).await]).await;
    let stored = yard.store("a", &fresh(100)).await;
    let mut environment = yard.queues.environment().to_vec();
    environment.push(("MAX_RECEIVES", "1"));
    let mut worker = Sandbox::start_with("replicate", |_| Act::Pass, &environment).await;
    yard.queues.hand_over(&mut worker).await;
    let replica = yard.replica(&stored, &yard.places[0]).await;
    assert_eq!(replica.state, ReplicaState::Failed, "its owner sees it");
    assert!(replica.last_error.is_some_and(|error| !error.is_empty()));
    assert_eq!(yard.queues.dead_letter_count().await, 1, "so does the operator");
    assert_eq!(yard.places[0].tally("failed").await, 1);
    yard.close().await;
}

/// There, anybody who guessed an object's address could read it.
#[tokio::test]
async fn hole_11_public_read_objects() {
    let s3 = |method: &'static str, path: String| async move {
        let url = format!("{}/{}{path}", stack().url_of("s3"), stack().bucket);
        send_signed("s3", method, &url, &[], "").await
    };
    let blocked = s3("GET", "?publicAccessBlock".to_owned())
        .await
        .expect(200)
        .text();
    for setting in [
        "BlockPublicAcls",
        "IgnorePublicAcls",
        "BlockPublicPolicy",
        "RestrictPublicBuckets",
    ] {
        assert!(
            blocked.contains(&format!("<{setting}>true</{setting}>")),
            "{blocked}"
        );
    }
    let policy = s3("GET", "?policy".to_owned()).await.expect(200).json();
    let statements = policy["Statement"].as_array().unwrap();
    assert_eq!(statements.len(), 1, "{policy}");
    assert_eq!(
        (
            &statements[0]["Effect"],
            &statements[0]["Condition"]["Bool"]["aws:SecureTransport"]
        ),
        (&json!("Deny"), &json!("false")),
        "{policy}"
    );
    let person = Person::new().await;
    let bytes = fresh(100);
    if !stack().is_localstack() {
        // LocalStack takes everybody for the owner.
        person.store("c", None, &bytes).await;
        let blob = crate::harness::audit::blob_of(&content_id(&bytes).to_string())
            .await
            .unwrap();
        let bucket = format!("{}/{}", stack().url_of("s3"), stack().bucket);
        let key = format!("blobs/{}", blob["id"].as_str().unwrap());
        assert_eq!(object(&key).await.unwrap(), bytes);
        send("GET", &format!("{bucket}/{key}"), &[], "").await.expect(403);
        send("PUT", &format!("{bucket}/{key}"), &[], "mine")
            .await
            .expect(403);
        send("GET", &format!("{bucket}?list-type=2"), &[], "")
            .await
            .expect(403);
        assert_eq!(object(&key).await.unwrap(), bytes);
    }
    // Nor can a client ask for it: what is not signed is not taken.
    let bytes = fresh(100);
    let upload = person.begin("a", &bytes).await;
    let signed = person.sign(&upload.id, 1, &bytes).await;
    assert!(
        !signed
            .headers
            .keys()
            .any(|name| name.to_lowercase().contains("acl"))
    );
    let file = person.store("b", None, &bytes).await.file;
    let url = person.api.content_url(&file.id).await.unwrap();
    let tampered = url.reveal().replacen("X-Amz-Expires=", "X-Amz-Expires=9", 1);
    send("GET", &tampered, &[], "").await.expect(403);
    put_with(&signed, |_, _| None, bytes).await.expect(403);
}

/// There, what was sent twice was done twice.
#[tokio::test]
async fn hole_12_no_idempotence() {
    let person = Person::new().await;
    let bytes = fresh(100);
    let body = json!({ "name": "a", "size": bytes.len() }).to_string();
    let key = [("idempotency-key", "one"), ("content-type", "application/json")];
    let mut uploads = Vec::new();
    for _ in 0..3 {
        let answer = person.raw("POST", "/uploads", &key, body.clone()).await;
        uploads.push(answer.expect(201).json()["id"].as_str().unwrap().to_owned());
    }
    assert!(uploads.iter().all(|id| *id == uploads[0]), "{uploads:?}");
    person.send_parts(&uploads[0], &bytes, [1]).await;
    let mut files = Vec::new();
    for _ in 0..3 {
        files.push(person.complete(&uploads[0]).await.expect(200).json()["file"]["id"].clone());
    }
    assert!(files.iter().all(|id| *id == files[0]), "{files:?}");
    assert_eq!(person.api.all_files(None).await.unwrap().len(), 1);
    assert_eq!(person.used().await, bytes.len() as u64);
}

/// There, the chunks of an upload that nobody finished stayed for ever.
#[tokio::test]
async fn hole_13_chunks_never_collected() {
    let person = Person::new().await;
    let bytes = fresh(PART + 1);
    let upload = person.begin("a", &bytes).await.id;
    person.send_parts(&upload, &bytes, [1]).await;
    let row = person.upload_row(&upload).await;
    let key = format!("blobs/{}", row["blob"].as_str().unwrap());
    assert_eq!(multipart_uploads(&key).await.len(), 1);
    let sweep = PrivateSweep::new();
    sweep.take_expired(&person, &upload).await;
    sweep.run().await;
    assert_eq!(
        person.api.upload(&upload).await.unwrap().state,
        UploadState::Expired
    );
    until("the chunks are gone", async || {
        multipart_uploads(&key).await.is_empty().then_some(())
    })
    .await;
    assert_eq!(person.used().await, 0);
}

/// There, deleting a file deleted the bytes of everybody who had the same.
#[tokio::test]
async fn hole_14_delete_without_reference_count() {
    let (one, other) = (Person::new().await, Person::new().await);
    let bytes = fresh(1000);
    let first = one.store("a", None, &bytes).await.file;
    let second = other.store("b", None, &bytes).await.file;
    let content = content_id(&bytes).to_string();
    let blob = crate::harness::audit::blob_of(&content).await.unwrap();
    assert_eq!(blob["references"], 2);
    one.api.delete_file(&first.id).await.unwrap();
    let blob = crate::harness::audit::blob_of(&content).await.unwrap();
    assert_eq!(blob["references"], 1);
    assert_eq!(other.fetch(&second).await, bytes);
    other.api.delete_file(&second.id).await.unwrap();
    let blob = crate::harness::audit::blob_of(&content).await.unwrap();
    assert_eq!(blob["references"], 0);
}

/// There, passwords and keys stood in the source.
#[tokio::test]
async fn hole_15_secrets_in_source() {
    let secrets = values().await;
    assert!(!secrets.is_empty());
    // What Longshore runs with is not in what its functions are given, but in the secrets that those name.
    for function in stack().functions.keys() {
        for (name, value) in function_environment(function).await {
            assert!(
                !secrets.iter().any(|secret| value.contains(secret)),
                "{function}: {name}"
            );
        }
    }
    let mut read = 0;
    for folder in ["cli", "crates", "docs", "functions", "infra", "xtask", ".github"] {
        sources(&root().join(folder), &mut |path, text| {
            read += 1;
            assert!(
                !secrets.iter().any(|secret| text.contains(secret)),
                "{}",
                path.display()
            );
            let keys = ["-----BEGIN PRIVATE", "-----BEGIN RSA", "-----BEGIN EC"];
            assert!(!keys.iter().any(|key| text.contains(key)), "{}", path.display());
            let looks_like_a_key = text.match_indices("AKIA").any(|(at, _)| {
                let id: String = text[at + 4..].chars().take(16).collect();
                // AWS's own documentation has this one in all its examples.
                id.len() == 16
                    && id.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
                    && !id.ends_with("EXAMPLE")
            });
            assert!(!looks_like_a_key, "{}", path.display());
        });
    }
    assert!(read > 100, "{read}");
}

/// There, a file's name was written into pages as it was.
#[tokio::test]
async fn hole_16_xss_through_file_names() {
    let person = Person::new().await;
    let name = "<img src=x onerror=alert(1)>\"'.html";
    let body = json!({ "name": name, "size": 5, "content_type": "text/html" });
    let upload = person.call("POST", "/uploads", Some(&body)).await.expect(201);
    let id = upload.json()["id"].as_str().unwrap().to_owned();
    person.send_parts(&id, b"<h1/>", [1]).await;
    person.complete(&id).await.expect(200);
    let file = person.api.all_files(None).await.unwrap().remove(0);
    assert_eq!(file.name, name, "it is a name like any other");
    // What has it is never taken for a page, by its type or by guessing.
    for path in [
        "/files".to_owned(),
        format!("/files/{}", file.id),
        format!("/uploads/{id}"),
    ] {
        let answer = person.call("GET", &path, None).await.expect(200);
        assert_eq!(answer.header("content-type"), "application/json", "{path}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
    }
    let refused = person
        .call("GET", &format!("/files?name={}", "%3Cscript%3E%2F"), None)
        .await;
    refused.problem(400, "invalid_request");
    assert_eq!(refused.header("x-content-type-options"), "nosniff");
    let url = person.api.content_url(&file.id).await.unwrap();
    let answer = send("GET", url.reveal(), &[], "").await.expect(200);
    let disposition = answer.header("content-disposition");
    assert!(
        disposition.starts_with("attachment; filename=\""),
        "{disposition}"
    );
    assert_eq!(disposition.matches('"').count(), 2, "{disposition}");
    assert!(
        disposition.contains("filename*=UTF-8''%3Cimg%20src%3Dx"),
        "{disposition}"
    );
}

/// Shows every text below a folder.
fn sources(folder: &Path, look: &mut dyn FnMut(&Path, &str)) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        // What only tests use may well be called a key.
        if path.ends_with("tests") {
            continue;
        }
        if path.is_dir() {
            sources(&path, look);
        } else if let Ok(text) = std::fs::read_to_string(&path) {
            look(&path, &text);
        }
    }
}

/// The list is whole: sixteen, each once.
#[test]
fn every_hole_is_here() {
    let source = std::fs::read_to_string(root().join("tests/e2e/holes.rs")).unwrap();
    for number in 1..=16 {
        let name = format!("async fn hole_{number:02}_");
        assert_eq!(source.matches(&name).count(), 1, "{name}");
    }
}
