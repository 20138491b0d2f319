//! What is deleted, restored and removed.

use crate::harness::audit;
use crate::harness::bytes::fresh;
use crate::harness::http::HttpResponse;
use crate::harness::person::Person;
use crate::harness::proxy::Act;
use crate::harness::sandbox::{Sandbox, http_event};
use crate::harness::wait::until;
use crate::sweep::sweep;
use client::types::{Destination, Node, OnConflict};
use futures::future::join_all;
use serde_json::{Value, json};

async fn delete(person: &Person, id: &str) -> HttpResponse {
    person.call("DELETE", &format!("/files/{id}"), None).await
}

async fn restore(person: &Person, id: &str, to: &Value) -> HttpResponse {
    person
        .call("POST", &format!("/trash/{id}/restore"), Some(to))
        .await
}

fn names(nodes: &[Node]) -> Vec<&str> {
    nodes.iter().map(|node| node.name.as_str()).collect()
}

/// `f` with `g` and the file `a`, and in `g` the file `b`.
struct Full {
    person: Person,
    f: Node,
    g: Node,
    a: Node,
    b: Node,
}

impl Full {
    async fn new() -> Self {
        let person = Person::new().await;
        let f = person.api.create_folder("f", None).await.unwrap();
        let g = person.api.create_folder("g", Some(&f.id)).await.unwrap();
        let a = person.store("a", Some(&f.id), &fresh(20)).await.file;
        let b = person.store("b", Some(&g.id), &fresh(5)).await.file;
        Self { person, f, g, a, b }
    }

    /// Until the sweep has removed what it has to: this one, or the one that is there besides.
    async fn is_used(&self, bytes: u64) {
        sweep().await;
        until("all that was removed is gone", async || {
            (self.person.used().await == bytes).then_some(())
        })
        .await;
    }
}

