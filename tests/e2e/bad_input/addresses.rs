//! Paths, ids and queries that lead nowhere.

use crate::harness::audit;
use crate::harness::documented::{about_one_thing, lists};
use crate::harness::person::Person;
use domain::content::PartDigest;
use serde_json::json;

#[tokio::test]
async fn ids_that_name_nothing() {
    let person = Person::new().await;
    let ids = [
        "0000".to_owned(),
        "x".repeat(64),
        "x".repeat(65),
        "x".repeat(2000),
        "%20".to_owned(),
        "a%20b".to_owned(),
        "a%23b".to_owned(),
        "UPLOAD%23x".to_owned(),
        "%C3%A9".to_owned(),
        "%FF".to_owned(),
        "%00".to_owned(),
        "%0A".to_owned(),
        "%27%20OR%201=1".to_owned(),
        "*".to_owned(),
        "null".to_owned(),
        "-1".to_owned(),
    ];
    let calls: Vec<_> = about_one_thing()
        .chain([("POST", "/uploads/{id}/parts")])
        .collect();
    let parts = json!({ "parts": [{ "number": 1, "sha256": PartDigest::of(b"x").to_string() }] });
    for id in &ids {
        for &(method, path) in &calls {
            println!("{method} {path} {id}");
            let body = path.ends_with("/parts").then_some(&parts);
            person
                .call(method, &path.replace("{id}", id), body)
                .await
                .problem(404, "not_found");
        }
        let answer = person.call("GET", &format!("/files?parent={id}"), None).await;
        let status = answer.any_problem()["status"].clone();
        assert!(status == 404 || status == 400, "{id}");
    }
    for id in ["0000", "a b", "a#b", "é", &"x".repeat(65), ""] {
        for (path, body) in [
            ("/uploads", json!({ "name": "a", "size": 1, "parent": id })),
            ("/folders", json!({ "name": "a", "parent": id })),
        ] {
            let answer = person.call("POST", path, Some(&body)).await;
            let code = answer.any_problem()["code"].clone();
            assert!(
                code == "parent_not_found" || code == "invalid_request",
                "{id:?}: {code}"
            );
        }
    }
    assert_eq!((audit::account(&person).await, person.used().await), (0, 0));
}

#[tokio::test]
async fn paths_that_name_nothing() {
    let person = Person::new().await;
    for (method, path) in [
        ("GET", "/nothing"),
        ("GET", ""),
        ("GET", "/"),
        ("PUT", "/files/x"),
        ("PUT", "/uploads"),
        ("GET", "/uploads/x/parts"),
        ("POST", "/files/x/content/more"),
    ] {
        println!("{method} {path}");
        let answer = person.call(method, path, None).await;
        answer.gateway_problem(404, "not_found");
    }
}

#[tokio::test]
async fn pages_that_cannot_be() {
    let person = Person::new().await;
    for list in lists() {
        for limit in ["0", "-1", "1001", "99999999999", "1.5", "x", "%00", "1%202"] {
            // A search has to have words.
            let path = format!("{list}?q=words&limit={limit}");
            let answer = person.call("GET", &path, None).await;
            println!("{list} {limit}");
            assert_eq!(answer.problem(400, "invalid_request")["field"], "limit");
        }
    }
    for list in ["/files", "/uploads"] {
        for query in ["limit=", "cursor=", "surprise=1", "cursor=zzzz"] {
            let page = person
                .call("GET", &format!("{list}?{query}"), None)
                .await
                .expect(200)
                .json();
            assert_eq!((&page["items"], &page["next_cursor"]), (&json!([]), &json!(null)));
        }
    }
    for cursor in ["a%23b", "a%2Fb", "%C3%A9", &"x".repeat(65)] {
        person
            .call("GET", &format!("/uploads?cursor={cursor}"), None)
            .await
            .problem(400, "invalid_request");
    }
    let cursor = "x".repeat(300);
    person
        .call("GET", &format!("/files?cursor={cursor}"), None)
        .await
        .problem(400, "invalid_request");
}
