//! What files had before.

use crate::harness::audit;
use crate::harness::bytes::fresh;
use crate::harness::http::{HttpResponse, send};
use crate::harness::person::{Person, content_id};
use crate::harness::proof::{PROVABLE, proof_of};
use crate::harness::proxy::Act;
use crate::harness::sandbox::{Sandbox, http_event};
use bytes::Bytes;
use client::types::Version;
use serde_json::{Value, json};

/// A file at the top that had these bytes, one after the other, and has the last.
async fn file(person: &Person, contents: &[Bytes]) -> String {
    let (first, others) = contents.split_first().unwrap();
    let file = person.store("a", None, first).await.file.id;
    for content in others {
        assert_eq!(person.replace("a", content).await.file.id, file);
    }
    file
}

async fn versions(person: &Person, file: &str) -> Vec<Version> {
    person.api.versions(file).await.unwrap()
}

async fn numbers(person: &Person, file: &str) -> Vec<u64> {
    versions(person, file)
        .await
        .iter()
        .map(|version| version.number)
        .collect()
}

async fn restore(person: &Person, version: &str) -> HttpResponse {
    person
        .call("POST", &format!("/versions/{version}/restore"), None)
        .await
}

async fn keep(person: &Person, version: &str, kept: &Value) -> HttpResponse {
    let body = json!({ "kept": kept });
    person
        .call("PATCH", &format!("/versions/{version}"), Some(&body))
        .await
}

/// What the address of a content leads to, with the status if it leads nowhere.
async fn fetched(person: &Person, file: &str, number: &str) -> Result<Bytes, u16> {
    let path = format!("/files/{file}/content?number={number}");
    let answer = person.call("GET", &path, None).await;
    if answer.status != 307 {
        return Err(answer.status);
    }
    Ok(send("GET", answer.header("location"), &[], "")
        .await
        .expect(200)
        .body)
}

#[tokio::test]
async fn a_file_has_what_it_had_before() {
    let person = Person::new().await;
    let contents = [fresh(10), fresh(20), fresh(30)];
    let file = file(&person, &contents).await;
    let there = versions(&person, &file).await;
    let shown: Vec<_> = there
        .iter()
        .map(|version| (version.number, version.size, version.current, version.kept))
        .collect();
    assert_eq!(
        shown,
        [(3, 30, true, false), (2, 20, false, false), (1, 10, false, false)]
    );
    assert!(there[0].replaced_at.is_none() && there[0].expires_at.is_none());
    // Each was there until the next one came, and is kept for thirty days from then on.
    for (older, newer) in [(1, 0), (2, 1)] {
        assert!(there[older].created_at < there[newer].created_at, "{there:?}");
        let (from, until) = (
            there[older].replaced_at.unwrap(),
            there[older].expires_at.unwrap(),
        );
        assert_eq!(from, there[newer].created_at);
        assert_eq!(until.duration_since(from).as_hours(), 30 * 24);
    }
    for (number, content) in (1..).zip(&contents) {
        assert_eq!(
            fetched(&person, &file, &number.to_string()).await.as_ref(),
            Ok(content)
        );
        let link = format!("/files/{file}/link?number={number}");
        let link = person.call("GET", &link, None).await.expect(200).json();
        assert_eq!(link["size"], content.len(), "{link}");
    }
    assert_eq!(fetched(&person, &file, "").await.as_ref(), Ok(&contents[2]));
    assert_eq!(person.used().await, 60);
    assert_eq!(audit::account(&person).await, 1);
}

