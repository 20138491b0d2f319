//! Whatever is sent: a problem document that blames the request, never a server error, and nothing changes.

mod addresses;
mod values;

use crate::harness::audit;
use crate::harness::bytes::fresh;
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
            "/accounts/password".to_owned(),
            json!({ "username": "somebody", "code": "lsi_0", "password": "long enough" }),
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
        let mut event = http_event("folder-create", None, &person.token, None);
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

/// A client that sends a parameter twice may mean the other one; and unused parameters are validated all the same.
#[tokio::test]
async fn parameters_that_are_there_twice_or_not_needed() {
    let person = Person::new().await;
    for (query, field) in [
        ("limit=1&limit=2", "limit"),
        ("name=a&name=a", "name"),
        ("parent=&parent=", "parent"),
        ("name=a&limit=many", "limit"),
        ("name=a&cursor=%2F", "cursor"),
    ] {
        let answer = person.call("GET", &format!("/files?{query}"), None).await;
        assert_eq!(answer.problem(400, "invalid_request")["field"], field, "{query}");
    }
    person
        .call("GET", "/files?limit=&parent=&name=", None)
        .await
        .expect(200);
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
            if ["name", "size", "username", "password", "code", "parts"].contains(&field.as_str()) {
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
        if stack().is_localstack() && content_type.starts_with("multipart/") {
            // It takes forms apart before the function sees them.
            continue;
        }
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
