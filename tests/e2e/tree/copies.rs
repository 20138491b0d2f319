//! Copies of files, which refer to the same bytes.

use crate::harness::audit;
use crate::harness::bytes::fresh;
use crate::harness::http::HttpResponse;
use crate::harness::person::{Person, content_id};
use client::types::{Destination, OnConflict};
use serde_json::{Value, json};

async fn copy(person: &Person, id: &str, to: &Value) -> HttpResponse {
    person.call("POST", &format!("/files/{id}/copy"), Some(to)).await
}

/// How many files refer to these bytes.
async fn references(bytes: &[u8]) -> u64 {
    let blob = audit::blob_of(&content_id(bytes).to_string()).await.unwrap();
    blob["references"].as_u64().unwrap()
}

#[tokio::test]
async fn a_copy_keeps_its_bytes_when_the_other_file_goes() {
    let person = Person::new().await;
    let [f, g] = ["f", "g"].map(|name| person.api.create_folder(name, None));
    let (f, g) = (f.await.unwrap(), g.await.unwrap());
    let bytes = fresh(20);
    let file = person.store("a", Some(&f.id), &bytes).await.file;
    let to = json!({ "parent": g.id });
    let answer = copy(&person, &file.id, &to).await.expect(201);
    let made = answer.json();
    assert_ne!(made["id"], file.id);
    assert_eq!(
        answer.header("location"),
        format!("../{}", made["id"].as_str().unwrap())
    );
    assert_eq!(
        (&made["name"], &made["parent"], &made["version"]),
        (&json!("a"), &json!(g.id), &json!(1))
    );
    assert_eq!(
        (&made["size"], &made["content_type"], &made["content_id"]),
        (
            &json!(20),
            &json!(file.content_type),
            &json!(content_id(&bytes).to_string())
        )
    );
    assert_eq!((references(&bytes).await, person.used().await), (2, 40));
    assert_eq!(audit::account(&person).await, 2);

    person.api.delete_file(&file.id).await.unwrap();
    person.api.delete_file(&f.id).await.unwrap();
    let there = person.api.file(made["id"].as_str().unwrap()).await.unwrap();
    assert_eq!(person.fetch(&there).await, bytes);
    assert_eq!((references(&bytes).await, person.used().await), (1, 20));
    let to = json!({ "name": "b", "parent": null });
    let top = copy(&person, &there.id, &to).await.expect(201).json();
    assert_eq!((&top["name"], &top["parent"]), (&json!("b"), &json!(null)));
    assert_eq!(audit::account(&person).await, 2);
}

#[tokio::test]
async fn a_copy_comes_in_the_place_of_another_file() {
    let person = Person::new().await;
    let (bytes, others) = (fresh(20), fresh(5));
    let file = person.store("a", None, &bytes).await.file;
    let other = person.store("b", None, &others).await.file;
    let to = |conflict: &str| json!({ "name": "b", "on_conflict": conflict });
    for refused in [json!({}), json!({ "name": "b" }), to("fail")] {
        copy(&person, &file.id, &refused).await.problem(409, "name_taken");
    }
    let renamed = copy(&person, &file.id, &to("rename")).await.expect(201).json();
    assert_eq!(renamed["name"], "b (1)");
    // What the file has already it needs no further reference for.
    for version in [2, 3] {
        let replaced = copy(&person, &file.id, &to("replace")).await.expect(201).json();
        assert_eq!(
            (&replaced["id"], &replaced["name"], &replaced["version"]),
            (&json!(other.id), &json!("b"), &json!(version))
        );
        // What it had is a version.
        assert_eq!((references(&bytes).await, references(&others).await), (3, 1));
        assert_eq!(person.used().await, 65);
    }
    let there = person.api.file(&other.id).await.unwrap();
    assert_eq!(person.fetch(&there).await, bytes);
    // In its own place it stays as it is.
    let itself = json!({ "on_conflict": "replace" });
    let itself = copy(&person, &file.id, &itself).await.expect(201).json();
    assert_eq!((&itself["id"], &itself["version"]), (&json!(file.id), &json!(1)));
    assert_eq!((references(&bytes).await, person.used().await), (3, 65));
    assert_eq!(audit::account(&person).await, 3);
}

#[tokio::test]
async fn what_cannot_be_copied() {
    let person = Person::new().await;
    let folder = person.api.create_folder("f", None).await.unwrap();
    let file = person.store("a", None, &fresh(60)).await.file;
    let of_folder = copy(&person, &folder.id, &json!({ "name": "g" })).await;
    assert_eq!(of_folder.problem(400, "invalid_request")["field"], "id");
    copy(&person, "nothing", &json!({ "name": "b" }))
        .await
        .problem(404, "not_found");
    for parent in [&file.id, "nothing"] {
        let into = json!({ "parent": parent });
        copy(&person, &file.id, &into)
            .await
            .problem(409, "parent_not_found");
    }
    for conflict in ["fail", "replace"] {
        let onto = json!({ "name": "f", "on_conflict": conflict });
        copy(&person, &file.id, &onto).await.problem(409, "name_taken");
    }
    for bad in [json!({ "name": ".." }), json!({ "size": 3 }), json!([])] {
        copy(&person, &file.id, &bad)
            .await
            .problem(400, "invalid_request");
    }
    // The bytes are there once, and count for each file.
    person.set_quota(100).await;
    let problem = copy(&person, &file.id, &json!({ "name": "b" })).await;
    let problem = problem.problem(403, "quota_exceeded");
    assert_eq!(
        (&problem["wanted_bytes"], &problem["free_bytes"]),
        (&json!(60), &json!(40))
    );
    let small = person.store("small", None, &fresh(40)).await.file;
    // What is replaced is a version then, and makes no room.
    let onto = json!({ "name": "a", "on_conflict": "replace" });
    copy(&person, &small.id, &onto)
        .await
        .problem(403, "quota_exceeded");
    // What is there already needs none.
    let itself = json!({ "name": "small", "on_conflict": "replace" });
    copy(&person, &small.id, &itself).await.expect(201);
    assert_eq!(person.used().await, 100);
    assert_eq!(audit::account(&person).await, 2);
}

#[tokio::test]
async fn a_copy_that_is_asked_for_twice() {
    let person = Person::new().await;
    let (a, b) = (
        person.store("a", None, &fresh(5)).await.file,
        person.store("b", None, &fresh(6)).await.file,
    );
    let body = json!({ "name": "c", "on_conflict": "rename" }).to_string();
    let headers = [("content-type", "application/json"), ("idempotency-key", "one")];
    let ask = async |id: &str| {
        let path = format!("/files/{id}/copy");
        person.raw("POST", &path, &headers, body.clone()).await
    };
    let first = ask(&a.id).await.expect(201);
    let again = ask(&a.id).await.expect(201);
    assert_eq!(
        (again.text(), again.header("location")),
        (first.text(), first.header("location"))
    );
    assert_eq!(again.header("idempotency-replayed"), "true");
    // Another file is another request.
    ask(&b.id).await.problem(422, "idempotency_key_reused");
    assert_eq!(person.used().await, 16);

    let to = Destination {
        name: "d".to_owned(),
        parent: None,
        on_conflict: OnConflict::Fail,
    };
    let copied = person.api.copy_file(&a.id, &to).await.unwrap();
    assert_eq!((copied.name.as_str(), copied.size), ("d", a.size));
    let taken = person.api.copy_file(&b.id, &to).await.unwrap_err();
    assert!(taken.is("name_taken"), "{taken}");
    assert_eq!(audit::account(&person).await, 4);
}
