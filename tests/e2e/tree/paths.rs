//! Folders by their paths.

use crate::harness::bytes::fresh;
use crate::harness::http::HttpResponse;
use crate::harness::person::Person;
use client::tree::{TreeError, walk};
use serde_json::Value;

async fn list(person: &Person, query: &str) -> HttpResponse {
    person.call("GET", &format!("/files?{query}"), None).await
}

fn names(page: &Value) -> Vec<&str> {
    let items = page["items"].as_array().unwrap().iter();
    items.map(|item| item["name"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_folder_is_listed_by_its_path() {
    let (person, stranger) = (Person::new().await, Person::new().await);
    let a = person.api.create_folder("a", None).await.unwrap();
    let b = person.api.create_folder("b \u{e4}", Some(&a.id)).await.unwrap();
    for name in ["x", "y", "z"] {
        person.store(name, Some(&b.id), &fresh(5)).await;
    }
    // However many slashes, and however the letters are composed.
    for path in ["/a/b+%C3%A4", "a//b%20%C3%A4/", "/a/b+a%CC%88"] {
        let page = list(&person, &format!("path={path}")).await.expect(200).json();
        assert_eq!(names(&page), ["x", "y", "z"], "{path}");
    }
    let first = list(&person, "path=/a/b+%C3%A4&limit=2").await.expect(200).json();
    assert_eq!(names(&first), ["x", "y"]);
    let rest = format!(
        "path=/a/b+%C3%A4&cursor={}",
        first["next_cursor"].as_str().unwrap()
    );
    assert_eq!(names(&list(&person, &rest).await.expect(200).json()), ["z"]);
    let one = list(&person, "path=/a/b+%C3%A4&name=y").await.expect(200).json();
    assert_eq!(names(&one), ["y"]);
    let top = list(&person, "path=/").await.expect(200).json();
    assert_eq!(names(&top), ["a"]);

    for path in ["/b", "/a/c", "/a/b+%C3%A4/n/x", "/a/a"] {
        list(&person, &format!("path={path}"))
            .await
            .problem(404, "not_found");
    }
    list(&stranger, "path=/a").await.problem(404, "not_found");
    // A file is in its place, or on the way.
    for query in [
        "path=/a/b+%C3%A4/x",
        "path=/a/b+%C3%A4/x/y",
        "path=/a/..",
        "path=/a/%00",
        &format!("path=/a&parent={}", a.id),
    ] {
        let refused = list(&person, query).await.problem(400, "invalid_request");
        assert_eq!(refused["field"], "path", "{query}");
    }
    person.api.trash_file(&a.id).await.unwrap();
    list(&person, "path=/a/b+%C3%A4").await.problem(404, "not_found");
}

#[tokio::test]
async fn a_path_that_leads_nowhere_ends_where_it_ends() {
    let person = Person::new().await;
    let a = person.api.create_folder("a", None).await.unwrap();
    person.store("f", Some(&a.id), &fresh(5)).await;
    for (path, place, is_file) in [
        ("a/b/c", "a/b", false),
        ("b/c", "b", false),
        ("a/g", "a/g", false),
        ("a/f/c", "a/f", true),
    ] {
        let (ended, was_file) = match walk(&person.api, &path.parse().unwrap()).await {
            Err(TreeError::NotFound(ended)) => (ended, false),
            Err(TreeError::NotAFolder(ended)) => (ended, true),
            other => panic!("{path}: {other:?}"),
        };
        assert_eq!((ended.to_string().as_str(), was_file), (place, is_file), "{path}");
    }
}