#[tokio::test]
async fn a_folder_is_restored_as_it_was() {
    let Full { person, f, g, a, .. } = Full::new().await;
    for _ in 0..2 {
        // It is in the trash already.
        delete(&person, &f.id).await.expect(204);
    }
    let trashed = person.api.trash().await.unwrap();
    assert_eq!(trashed.len(), 1);
    let there = &trashed[0];
    assert_eq!((&there.node.id, there.path.as_deref()), (&f.id, Some("/f")));
    let days = (there.expires_at.as_second() - there.trashed_at.as_second()) / (24 * 60 * 60);
    assert_eq!((days, person.used().await), (30, 25));
    assert!(person.api.all_files(None).await.unwrap().is_empty());
    let inside = person.api.all_files(Some(&f.id)).await.unwrap();
    assert_eq!(names(&inside), ["a", "g"]);
    let shown = person
        .call("GET", &format!("/files/{}", f.id), None)
        .await
        .expect(200)
        .json();
    assert!(shown["trashed_at"].is_string(), "{shown}");

    // Its name is free.
    let other = person.api.create_folder("f", None).await.unwrap();
    restore(&person, &f.id, &json!({}))
        .await
        .problem(409, "name_taken");
    let back = restore(&person, &f.id, &json!({ "on_conflict": "rename" }))
        .await
        .expect(200);
    assert_eq!(
        (&back.json()["name"], &back.headers["etag"]),
        (&json!("f (1)"), &r#""3""#.parse().unwrap())
    );
    person.api.delete_file(&other.id).await.unwrap();
    let moved = Destination {
        name: "a".to_owned(),
        parent: Some(g.id.clone()),
        on_conflict: OnConflict::Fail,
    };
    person.api.move_file(&a.id, &moved).await.unwrap();
    assert!(person.api.trash().await.unwrap().is_empty());
    assert_eq!((audit::account(&person).await, person.used().await), (2, 25));
}

#[tokio::test]
async fn nothing_comes_into_the_trash_by_itself_and_no_folder_out_of_it() {
    let Full { person, f, g, b, .. } = Full::new().await;
    let h = person.api.create_folder("h", Some(&g.id)).await.unwrap();
    let outside = person.api.create_folder("outside", None).await.unwrap();
    let begun = person
        .call(
            "POST",
            "/uploads",
            Some(&json!({ "name": "u", "size": 3, "parent": f.id })),
        )
        .await
        .expect(201)
        .json();
    let deleted = delete(&person, &f.id).await.expect(200).json();
    assert_eq!(deleted["open_uploads"], 1);
    let upload = begun["id"].as_str().unwrap();
    person.send_parts(upload, b"new", [1]).await;
    person.complete(upload).await.problem(409, "parent_not_found");
    for parent in [&f.id, &h.id] {
        let folder = json!({ "name": "n", "parent": parent });
        person
            .call("POST", "/folders", Some(&folder))
            .await
            .problem(409, "parent_not_found");
        let into = json!({ "parent": parent });
        person
            .call("PATCH", &format!("/files/{}", outside.id), Some(&into))
            .await
            .problem(409, "parent_not_found");
    }
    for folder in [&f.id, &g.id, &h.id] {
        let out = json!({ "parent": outside.id });
        person
            .call("PATCH", &format!("/files/{folder}"), Some(&out))
            .await
            .problem(409, "in_trash");
    }
    // A file can be saved from it, and the upload has another place.
    let out = json!({ "parent": outside.id });
    person
        .call("PATCH", &format!("/files/{}", b.id), Some(&out))
        .await
        .expect(200);
    person
        .call("POST", &format!("/uploads/{upload}/complete"), Some(&out))
        .await
        .expect(200);
    let there = person.api.all_files(Some(&outside.id)).await.unwrap();
    assert_eq!(names(&there), ["b", "u"]);

    // What was in a folder that is in the trash as well has to go elsewhere.
    delete(&person, &outside.id).await.expect(204);
    delete(&person, &b.id).await.expect(204);
    let trashed = person.api.trash().await.unwrap();
    let paths: Vec<_> = trashed.iter().map(|trashed| trashed.path.as_deref()).collect();
    assert_eq!(paths, [None, Some("/outside"), Some("/f")]);
    restore(&person, &b.id, &json!({}))
        .await
        .problem(409, "parent_not_found");
    restore(&person, &outside.id, &json!({ "parent": h.id }))
        .await
        .problem(409, "parent_not_found");
    restore(&person, &f.id, &json!({ "parent": h.id }))
        .await
        .problem(409, "within_itself");
    restore(&person, &f.id, &json!({ "on_conflict": "replace" }))
        .await
        .problem(400, "invalid_request");
    let top = json!({ "parent": null, "name": "saved" });
    for _ in 0..2 {
        let saved = restore(&person, &b.id, &top).await.expect(200).json();
        assert_eq!(
            (&saved["name"], &saved["parent"]),
            (&json!("saved"), &json!(null))
        );
    }
    restore(&person, &b.id, &json!({ "name": "another" }))
        .await
        .problem(404, "not_found");
    restore(&person, "nothing", &json!({}))
        .await
        .problem(404, "not_found");
    assert_eq!(audit::account(&person).await, 3);
}

#[tokio::test]
async fn what_is_removed_is_gone_with_all_that_is_in_it() {
    let full = Full::new().await;
    let Full { person, f, g, .. } = &full;
    // One from the tree, one from the trash.
    delete(person, &g.id).await.expect(204);
    for folder in [f, g] {
        let path = format!("/files/{}?permanently=true", folder.id);
        person.call("DELETE", &path, None).await.expect(204);
        let restored = restore(person, &folder.id, &json!({ "parent": null })).await;
        restored.problem(404, "not_found");
    }
    assert!(person.api.trash().await.unwrap().is_empty());
    assert!(person.api.all_files(None).await.unwrap().is_empty());
    full.is_used(0).await;
    assert_eq!(audit::account(person).await, 0);
}

#[tokio::test]
async fn an_account_says_what_has_its_bytes_and_what_makes_room() {
    let full = Full::new().await;
    let Full { person, f, a, .. } = &full;
    let begin = async |size: u64| {
        let upload = json!({ "name": "u", "size": size });
        person.call("POST", "/uploads", Some(&upload)).await
    };
    begin(100).await.expect(201);
    delete(person, &a.id).await.expect(204);
    delete(person, &f.id).await.expect(204);
    let trashed = person.api.trash().await.unwrap();
    assert_eq!((trashed[1].bytes, trashed[1].files), (Some(20), Some(1)));
    sweep().await;
    until("the folder is counted", async || {
        let trashed = person.api.trash().await.unwrap();
        ((trashed[0].bytes, trashed[0].files) == (Some(5), Some(1))).then_some(())
    })
    .await;
    let account = person.call("GET", "/account", None).await.expect(200).json();
    assert_eq!(
        (&account["used_bytes"], &account["used"]),
        (
            &json!(125),
            &json!({ "files": 0, "versions": 0, "trash": 25, "open_uploads": 100 })
        )
    );
    audit::account(person).await;

    person.set_quota(135).await;
    let problem = begin(11).await.problem(403, "quota_exceeded");
    assert_eq!(
        (&problem["trash_bytes"], &problem["version_bytes"]),
        (&json!(25), &json!(0))
    );
    let detail = problem["detail"].as_str().unwrap();
    assert!(
        detail.contains("emptying the trash would free 25;") && !detail.contains("versions"),
        "{detail}"
    );
    person.call("DELETE", "/trash", None).await.expect(204);
    full.is_used(100).await;
    let problem = begin(36).await.problem(403, "quota_exceeded");
    assert_eq!(problem["trash_bytes"], 0);
    assert!(
        !problem["detail"].as_str().unwrap().contains("trash"),
        "{problem}"
    );
    begin(11).await.expect(201);
    audit::account(person).await;
}

#[tokio::test]
async fn an_emptied_trash_is_empty_at_once() {
    let full = Full::new().await;
    let Full { person, f, a, .. } = &full;
    person.call("DELETE", "/trash", None).await.expect(204);
    delete(person, &a.id).await.expect(204);
    delete(person, &f.id).await.expect(204);
    person.call("DELETE", "/trash", None).await.expect(204);
    assert!(person.api.trash().await.unwrap().is_empty());
    let kept = person.store("kept", None, &fresh(7)).await.file;
    delete(person, &kept.id).await.expect(204);
    assert_eq!(person.api.trash().await.unwrap().len(), 1);
    full.is_used(7).await;
    let trashed = person.api.trash().await.unwrap();
    assert_eq!((trashed.len(), &trashed[0].node.id), (1, &kept.id));
    person.api.restore(&kept.id, None).await.unwrap();
    assert_eq!(audit::account(person).await, 1);
}

#[tokio::test]
async fn the_newest_is_listed_first_page_by_page() {
    let person = Person::new().await;
    let files = join_all((0..5).map(async |number: u8| {
        let name = format!("file-{number}");
        person
            .store(&name, None, &fresh(1 + usize::from(number)))
            .await
            .file
            .id
    }))
    .await;
    for file in &files {
        delete(&person, file).await.expect(204);
    }
    let (mut listed, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = person
            .call("GET", &format!("/trash?limit=2&cursor={cursor}"), None)
            .await
            .expect(200)
            .json();
        for item in page["items"].as_array().unwrap() {
            listed.push(item["node"]["id"].as_str().unwrap().to_owned());
        }
        match page["next_cursor"].as_str() {
            Some(next) => cursor = next.replace('#', "%23"),
            None => break,
        }
    }
    listed.reverse();
    assert_eq!(listed, files);
}

#[tokio::test]
async fn without_a_trash_only_what_is_empty_goes_unasked() {
    let Full { person, f, g, b, .. } = Full::new().await;
    let ask = async |id: &str| {
        let mut function = Sandbox::start_with("file-delete", |_| Act::Pass, &[("TRASH_DAYS", "0")]).await;
        let event = http_event("file-delete", Some(id), &person.token, None);
        function.invoke(&event).await.unwrap()["statusCode"].clone()
    };
    assert_eq!(ask(&f.id).await, 409);
    assert_eq!(ask(&b.id).await, 204);
    assert_eq!(ask(&g.id).await, 204);
    assert!(person.api.trash().await.unwrap().is_empty());
    assert_eq!((audit::account(&person).await, person.used().await), (1, 20));
}
