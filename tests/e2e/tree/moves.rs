//! Files and folders get other names, and go into other folders.

use crate::harness::audit;
use crate::harness::bytes::fresh;
use crate::harness::http::HttpResponse;
use crate::harness::person::Person;
use client::tree::{TreeNode, walk};
use futures::future::join_all;
use serde_json::{Value, json};

async fn update(person: &Person, id: &str, to: &Value) -> HttpResponse {
    person.call("PATCH", &format!("/files/{id}"), Some(to)).await
}

#[tokio::test]
async fn files_and_folders_are_renamed_and_files_moved() {
    let person = Person::new().await;
    let (f, g) = (
        person.api.create_folder("f", None).await.unwrap(),
        person.api.create_folder("g", None).await.unwrap(),
    );
    let bytes = fresh(20);
    let file = person.store("a", Some(&f.id), &bytes).await.file;
    let other = person.store("b", Some(&g.id), &fresh(5)).await.file;

    let renamed = update(&person, &f.id, &json!({ "name": "h" })).await.expect(200);
    assert_eq!(renamed.headers["etag"], r#""2""#);
    assert_eq!(
        (&renamed.json()["name"], &renamed.json()["parent"]),
        (&json!("h"), &json!(null))
    );
    let taken = json!({ "name": "b", "parent": g.id });
    update(&person, &file.id, &taken).await.problem(409, "name_taken");
    let with_number = json!({ "name": "b", "parent": g.id, "on_conflict": "rename" });
    for _ in 0..2 {
        // Asked for once more, it stays as it is.
        let moved = update(&person, &file.id, &with_number).await.expect(200).json();
        assert_eq!(
            (&moved["name"], &moved["parent"], &moved["version"]),
            (&json!("b (1)"), &json!(g.id), &json!(2))
        );
    }
    assert!(person.api.all_files(Some(&f.id)).await.unwrap().is_empty());

    let onto = json!({ "name": "b", "on_conflict": "replace" });
    let moved = update(&person, &file.id, &onto).await.expect(200).json();
    assert_eq!((&moved["id"], &moved["name"]), (&json!(file.id), &json!("b")));
    let trashed = person.api.trash().await.unwrap();
    assert_eq!((trashed.len(), &trashed[0].node.id), (1, &other.id));
    person.api.delete_file(&other.id).await.unwrap();
    let moved = update(&person, &file.id, &json!({ "parent": null }))
        .await
        .expect(200)
        .json();
    assert_eq!((&moved["name"], &moved["parent"]), (&json!("b"), &json!(null)));
    let there = person.api.file(&file.id).await.unwrap();
    assert_eq!(person.fetch(&there).await, bytes);
    assert_eq!(person.used().await, 20);
    for id in [&f.id, &g.id] {
        person.api.delete_file(id).await.unwrap();
    }
    assert_eq!(audit::account(&person).await, 1);
}

#[tokio::test]
async fn what_cannot_be_moved_stays_where_it_is() {
    let person = Person::new().await;
    let folder = person.api.create_folder("f", None).await.unwrap();
    let file = person.store("a", None, &fresh(5)).await.file;
    for parent in [&file.id, "nothing"] {
        let to = json!({ "parent": parent });
        update(&person, &file.id, &to)
            .await
            .problem(409, "parent_not_found");
    }
    for onto in [
        json!({ "name": "f" }),
        json!({ "name": "f", "on_conflict": "replace" }),
    ] {
        update(&person, &file.id, &onto).await.problem(409, "name_taken");
    }
    for (id, bad) in [
        (&file.id, json!({ "name": ".." })),
        (&file.id, json!({ "name": null, "size": 3 })),
        (&folder.id, json!({ "name": "a", "on_conflict": "replace" })),
    ] {
        update(&person, id, &bad).await.problem(400, "invalid_request");
    }
    let inner = person.api.create_folder("g", Some(&folder.id)).await.unwrap();
    for parent in [&folder.id, &inner.id] {
        let to = json!({ "parent": parent });
        update(&person, &folder.id, &to)
            .await
            .problem(409, "within_itself");
    }
    update(&person, "nothing", &json!({ "name": "b" }))
        .await
        .problem(404, "not_found");
    let path = format!("/files/{}", file.id);
    let json = ("content-type", "application/json");
    let seen = async |tag: &str| {
        let headers = [json, ("if-match", tag)];
        person.raw("PATCH", &path, &headers, r#"{"name": "b"}"#).await
    };
    seen(r#""7""#).await.problem(412, "precondition_failed");
    assert_eq!(person.api.file(&file.id).await.unwrap().name, "a");
    seen(r#""1""#).await.expect(200);
    assert_eq!(audit::account(&person).await, 1);
}

/// Of many that want a name at once one gets it, and none is lost.
#[tokio::test]
async fn many_are_moved_to_one_name_at_once() {
    let person = Person::new().await;
    let folder = person.api.create_folder("f", None).await.unwrap().id;
    let mut files = Vec::new();
    for number in 0..8 {
        let name = format!("file-{number}");
        files.push(person.store(&name, None, &fresh(10)).await.file.id);
    }
    let to = json!({ "name": "one", "parent": folder });
    let all = join_all(files.iter().map(|id| update(&person, id, &to))).await;
    let moved = all.iter().filter(|answer| answer.status == 200).count();
    assert_eq!(moved, 1);
    let to = json!({ "name": "one", "parent": folder, "on_conflict": "rename" });
    for answer in join_all(files.iter().map(|id| update(&person, id, &to))).await {
        answer.expect(200);
    }
    assert_eq!(person.api.all_files(Some(&folder)).await.unwrap().len(), 8);
    assert_eq!(audit::account(&person).await, 8);
}

#[tokio::test]
async fn a_folder_is_moved_with_all_that_is_in_it() {
    let person = Person::new().await;
    let [a, b] = ["a", "b"].map(|name| person.api.create_folder(name, None));
    let (a, b) = (a.await.unwrap(), b.await.unwrap());
    let inner = person.api.create_folder("inner", Some(&a.id)).await.unwrap();
    let bytes = fresh(30);
    person.store("file", Some(&inner.id), &bytes).await;
    let moved = update(&person, &inner.id, &json!({ "parent": b.id }))
        .await
        .expect(200)
        .json();
    assert_eq!((&moved["parent"], &moved["version"]), (&json!(b.id), &json!(2)));
    update(&person, &b.id, &json!({ "parent": inner.id }))
        .await
        .problem(409, "within_itself");
    update(&person, &b.id, &json!({ "parent": a.id }))
        .await
        .expect(200);
    let path = "a/b/inner/file".parse().unwrap();
    let TreeNode::Node(found) = walk(&person.api, &path).await.unwrap() else {
        panic!("the root")
    };
    assert_eq!(person.fetch(&found).await, bytes);
    assert_eq!(audit::account(&person).await, 1);
}

/// Each would be within the next, and the last within the first: one of them has to stay.
#[tokio::test]
async fn fifty_moves_that_would_make_a_ring() {
    const FOLDERS: usize = 50;
    let person = Person::new().await;
    let mut folders = Vec::new();
    for number in 0..FOLDERS {
        let made = person
            .api
            .create_folder(&format!("f{number}"), None)
            .await
            .unwrap();
        folders.push(made.id);
    }
    let moves = folders.iter().enumerate().map(async |(number, id)| {
        let to = json!({ "parent": folders[(number + 1) % FOLDERS] });
        loop {
            let answer = update(&person, id, &to).await;
            match answer.status {
                200 => return true,
                _ if answer.json()["code"] == "within_itself" => return false,
                _ => answer.problem(409, "changed_meanwhile"),
            };
        }
    });
    let moved = join_all(moves).await.into_iter().filter(|moved| *moved).count();
    assert_eq!(moved, FOLDERS - 1);
    assert_eq!(audit::account(&person).await, 0);
}
