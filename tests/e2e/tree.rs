//! Folders, names and lists.

mod batch;
mod copies;
mod moves;
mod paths;
mod search;
mod trash;
mod versions;

use crate::harness::audit;
use crate::harness::bytes::fresh;
use crate::harness::person::Person;
use client::tree::{RemotePath, TreeNode, ensure_folder, walk};
use client::types::NodeKind;
use serde_json::json;

#[tokio::test]
async fn folders_hold_files_and_folders() {
    let person = Person::new().await;
    let path: RemotePath = "photos/2026/november".parse().unwrap();
    let deepest = ensure_folder(&person.api, &path).await.unwrap();
    let bytes = fresh(100);
    let file = person.store("a.jpg", deepest.id(), &bytes).await.file;
    let found = walk(&person.api, &"photos/2026/november/a.jpg".parse().unwrap())
        .await
        .unwrap();
    let TreeNode::Node(found) = found else {
        panic!("the root")
    };
    assert_eq!((&found.id, &found.parent.as_deref()), (&file.id, &deepest.id()));
    assert_eq!(person.fetch(&found).await, bytes);
    let top = person.api.all_files(None).await.unwrap();
    assert_eq!(top.len(), 1);
    assert_eq!((top[0].kind, top[0].name.as_str()), (NodeKind::Folder, "photos"));
    assert_eq!(audit::account(&person).await, 1);
}

#[tokio::test]
async fn files_and_empty_folders_are_removed_at_once() {
    let person = Person::new().await;
    let folder = person.api.create_folder("f", None).await.unwrap();
    let inner = person.api.create_folder("g", Some(&folder.id)).await.unwrap();
    let file = person.store("a", Some(&inner.id), &fresh(5)).await.file;
    for id in [&file.id, &inner.id, &folder.id] {
        let path = format!("/files/{id}?permanently=true");
        person.call("DELETE", &path, None).await.expect(204);
        let again = person.call("DELETE", &path, None).await;
        again.problem(404, "not_found");
    }
    assert_eq!((audit::account(&person).await, person.used().await), (0, 0));
}

