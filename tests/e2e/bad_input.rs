//! Whatever is sent: a problem document that blames the request, never a server error, and nothing changes.

use crate::harness::audit;
use crate::harness::bytes::fresh;
use crate::harness::http::send;
use crate::harness::person::Person;
use crate::harness::proxy::Act;
use crate::harness::sandbox::{Sandbox, http_event};
use crate::harness::stack::stack;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::content::PartDigest;
use serde_json::{Value, json};

const JSON: (&str, &str) = ("content-type", "application/json");

/// The endpoints with a body, and a body that they would take.
fn with_bodies(upload: &str) -> Vec<(String, Value)> {
    let digest = PartDigest::of(b"x").to_string();
    vec![
        (
            "/accounts".to_owned(),
            json!({ "username": "somebody", "password": "long enough" }),
        ),
        (
            "/sessions".to_owned(),
            json!({ "username": "somebody", "password": "long enough" }),
        ),
        (
            "/uploads".to_owned(),
            json!({ "name": "n", "size": 1, "content_type": "a/b", "parent": null, "content_id": null }),
        ),
        (
            format!("/uploads/{upload}/parts"),
            json!({ "parts": [{ "number": 1, "sha256": digest }] }),
        ),
        ("/folders".to_owned(), json!({ "name": "n", "parent": null })),
    ]
}

#[tokio::test]
async fn bodies_that_are_not_json() {
    let person = Person::new().await;
    let upload = person.begin("u", &fresh(1)).await;
    let deep = "[".repeat(100_000);
    let bodies: [&[u8]; 11] = [
        b"",
        b"{",
        b"}",
        b"{\"name\": }",
        b"{\"name\": \"a\", \"size\": 1} trailing",
        b"{'name': 'a'}",
        b"name=a&size=1",
        b"<name>a</name>",
        b"\x00\x01\x02",
        b"\xef\xbb\xbf{",
        deep.as_bytes(),
    ];
    for (path, _) in with_bodies(&upload.id) {
        for body in bodies {
            let answer = person.raw("POST", &path, &[JSON], body.to_vec()).await;
            println!("{path} {}", String::from_utf8_lossy(&body[..body.len().min(30)]));
            answer.any_problem();
            assert_eq!(answer.status, 400, "{}", answer.text());
        }
    }
}

/// The emulator's gateway mends text that is not UTF-8 before the function sees it, so here the function is asked alone.
#[tokio::test]
async fn text_that_is_not_utf8() {
    let person = Person::new().await;
    for bytes in [
        &b"{\"name\": \"\xff\xfe\"}"[..],
        b"\xff",
        b"{\"name\": \"\xed\xa0\x80\"}",
    ] {
        let mut event = http_event("POST", "/v1/folders", None, &person.token, None);
        event["body"] = STANDARD.encode(bytes).into();
        event["isBase64Encoded"] = true.into();
        let mut function = Sandbox::start("folder-create", |_| Act::Pass).await;
        let answer = function.invoke(&event).await.unwrap();
        assert_eq!(answer["statusCode"], 400, "{answer}");
        assert!(
            answer["body"].as_str().unwrap().contains("malformed_json"),
            "{answer}"
        );
    }
    for lone in ["{\"name\": \"\\ud800\"}", "{\"name\": \"\\udc00\\ud800\"}"] {
        person
            .raw("POST", "/folders", &[JSON], lone)
            .await
            .problem(400, "malformed_json");
    }
}

