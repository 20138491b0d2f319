//! Many files and folders in one request.

use crate::harness::audit;
use crate::harness::bytes::fresh;
use crate::harness::http::{HttpResponse, send};
use crate::harness::person::{Person, content_id};
use crate::harness::proxy::Act;
use crate::harness::sandbox::{Sandbox, http_event};
use crate::harness::stack::stack;
use client::types::{Batch, Destination, Node, OnConflict};
use serde_json::{Value, json};

/// The body of a batch.
fn body(op: &str, ids: &[&str], rest: Value) -> Value {
    let items: Vec<_> = ids.iter().map(|id| json!({ "id": id })).collect();
    let mut body = rest;
    body["op"] = json!(op);
    body["items"] = json!(items);
    body
}

async fn ask(person: &Person, body: &Value) -> HttpResponse {
    person.call("POST", "/files/batch", Some(body)).await
}

/// Of each item in the order asked the code of its problem, `node`, or `gone`.
fn said(answer: &Value, ids: &[&str]) -> Vec<String> {
    let results = answer["results"].as_array().unwrap();
    let of: Vec<_> = results
        .iter()
        .map(|result| result["id"].as_str().unwrap())
        .collect();
    assert_eq!(of, ids);
    let said = results.iter().map(|result| {
        let (node, problem) = (&result["node"], &result["problem"]);
        if let Some(code) = problem["code"].as_str() {
            assert_eq!(
                (problem["message"].as_str(), node),
                (problem["detail"].as_str(), &Value::Null)
            );
            assert!(
                problem["status"].as_u64().is_some_and(|status| status >= 400),
                "{result}"
            );
            return code.to_owned();
        }
        if node.is_null() {
            return "gone".to_owned();
        }
        assert_eq!(node["id"], result["id"]);
        "node".to_owned()
    });
    said.collect()
}

async fn batch(person: &Person, op: &str, ids: &[&str], rest: Value) -> Vec<String> {
    let answer = ask(person, &body(op, ids, rest)).await.expect(200).json();
    said(&answer, ids)
}

fn ids(nodes: &[Node]) -> Vec<&str> {
    nodes.iter().map(|node| node.id.as_str()).collect()
}

/// Files in a folder, of one content.
async fn files(person: &Person, folder: &Node, count: usize) -> Vec<Node> {
    let first = person.store("0", Some(&folder.id), &fresh(10)).await.file;
    let mut files = vec![first];
    for number in 1..count {
        let to = Destination {
            name: number.to_string(),
            parent: Some(folder.id.clone()),
            on_conflict: OnConflict::Fail,
        };
        files.push(person.api.copy_file(&files[0].id, &to).await.unwrap());
    }
    files
}

async fn count(person: &Person, folder: &Node) -> usize {
    person.api.all_files(Some(&folder.id)).await.unwrap().len()
}

#[tokio::test]
async fn good_items_are_done_and_bad_ones_are_named() {
    let person = Person::new().await;
    let f = person.api.create_folder("f", None).await.unwrap();
    let g = person.api.create_folder("g", None).await.unwrap();
    let h = person.api.create_folder("h", Some(&f.id)).await.unwrap();
    let files = files(&person, &f, 40).await;
    let taken = person.store("5", Some(&g.id), &fresh(3)).await.file;
    let stranger = Person::new().await;
    let theirs = stranger.store("x", None, &fresh(3)).await.file;
    let mut all = ids(&files);
    all.extend([h.id.as_str(), &g.id, "nothing", &theirs.id, &taken.id]);
    let to = || json!({ "parent": g.id });
    for _ in 0..2 {
        // The second time all but the refused ones are there already.
        let said = batch(&person, "move", &all, to()).await;
        let mut expected = vec!["node"; 41];
        expected[5] = "name_taken";
        expected.extend(["within_itself", "not_found", "not_found", "node"]);
        assert_eq!(said, expected);
        assert_eq!((count(&person, &f).await, count(&person, &g).await), (1, 41));
    }
    let moved = person.api.file(&files[7].id).await.unwrap();
    assert_eq!((moved.parent.as_ref(), moved.name.as_str()), (Some(&g.id), "7"));
    let version = person
        .call("GET", &format!("/files/{}", moved.id), None)
        .await
        .json();
    assert_eq!(version["version"], 2);
    let renamed = json!({ "parent": g.id, "on_conflict": "rename" });
    let renamed = ask(&person, &body("move", &[&files[5].id], renamed))
        .await
        .expect(200)
        .json();
    assert_eq!(renamed["results"][0]["node"]["name"], "5 (1)");
    // A file is no folder, and a folder replaces nothing.
    let into_file = batch(
        &person,
        "move",
        &[&files[1].id, &files[2].id],
        json!({ "parent": files[1].id }),
    )
    .await;
    assert_eq!(into_file, ["parent_not_found"; 2]);
    let replacing = json!({ "parent": null, "on_conflict": "replace" });
    assert_eq!(
        batch(&person, "move", &[&h.id, &files[2].id], replacing).await,
        ["invalid_request", "node"]
    );
    assert_eq!(stranger.api.file(&theirs.id).await.unwrap().parent, None);
    audit::account(&person).await;
}