#[tokio::test]
async fn only_the_version_that_was_seen_is_deleted() {
    let person = Person::new().await;
    let first = person.store("a", None, &fresh(5)).await.file;
    let path = format!("/files/{}", first.id);
    let seen = person.call("GET", &path, None).await.expect(200);
    let removal = format!("{path}?permanently=true");
    let delete = async |tag: &str| person.raw("DELETE", &removal, &[("if-match", tag)], "").await;
    assert_eq!(seen.headers["etag"], r#""1""#);
    assert_eq!(seen.json()["version"], 1);

    let body = json!({ "name": "a", "size": 3, "on_conflict": "replace" });
    let upload = person
        .call("POST", "/uploads", Some(&body))
        .await
        .expect(201)
        .json();
    let upload = upload["id"].as_str().unwrap();
    person.send_parts(upload, b"new", [1]).await;
    let replaced = person.complete(upload).await.expect(200).json();
    assert_eq!(
        (&replaced["file"]["id"], &replaced["file"]["version"]),
        (&json!(first.id), &json!(2))
    );

    delete(r#""1""#).await.problem(412, "precondition_failed");
    delete(r#"W/"2""#).await.problem(412, "precondition_failed");
    delete("2").await.problem(400, "invalid_request");
    assert_eq!(
        person.fetch(&person.api.file(&first.id).await.unwrap()).await,
        "new"
    );
    delete(r#""1", "2""#).await.expect(204);
    person.call("GET", &path, None).await.problem(404, "not_found");
    assert_eq!((audit::account(&person).await, person.used().await), (0, 0));
}

#[tokio::test]
async fn a_name_is_taken_once() {
    let person = Person::new().await;
    let folder = person.api.create_folder("f", None).await.unwrap();
    let file = person.store("a", None, &fresh(5)).await.file;
    for name in ["f", "a"] {
        let body = json!({ "name": name });
        person
            .call("POST", "/folders", Some(&body))
            .await
            .problem(409, "name_taken");
        let body = json!({ "name": name, "size": 1 });
        person
            .call("POST", "/uploads", Some(&body))
            .await
            .problem(409, "name_taken");
    }
    // Elsewhere, and in another case, it is another name.
    person.api.create_folder("a", Some(&folder.id)).await.unwrap();
    person.api.create_folder("A", None).await.unwrap();
    person.api.delete_file(&file.id).await.unwrap();
    person.api.create_folder("a", None).await.unwrap();
    audit::account(&person).await;
}

/// The name was free when the upload began, and is not when it ends: nothing is lost, and nothing overwritten.
#[tokio::test]
async fn a_name_that_was_taken_meanwhile() {
    let person = Person::new().await;
    let (bytes, other) = (fresh(10), fresh(20));
    let upload = person.sent("a", &bytes).await;
    let first = person.store("a", None, &other).await.file;
    person.complete(&upload.id).await.problem(409, "name_taken");
    let state = person.api.upload(&upload.id).await.unwrap();
    assert_eq!(state.state, client::types::UploadState::Open);
    assert_eq!(person.fetch(&first).await, other);
    person.api.delete_file(&first.id).await.unwrap();
    person.complete(&upload.id).await.expect(200);
    audit::complete_once(&person, &upload.id, &bytes, 1).await;
}

#[tokio::test]
async fn a_folder_that_was_deleted_meanwhile() {
    let person = Person::new().await;
    let folder = person.api.create_folder("f", None).await.unwrap();
    let body = json!({ "name": "a", "size": 3, "parent": folder.id });
    let upload = person
        .call("POST", "/uploads", Some(&body))
        .await
        .expect(201)
        .json();
    let id = upload["id"].as_str().unwrap();
    person.send_parts(id, b"abc", [1]).await;
    person.api.delete_file(&folder.id).await.unwrap();
    person.complete(id).await.problem(409, "parent_not_found");
    person
        .call("POST", "/uploads", Some(&body))
        .await
        .problem(409, "parent_not_found");
    person
        .call(
            "POST",
            "/folders",
            Some(&json!({ "name": "x", "parent": folder.id })),
        )
        .await
        .problem(409, "parent_not_found");
    person.api.abort_upload(id).await.unwrap();
    assert_eq!((person.used().await, audit::account(&person).await), (0, 0));
}

#[tokio::test]
async fn a_file_is_no_folder() {
    let person = Person::new().await;
    let file = person.store("a", None, &fresh(5)).await.file;
    let inside = json!({ "name": "b", "size": 1, "parent": file.id });
    person
        .call("POST", "/uploads", Some(&inside))
        .await
        .problem(409, "parent_not_found");
    let inside = json!({ "name": "b", "parent": file.id });
    person
        .call("POST", "/folders", Some(&inside))
        .await
        .problem(409, "parent_not_found");
    person
        .call("GET", &format!("/files?parent={}", file.id), None)
        .await
        .problem(400, "invalid_request");
}

/// Some systems write an `é` as two characters, others as one. Here it is one name.
#[tokio::test]
async fn a_name_is_one_however_its_letters_are_composed() {
    let person = Person::new().await;
    let (composed, decomposed) = ("caf\u{e9}", "cafe\u{301}");
    let file = person.store(decomposed, None, &fresh(3)).await.file;
    assert_eq!(file.name, composed);
    for name in [composed, decomposed] {
        let found = person.api.find(None, name).await.unwrap();
        assert_eq!(found.map(|node| node.id), Some(file.id.clone()));
        let again = json!({ "name": name });
        person
            .call("POST", "/folders", Some(&again))
            .await
            .problem(409, "name_taken");
    }
}

#[tokio::test]
async fn names_are_kept_to_the_letter() {
    let person = Person::new().await;
    let names = [
        "plain.txt",
        "with space",
        " leading and trailing ",
        "quotes \" ' `",
        "percent %2F %00 %",
        "plus+and&and=and?and#",
        "ümläut ß 漢字 🚢",
        "right-to-left שלום",
        "<script>alert(1)<script>",
        "$(rm -rf ~); | > <",
        "-rf",
        "...",
        "null",
        &"x".repeat(255),
    ];
    for name in names {
        let file = person.store(name, None, &fresh(3)).await.file;
        assert_eq!(file.name, name);
        let found = person.api.find(None, name).await.unwrap();
        assert_eq!(found.map(|node| node.id), Some(file.id.clone()), "{name:?}");
        let folder = person
            .api
            .create_folder(
                name,
                Some(
                    &person
                        .api
                        .create_folder(&format!("in {}", file.id), None)
                        .await
                        .unwrap()
                        .id,
                ),
            )
            .await
            .unwrap();
        assert_eq!(folder.name, name);
    }
    let listed = person.api.all_files(None).await.unwrap();
    let mut expected: Vec<&str> = names.to_vec();
    expected.sort_unstable();
    let files: Vec<&str> = listed
        .iter()
        .filter(|node| node.kind == NodeKind::File)
        .map(|node| node.name.as_str())
        .collect();
    assert_eq!(files, expected, "in the order of their bytes");
    assert_eq!(audit::account(&person).await, names.len());
}

#[tokio::test]
async fn a_list_has_pages() {
    let person = Person::new().await;
    let folder = person.api.create_folder("f", None).await.unwrap();
    let names: Vec<String> = (0..7).map(|n| format!("{n} & % ü")).collect();
    for name in &names {
        person.api.create_folder(name, Some(&folder.id)).await.unwrap();
    }
    let (mut seen, mut cursor) = (Vec::new(), None::<String>);
    loop {
        let page = person
            .api
            .list_files(Some(&folder.id), cursor.as_deref())
            .await
            .unwrap();
        seen.extend(page.items.into_iter().map(|node| node.name));
        cursor = page.next_cursor;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(seen, names);
    let first = person
        .call("GET", &format!("/files?parent={}&limit=3", folder.id), None)
        .await
        .expect(200)
        .json();
    assert_eq!(first["items"].as_array().unwrap().len(), 3);
    assert_eq!(first["next_cursor"], names[2]);
}