#[tokio::test]
async fn values_of_the_wrong_type() {
    let person = Person::new().await;
    let upload = person.begin("u", &fresh(1)).await;
    let odd = [
        json!(null),
        json!(true),
        json!(1),
        json!(-1),
        json!(1.5),
        json!("x\u{0}"),
        json!([]),
        json!([1]),
        json!({}),
        json!({ "a": 1 }),
    ];
    for (path, good) in with_bodies(&upload.id) {
        for whole in &odd {
            person
                .call("POST", &path, Some(whole))
                .await
                .problem(400, "invalid_request");
        }
        for field in good.as_object().unwrap().keys() {
            for value in &odd {
                if value.is_null() && good[field].is_null() || (field == "size" && *value == json!(1)) {
                    continue;
                }
                let mut body = good.clone();
                body[field] = value.clone();
                if field == "content_type" && value.is_null() {
                    continue;
                }
                let problem = person
                    .call("POST", &path, Some(&body))
                    .await
                    .problem(400, "invalid_request");
                assert!(problem["field"].is_string(), "{body}: {problem}");
            }
            let mut body = good.clone();
            body.as_object_mut().unwrap().remove(field);
            if ["name", "size", "username", "password", "parts"].contains(&field.as_str()) {
                person
                    .call("POST", &path, Some(&body))
                    .await
                    .problem(400, "invalid_request");
            }
        }
        let mut body = good.clone();
        body["surprise"] = json!(1);
        person
            .call("POST", &path, Some(&body))
            .await
            .problem(400, "invalid_request");
    }
    assert_eq!(audit::account(&person).await, 0);
}

#[tokio::test]
async fn names_that_cannot_be() {
    let person = Person::new().await;
    let names = [
        "".to_owned(),
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
    let calls = [
        ("GET", "/uploads/{id}"),
        ("DELETE", "/uploads/{id}"),
        ("POST", "/uploads/{id}/parts"),
        ("POST", "/uploads/{id}/complete"),
        ("GET", "/files/{id}"),
        ("GET", "/files/{id}/content"),
        ("DELETE", "/files/{id}"),
    ];
    let parts = json!({ "parts": [{ "number": 1, "sha256": PartDigest::of(b"x").to_string() }] });
    for id in &ids {
        for (method, path) in calls {
            println!("{method} {path} {id}");
            person
                .call(method, &path.replace("{id}", id), Some(&parts))
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
        ("PATCH", "/files/x"),
        ("PUT", "/uploads"),
        ("GET", "/uploads/x/parts"),
        ("POST", "/files/x/content/more"),
    ] {
        println!("{method} {path}");
        person.call(method, path, None).await.problem(404, "not_found");
    }
}

#[tokio::test]
async fn pages_that_cannot_be() {
    let person = Person::new().await;
    for list in ["/files", "/uploads"] {
        for limit in ["0", "-1", "101", "99999999999", "1.5", "x", "%00", "1%202"] {
            let answer = person.call("GET", &format!("{list}?limit={limit}"), None).await;
            println!("{list} {limit}");
            assert_eq!(answer.problem(400, "invalid_request")["field"], "limit");
        }
        for query in [
            "limit=",
            "cursor=",
            "limit=1&limit=2",
            "surprise=1",
            "cursor=zzzz",
        ] {
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
        "".to_owned(),
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

#[tokio::test]
async fn bodies_that_are_too_large() {
    let person = Person::new().await;
    let upload = person.begin("u", &fresh(1)).await;
    for (path, good) in with_bodies(&upload.id) {
        let padded = format!("{good}{}", " ".repeat(256 * 1024));
        person
            .raw("POST", &path, &[JSON], padded)
            .await
            .problem(413, "payload_too_large");
    }
    let name = "x".repeat(5_000_000);
    let body = json!({ "name": name, "size": 1 });
    person
        .call("POST", "/uploads", Some(&body))
        .await
        .problem(413, "payload_too_large");
}

/// Browsers and scripts forget it, or send something else; what counts is the body.
#[tokio::test]
async fn the_content_type_of_a_request_does_not_matter() {
    let person = Person::new().await;
    for (n, content_type) in [
        "text/plain",
        "application/xml",
        "multipart/form-data; boundary=x",
        "x",
        "application/octet-stream",
    ]
    .iter()
    .enumerate()
    {
        let body = json!({ "name": format!("{n}") }).to_string();
        let made = person
            .raw("POST", "/folders", &[("content-type", content_type)], body)
            .await;
        println!("{content_type}");
        made.expect(201);
        person
            .raw("POST", "/folders", &[("content-type", content_type)], "rubbish")
            .await
            .problem(400, "malformed_json");
    }
    person
        .raw("POST", "/folders", &[], json!({ "name": "none" }).to_string())
        .await
        .expect(201);
    person
        .raw("POST", "/folders", &[], b"\xff\xfe\x00".to_vec())
        .await
        .problem(400, "malformed_json");
}
