//! Holes through which strangers got at bytes, or put theirs in the place of others.

use crate::harness::aws::object;
use crate::harness::bytes::{MIB, fresh};
use crate::harness::http::send;
use crate::harness::person::{Person, content_id, put, put_with, sign};
use crate::harness::proof::proof_of;
use crate::harness::signed::send_signed;
use crate::harness::stack::stack;
use jiff::Timestamp;
use jsonwebtoken::{EncodingKey, Header, encode};
use serde_json::json;

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
    let url = person.api.content_url(&file.id, None).await.unwrap();
    let tampered = url.reveal().replacen("X-Amz-Expires=", "X-Amz-Expires=9", 1);
    send("GET", &tampered, &[], "").await.expect(403);
    put_with(&signed, |_, _| None, bytes).await.expect(403);
}