#[tokio::test]
async fn a_version_is_restored_without_any_room() {
    let person = Person::new().await;
    let contents = [fresh(10), fresh(20)];
    let file = file(&person, &contents).await;
    person.set_quota(30).await;
    let restored = restore(&person, &format!("{file}.1")).await.expect(200);
    let node = restored.json();
    assert_eq!(
        (&node["id"], &node["size"], &node["version"]),
        (&json!(file), &json!(10), &json!(3))
    );
    assert_eq!(restored.header("etag"), r#""3""#);
    let there = person.api.file(&file).await.unwrap();
    assert_eq!(person.fetch(&there).await, contents[0]);
    assert_eq!(numbers(&person, &file).await, [3, 2]);
    // Again, or of what it has: nothing happens.
    for number in [1, 3] {
        let again = restore(&person, &format!("{file}.{number}"))
            .await
            .expect(200)
            .json();
        assert_eq!(again, node);
    }
    assert_eq!((person.used().await, audit::account(&person).await), (30, 1));
    // What is restored may be restored from, and so on.
    restore(&person, &format!("{file}.2")).await.expect(200);
    assert_eq!(numbers(&person, &file).await, [4, 3]);
    assert_eq!(fetched(&person, &file, "4").await.as_ref(), Ok(&contents[1]));
    assert_eq!(audit::account(&person).await, 1);
}

#[tokio::test]
async fn only_the_version_of_the_file_that_was_seen_is_replaced() {
    let person = Person::new().await;
    let file = file(&person, &[fresh(10), fresh(20)]).await;
    let path = format!("/versions/{file}.1/restore");
    let restored = async |tag: &str| person.raw("POST", &path, &[("if-match", tag)], "").await;
    restored(r#""1""#).await.problem(412, "precondition_failed");
    assert_eq!(numbers(&person, &file).await, [2, 1]);
    restored(r#""2""#).await.expect(200);
    assert_eq!(numbers(&person, &file).await, [3, 2]);
}

#[tokio::test]
async fn a_version_is_kept_and_removed() {
    let person = Person::new().await;
    let file = file(&person, &[fresh(10), fresh(20), fresh(30)]).await;
    let first = format!("{file}.1");
    for _ in 0..2 {
        let kept = keep(&person, &first, &json!(true)).await.expect(200).json();
        assert_eq!((&kept["kept"], &kept["expires_at"]), (&json!(true), &Value::Null));
    }
    // It stays one that is kept when the file has it for a while.
    restore(&person, &first).await.expect(200);
    restore(&person, &format!("{file}.3")).await.expect(200);
    let there = versions(&person, &file).await;
    let kept: Vec<_> = there
        .iter()
        .map(|version| (version.number, version.kept))
        .collect();
    assert_eq!(kept, [(5, false), (4, true), (2, false)]);
    let kept = format!("{file}.4");
    let freed = keep(&person, &kept, &json!(false)).await.expect(200).json();
    assert!(freed["expires_at"].is_string(), "{freed}");
    let remove = async |version: &str| person.call("DELETE", &format!("/versions/{version}"), None).await;
    remove(&kept).await.expect(204);
    remove(&kept).await.problem(404, "not_found");
    assert_eq!(
        (numbers(&person, &file).await, person.used().await),
        (vec![5, 2], 50)
    );
    assert_eq!(audit::account(&person).await, 1);
}

#[tokio::test]
async fn versions_go_to_the_trash_and_come_back_and_are_removed_with_their_file() {
    let person = Person::new().await;
    let contents = [fresh(10), fresh(20)];
    let file = file(&person, &contents).await;
    let folder = person.api.create_folder("f", None).await.unwrap().id;
    let into = json!({ "parent": folder });
    person
        .call("PATCH", &format!("/files/{file}"), Some(&into))
        .await
        .expect(200);
    for node in [&file, &folder] {
        person.api.trash_file(node).await.unwrap();
        if *node == file {
            // What is in the trash by itself shows what it had, and has to come back to get it.
            assert_eq!(numbers(&person, &file).await, [2, 1]);
            restore(&person, &format!("{file}.1"))
                .await
                .problem(409, "in_trash");
        }
        person.api.restore(node, None).await.unwrap();
    }
    assert_eq!(numbers(&person, &file).await, [2, 1]);
    assert_eq!((person.used().await, audit::account(&person).await), (30, 1));
    let removed = format!("/files/{file}?permanently=true");
    person.call("DELETE", &removed, None).await.expect(204);
    person
        .call("DELETE", &removed, None)
        .await
        .problem(404, "not_found");
    assert_eq!((person.used().await, audit::account(&person).await), (0, 0));
}

#[tokio::test]
async fn the_same_content_again_is_no_version() {
    let person = Person::new().await;
    let content = fresh(10);
    let file = file(&person, std::slice::from_ref(&content)).await;
    let copy = json!({ "name": "b" });
    let copy = person
        .call("POST", &format!("/files/{file}/copy"), Some(&copy))
        .await;
    let copy = copy.expect(201).json()["id"].as_str().unwrap().to_owned();
    let onto = json!({ "name": "a", "on_conflict": "replace" });
    person
        .call("POST", &format!("/files/{copy}/copy"), Some(&onto))
        .await
        .expect(201);
    assert_eq!(numbers(&person, &file).await, [1]);
    assert_eq!((person.used().await, audit::account(&person).await), (20, 2));
}

/// What is replaced by one function where no versions are kept.
async fn is_let_go(person: &Person, function: &str, id: Option<&str>, body: Option<&Value>) {
    let none = [("VERSIONS_KEPT", "0")];
    let mut function_without = Sandbox::start_with(function, |_| Act::Pass, &none).await;
    let event = http_event(function, id, &person.token, body);
    let answer = function_without.invoke(&event).await.unwrap();
    let status = answer["statusCode"].as_u64().unwrap();
    assert!([200, 201].contains(&status), "{function}: {answer}");
}

#[tokio::test]
async fn where_no_versions_are_kept_what_is_replaced_is_let_go() {
    let (person, other) = (Person::new().await, Person::new().await);
    let [first, second, third] = [fresh(10), fresh(20), fresh(30)];
    let provable = fresh(PROVABLE);
    let file = file(&person, std::slice::from_ref(&first)).await;
    let source = person.store("b", None, &second).await.file.id;
    other.store("c", None, &provable).await;
    let is = async |what: &str, size: usize, let_go: &Bytes| {
        assert_eq!(numbers(&person, &file).await.len(), 1, "{what}");
        assert_eq!(person.used().await, (20 + size) as u64, "{what}");
        let blob = audit::blob_of(&content_id(let_go).to_string()).await.unwrap();
        assert_eq!(blob["references"], u64::from(*let_go == second), "{what}");
        assert_eq!(audit::account(&person).await, 2, "{what}");
    };
    let onto = |size: usize, content: Option<&Bytes>| {
        let content = content.map(|content| content_id(content));
        json!({ "name": "a", "size": size, "content_id": content, "on_conflict": "replace" })
    };

    let copied = json!({ "name": "a", "on_conflict": "replace" });
    is_let_go(&person, "file-copy", Some(&source), Some(&copied)).await;
    is("a copy", 20, &first).await;

    let upload = person
        .call("POST", "/uploads", Some(&onto(30, None)))
        .await
        .expect(201)
        .json();
    let upload = upload["id"].as_str().unwrap();
    person.send_parts(upload, &third, [1]).await;
    is_let_go(&person, "upload-complete", Some(upload), None).await;
    is("an upload", 30, &second).await;

    is_let_go(&person, "upload-create", None, Some(&onto(20, Some(&second)))).await;
    is("bytes that are there", 20, &third).await;

    let asked = onto(provable.len(), Some(&provable));
    let asked = person
        .call("POST", "/uploads", Some(&asked))
        .await
        .expect(200)
        .json();
    let proof = json!({ "proof": proof_of(&asked["challenge"], &provable) });
    is_let_go(&person, "upload-prove", asked["id"].as_str(), Some(&proof)).await;
    is("a proof", provable.len(), &second).await;
}

#[tokio::test]
async fn what_is_no_version() {
    let person = Person::new().await;
    let file = file(&person, &[fresh(10), fresh(20)]).await;
    let folder = person.api.create_folder("f", None).await.unwrap().id;
    for path in [
        format!("/files/{folder}/versions"),
        "/files/nothing/versions".to_owned(),
    ] {
        person.call("GET", &path, None).await.problem(404, "not_found");
    }
    for number in ["3", "0", "-1", "x", "01", "99999999999999999999"] {
        let id = format!("{file}.{number}");
        restore(&person, &id).await.problem(404, "not_found");
        keep(&person, &id, &json!(true)).await.problem(404, "not_found");
        person
            .call("DELETE", &format!("/versions/{id}"), None)
            .await
            .problem(404, "not_found");
        let expected = if ["3", "0", "01"].contains(&number) {
            404
        } else {
            400
        };
        let status = fetched(&person, &file, number).await;
        // `01` is a number for which there is another way to write it.
        assert!(status == Err(expected) || number == "01", "{number}: {status:?}");
    }
    // What the file has is no version that could be removed or kept.
    let current = format!("{file}.2");
    keep(&person, &current, &json!(true))
        .await
        .problem(404, "not_found");
    person
        .call("DELETE", &format!("/versions/{current}"), None)
        .await
        .problem(404, "not_found");
    for bad in [json!("yes"), Value::Null] {
        keep(&person, &format!("{file}.1"), &bad)
            .await
            .problem(400, "invalid_request");
    }
    assert_eq!(numbers(&person, &file).await, [2, 1]);
    assert_eq!(audit::account(&person).await, 1);
}