#[tokio::test]
async fn only_the_versions_that_were_seen_are_touched() {
    let person = Person::new().await;
    let f = person.api.create_folder("f", None).await.unwrap();
    let files = files(&person, &f, 3).await;
    let [a, b, c] = ids(&files).try_into().unwrap();
    let other = "precondition_failed";
    for (op, versions, expected) in [
        ("move", [1, 2, 7], ["node", other, other]),
        ("trash", [2, 1, 7], ["gone", "gone", other]),
        ("restore", [3, 1, 7], ["node", other, other]),
    ] {
        let items = [a, b, c].into_iter().zip(versions);
        let items: Vec<_> = items
            .map(|(id, version)| json!({ "id": id, "version": version }))
            .collect();
        let mut body = json!({ "op": op, "items": items });
        if op == "move" {
            body["parent"] = Value::Null;
        }
        let answer = ask(&person, &body).await.expect(200).json();
        assert_eq!(said(&answer, &[a, b, c]), expected, "{op}");
    }
    // A single restore heeds it, too.
    let path = format!("/trash/{b}/restore");
    let restore = async |tag: &str| person.raw("POST", &path, &[("if-match", tag)], "").await;
    restore(r#""1""#).await.problem(412, other);
    restore(r#""2""#).await.expect(200);
    audit::account(&person).await;
}

#[tokio::test]
async fn many_go_to_the_trash_and_come_back_and_are_removed() {
    let person = Person::new().await;
    let f = person.api.create_folder("f", None).await.unwrap();
    let g = person.api.create_folder("g", Some(&f.id)).await.unwrap();
    person.store("inner", Some(&g.id), &fresh(7)).await;
    let files = files(&person, &f, 50).await;
    let content = files[0].content_id.unwrap().to_string();
    let references = async || audit::blob_of(&content).await.unwrap()["references"].clone();
    let mut all = ids(&files);
    all.push(&g.id);
    for _ in 0..2 {
        assert_eq!(batch(&person, "trash", &all, json!({})).await, vec!["gone"; 51]);
        assert_eq!(person.api.trash().await.unwrap().len(), 51);
        assert_eq!((count(&person, &f).await, person.used().await), (0, 507));
    }
    assert_eq!(
        batch(&person, "move", &[&files[0].id], json!({ "parent": null })).await,
        ["in_trash"]
    );
    // Something else has a name by now.
    let other = person.store("3", Some(&f.id), &fresh(1)).await.file;
    for _ in 0..2 {
        let mut expected = vec!["node"; 51];
        expected[3] = "name_taken";
        assert_eq!(batch(&person, "restore", &all, json!({})).await, expected);
        assert_eq!(
            (count(&person, &f).await, person.api.trash().await.unwrap().len()),
            (51, 1)
        );
    }
    assert_eq!(count(&person, &g).await, 1);
    let replacing = json!({ "on_conflict": "replace" });
    assert_eq!(
        batch(&person, "restore", &[&files[3].id], replacing).await,
        ["node"]
    );
    assert!(person.api.file(&other.id).await.unwrap().trashed_at.is_some());

    // Half of them from the trash; their folder goes as well.
    assert_eq!(
        batch(&person, "trash", &all[..30], json!({})).await,
        vec!["gone"; 30]
    );
    assert_eq!(references().await, 50);
    person.api.trash_file(&f.id).await.unwrap();
    assert_eq!(
        batch(&person, "restore", &all[..2], json!({})).await,
        ["parent_not_found"; 2]
    );
    assert_eq!(
        batch(&person, "restore", &all[..2], json!({ "parent": null })).await,
        ["node"; 2]
    );
    assert_eq!(batch(&person, "delete", &all, json!({})).await, vec!["gone"; 51]);
    assert_eq!(references().await, 0);
    assert_eq!(
        batch(&person, "delete", &all[..50], json!({})).await,
        vec!["not_found"; 50]
    );
    let rest = [other.id.as_str(), &f.id];
    assert_eq!(batch(&person, "delete", &rest, json!({})).await, ["gone"; 2]);
    assert!(person.api.trash().await.unwrap().is_empty());
    audit::account(&person).await;
}

#[tokio::test]
async fn files_of_different_contents_are_removed_together() {
    let person = Person::new().await;
    let mut stored = Vec::new();
    let contents = [fresh(5), fresh(6)];
    for (number, bytes) in contents.iter().cycle().take(10).enumerate() {
        stored.push(person.store(&number.to_string(), None, bytes).await.file);
    }
    let begun = person.api.create_folder("f", None).await.unwrap();
    let upload = json!({ "name": "u", "size": 3, "parent": begun.id });
    person.call("POST", "/uploads", Some(&upload)).await.expect(201);
    let mut all = ids(&stored);
    all.push(&begun.id);
    let answer = ask(&person, &body("delete", &all, json!({})))
        .await
        .expect(200)
        .json();
    assert_eq!(said(&answer, &all), vec!["gone"; 11]);
    assert_eq!(answer["results"][10]["open_uploads"], 1);
    assert!(answer["results"][0].get("open_uploads").is_none());
    for bytes in contents {
        let blob = audit::blob_of(&content_id(&bytes).to_string()).await.unwrap();
        assert_eq!(blob["references"], 0);
    }
    assert_eq!((audit::account(&person).await, person.used().await), (0, 3));
}

#[tokio::test]
async fn without_a_trash_it_is_as_one_by_one() {
    let person = Person::new().await;
    let f = person.api.create_folder("f", None).await.unwrap();
    let empty = person.api.create_folder("empty", None).await.unwrap();
    let files = files(&person, &f, 3).await;
    let environment = [("TRASH_DAYS", "0")];
    let mut function = Sandbox::start_with("file-batch", |_| Act::Pass, &environment).await;
    let mut ask = async |all: &[&str]| {
        let body = body("trash", all, json!({}));
        let event = http_event("file-batch", None, &person.token, Some(&body));
        let answer = function.invoke(&event).await.unwrap();
        let answer: Value = serde_json::from_str(answer["body"].as_str().unwrap()).unwrap();
        said(&answer, all)
    };
    let [a, b, c] = ids(&files).try_into().unwrap();
    assert_eq!(
        ask(&[&f.id, a, b, &empty.id]).await,
        ["folder_not_empty", "gone", "gone", "gone"]
    );
    assert_eq!(ask(&[a, c, &f.id]).await, ["not_found", "gone", "gone"]);
    assert!(person.api.trash().await.unwrap().is_empty());
    assert_eq!((audit::account(&person).await, person.used().await), (0, 0));
}

#[tokio::test]
async fn a_batch_that_is_none_changes_nothing() {
    let person = Person::new().await;
    let f = person.api.create_folder("f", None).await.unwrap();
    let many: Vec<String> = (0..101).map(|id| id.to_string()).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    for (bad, field, words) in [
        (
            body("trash", &[&f.id, &f.id], json!({})),
            "items",
            "is there twice",
        ),
        (body("trash", &[], json!({})), "items", "1 to 100 items"),
        (body("trash", &many, json!({})), "items", "1 to 100 items"),
        (body("trash", &[&f.id], json!({ "parent": null })), ".", "only"),
        (
            body("delete", &[&f.id], json!({ "on_conflict": "rename" })),
            ".",
            "only",
        ),
        (body("move", &[&f.id], json!({})), ".", "missing field `parent`"),
        (
            body("move", &[&f.id, "a/b"], json!({ "parent": null })),
            "items[1].id",
            "an id is",
        ),
        (body("copy", &[&f.id], json!({})), "op", "copy"),
        (
            body("move", &[&f.id], json!({ "parent": null, "name": "x" })),
            "name",
            "name",
        ),
        (json!({ "op": "trash" }), ".", "items"),
    ] {
        let problem = ask(&person, &bad).await.problem(400, "invalid_request");
        assert_eq!(problem["field"], field, "{problem}");
        assert!(problem["detail"].as_str().unwrap().contains(words), "{problem}");
    }
    assert_eq!(person.api.all_files(None).await.unwrap().len(), 1);
}

/// Which scope a token needs depends on what is asked for.
#[tokio::test]
async fn what_a_token_permits_a_batch_does() {
    let person = Person::new().await;
    let f = person.api.create_folder("f", None).await.unwrap();
    for (scope, other, permitted) in [
        ("upload", "admin", ["move", "restore"]),
        ("admin", "upload", ["trash", "delete"]),
    ] {
        let token = json!({ "name": scope, "scopes": [scope], "expires_in_days": 1 });
        let token = person
            .call("POST", "/tokens", Some(&token))
            .await
            .expect(201)
            .json();
        let authorization = format!("Bearer {}", token["token"].as_str().unwrap());
        let headers = [
            ("authorization", authorization.as_str()),
            ("content-type", "application/json"),
        ];
        let ask = async |op: &str| {
            let rest = if op == "move" {
                json!({ "parent": null })
            } else {
                json!({})
            };
            let body = body(op, &[&f.id], rest).to_string();
            let url = format!("{}/v1/files/batch", stack().api_url);
            send("POST", &url, &headers, body).await
        };
        for op in ["move", "restore", "trash", "delete"] {
            let answer = ask(op).await;
            if permitted.contains(&op) {
                answer.expect(200);
            } else {
                let problem = answer.problem(403, "insufficient_scope");
                assert_eq!(problem["scope"], other, "{op}");
            }
        }
    }
    assert!(person.api.all_files(None).await.unwrap().is_empty());
}

/// The client says of each what a call about one would have said.
#[tokio::test]
async fn the_client_batches() {
    let person = Person::new().await;
    let f = person.api.create_folder("f", None).await.unwrap();
    let a = person.store("a", None, &fresh(5)).await.file;
    let into = Batch::Move {
        parent: Some(f.id.clone()),
        on_conflict: OnConflict::Fail,
    };
    let done = person.api.batch(&into, &[&a.id, "nothing", &f.id]).await;
    let [Ok(moved), Err(nothing), Err(itself)] = done.as_slice() else {
        panic!("{done:?}")
    };
    assert_eq!(moved.node.as_ref().unwrap().parent, Some(f.id.clone()));
    assert!(nothing.is("not_found") && itself.is("within_itself"), "{done:?}");
    for batch in [
        Batch::Trash,
        Batch::Restore {
            on_conflict: OnConflict::Fail,
        },
        Batch::Delete,
    ] {
        let done = person.api.batch(&batch, &[&a.id]).await;
        assert!(done[0].is_ok(), "{batch:?}: {done:?}");
    }
    let gone = person.api.batch(&Batch::Delete, &[&a.id]).await;
    assert!(gone[0].as_ref().unwrap_err().is("not_found"));
    audit::account(&person).await;
}
