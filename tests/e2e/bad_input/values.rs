//! Values that no field can have.

use super::JSON;
use crate::harness::bytes::fresh;
use crate::harness::http::send;
use crate::harness::person::Person;
use crate::harness::stack::stack;
use domain::content::PartDigest;
use serde_json::json;

#[tokio::test]
async fn names_that_cannot_be() {
    let person = Person::new().await;
    let names = [
        String::new(),
        ".".to_owned(),
        "..".to_owned(),
        "/".to_owned(),
        "a/b".to_owned(),
        "/etc/passwd".to_owned(),
        "../../etc/passwd".to_owned(),
        "..\\..\\boot.ini".to_owned(),
        "a\u{0}b".to_owned(),
        "a\nb".to_owned(),
        "\u{7f}".to_owned(),
        "\u{85}".to_owned(),
        "x".repeat(256),
        "é".repeat(128),
        "x".repeat(100_000),
    ];
    for name in &names {
        for (path, body) in [
            ("/uploads", json!({ "name": name, "size": 1 })),
            ("/folders", json!({ "name": name })),
        ] {
            let problem = person
                .call("POST", path, Some(&body))
                .await
                .problem(400, "invalid_request");
            assert_eq!(problem["field"], "name");
        }
    }
    for query in [
        "name=.",
        "name=..",
        "name=a%2Fb",
        "name=%00",
        "cursor=a%2Fb",
        "cursor=..",
    ] {
        person
            .call("GET", &format!("/files?{query}"), None)
            .await
            .problem(400, "invalid_request");
    }
    assert!(person.api.all_files(None).await.unwrap().is_empty());
    assert_eq!(person.used().await, 0);
}

#[tokio::test]
async fn sizes_that_cannot_be() {
    let person = Person::new().await;
    // More than any file may have, more than 64 bits, more than a float has.
    let sizes = [
        "-1",
        "-0.5",
        "1.5",
        "1e3",
        "1e400",
        "NaN",
        "\"1\"",
        "53687091200001",
        "9007199254740993",
        "18446744073709551615",
        "18446744073709551616",
        "-9223372036854775809",
        "99999999999999999999999999999999999",
    ];
    for size in sizes {
        let body = format!("{{\"name\": \"a\", \"size\": {size}}}");
        let answer = person.raw("POST", "/uploads", &[JSON], body).await;
        println!("{size}: {}", answer.text());
        answer.any_problem();
        assert_eq!(answer.status, 400);
    }
    assert_eq!(person.used().await, 0);
}

#[tokio::test]
async fn parts_that_cannot_be() {
    let person = Person::new().await;
    let upload = person.begin("a", &fresh(10)).await;
    let path = format!("/uploads/{}/parts", upload.id);
    let good = PartDigest::of(b"x").to_string();
    let one = |number: i64, sha256: &str| json!({ "parts": [{ "number": number, "sha256": sha256 }] });
    let bodies = [
        json!({ "parts": [] }),
        json!({ "parts": [{}] }),
        json!({ "parts": [{ "number": 1 }] }),
        json!({ "parts": [{ "sha256": good }] }),
        json!({ "parts": [{ "number": 1, "sha256": good, "size": 1 }] }),
        one(0, &good),
        one(-1, &good),
        one(2, &good),
        one(10_001, &good),
        one(4_294_967_296, &good),
        one(i64::MAX, &good),
        one(1, ""),
        one(1, "x"),
        one(1, &good[1..]),
        one(1, &format!("{good}=")),
        one(1, &good.replace('=', "")),
        one(1, &"A".repeat(64)),
        one(1, &"0".repeat(100_000)),
        one(1, "\u{1f6a2}"),
        json!({ "parts": [{ "number": 1, "sha256": good }, { "number": 1, "sha256": good }] }),
        json!({ "parts": vec![json!({ "number": 1, "sha256": good }); 1001] }),
    ];
    for body in &bodies {
        println!("{:.200}", body.to_string());
        person
            .call("POST", &path, Some(body))
            .await
            .problem(400, "invalid_request");
    }
    assert_eq!(
        person.api.upload(&upload.id).await.unwrap().received,
        Some(Vec::new())
    );
}

#[tokio::test]
async fn accounts_that_cannot_be() {
    let url = format!("{}/v1/accounts", stack().api_url);
    let password = "long enough";
    let long_name = "x".repeat(65);
    let usernames = [
        "", "ab", "a b c", "-abc", "a/b", "a#b", "änne", "a\u{0}b", "../x", "a@b.c", &long_name,
    ];
    for username in usernames {
        let body = json!({ "username": username, "password": password }).to_string();
        let problem = send("POST", &url, &[JSON], body)
            .await
            .problem(400, "invalid_request");
        assert_eq!(problem["field"], "username", "{username:?}");
    }
    let long_password = "x".repeat(1025);
    for password in ["", "short", "1234567", &long_password] {
        let body = json!({ "username": "somebody-new", "password": password }).to_string();
        let problem = send("POST", &url, &[JSON], body)
            .await
            .problem(400, "invalid_request");
        assert_eq!(problem["field"], "password");
        assert!(
            password.is_empty() || !problem.to_string().contains(password),
            "never repeated: {problem}"
        );
    }
}

#[tokio::test]
async fn types_and_contents_that_cannot_be() {
    let person = Person::new().await;
    let types = [
        "",
        "text",
        "/",
        "a/",
        "a/b\r\nx: y",
        "a b/c",
        "ä/b",
        &"a/".repeat(100),
    ];
    for content_type in types {
        let body = json!({ "name": "a", "size": 1, "content_type": content_type });
        person
            .call("POST", "/uploads", Some(&body))
            .await
            .problem(400, "invalid_request");
    }
    let digest = PartDigest::of(b"x").to_string();
    let ids = [
        String::new(),
        "-".to_owned(),
        "x-1".to_owned(),
        digest.clone(),
        format!("{digest}-"),
        format!("{digest}-0"),
        format!("{digest}-01"),
        format!("{digest}-2"),
        format!("{digest}-10001"),
        format!("{digest}--1"),
        format!("{digest}-1 "),
        format!("{}-1", "A".repeat(1000)),
    ];
    for content_id in ids {
        let body = json!({ "name": "a", "size": 1, "content_id": content_id });
        person
            .call("POST", "/uploads", Some(&body))
            .await
            .problem(400, "invalid_request");
    }
    assert_eq!(person.used().await, 0);
}
