//! What is found by its name.

use crate::harness::bytes::fresh;
use crate::harness::http::HttpResponse;
use crate::harness::person::Person;
use client::types::{Destination, Found, Node, OnConflict};
use std::collections::BTreeSet;

/// One page, as it is answered.
async fn ask(person: &Person, query: &str) -> HttpResponse {
    person.call("GET", &format!("/search?{query}"), None).await
}

/// The paths of all that is found, sorted.
async fn found(person: &Person, words: &str, under: Option<&str>) -> Vec<String> {
    let mut paths: Vec<String> = Vec::new();
    let take = |found: Vec<Found>| paths.extend(found.into_iter().map(|found| found.path));
    person.api.search_all(words, under, take).await.unwrap();
    paths.sort();
    paths
}

/// `/Reports`, `/Reports/2026`, and files in both and at the top.
struct Full {
    person: Person,
    reports: Node,
    year: Node,
    may: Node,
}

impl Full {
    async fn new() -> Self {
        let person = Person::new().await;
        let reports = person.api.create_folder("Reports", None).await.unwrap();
        let year = person.api.create_folder("2026", Some(&reports.id)).await.unwrap();
        person.store("Report of May.txt", None, &fresh(5)).await;
        person.store("Straße.jpg", Some(&reports.id), &fresh(5)).await;
        let may = person
            .store("may REPORT.pdf", Some(&year.id), &fresh(5))
            .await
            .file;
        Self {
            person,
            reports,
            year,
            may,
        }
    }
}

#[tokio::test]
async fn words_find_files_and_folders_wherever_they_are() {
    let Full {
        person, reports, may, ..
    } = Full::new().await;
    let stranger = Person::new().await;
    stranger.store("Report of a stranger", None, &fresh(5)).await;
    let all = ["/Report of May.txt", "/Reports", "/Reports/2026/may REPORT.pdf"];
    assert_eq!(found(&person, "report", None).await, all);
    assert_eq!(
        found(&person, "MAY report", None).await,
        ["/Report of May.txt", "/Reports/2026/may REPORT.pdf"]
    );
    assert_eq!(found(&person, "STRASSE", None).await, ["/Reports/Straße.jpg"]);
    assert_eq!(found(&person, "report june", None).await, [""; 0]);
    // A folder is not below itself.
    let below = found(&person, "report", Some(&reports.id)).await;
    assert_eq!(below, ["/Reports/2026/may REPORT.pdf"]);
    let shown = ask(&person, &format!("q=may+report&under={}", reports.id)).await;
    let shown = shown.expect(200).json();
    assert_eq!(shown["items"][0]["node"]["id"], may.id);
    assert_eq!(shown["items"][0]["node"]["size"], 5);
    assert!(shown["next_cursor"].is_null(), "{shown}");
}

#[tokio::test]
async fn what_is_found_is_where_and_what_it_is_now() {
    let Full {
        person,
        reports,
        year,
        may,
    } = Full::new().await;
    let to = Destination {
        name: "June.pdf".to_owned(),
        parent: None,
        on_conflict: OnConflict::Fail,
    };
    person.api.move_file(&may.id, &to).await.unwrap();
    assert_eq!(found(&person, "june", None).await, ["/June.pdf"]);
    assert_eq!(found(&person, "may pdf", None).await, [""; 0]);
    let to = Destination {
        name: "Years".to_owned(),
        parent: None,
        on_conflict: OnConflict::Fail,
    };
    person.api.move_file(&reports.id, &to).await.unwrap();
    assert_eq!(found(&person, "strasse", None).await, ["/Years/Straße.jpg"]);
    // Neither what is in the trash nor what is in a folder that is.
    person.api.trash_file(&reports.id).await.unwrap();
    assert_eq!(found(&person, "strasse", None).await, [""; 0]);
    assert_eq!(found(&person, "2026", None).await, [""; 0]);
    assert_eq!(found(&person, "strasse", Some(&reports.id)).await, [""; 0]);
    assert_eq!(found(&person, "2026", Some(&year.id)).await, [""; 0]);
    person.api.restore(&reports.id, None).await.unwrap();
    assert_eq!(found(&person, "strasse", None).await, ["/Years/Straße.jpg"]);
}

#[tokio::test]
async fn pages_follow_each_other_by_folder_and_name() {
    let person = Person::new().await;
    let folder = person.api.create_folder("x 0", None).await.unwrap();
    for name in ["x 3", "x 1", "y", "x 2 ä"] {
        person.store(name, Some(&folder.id), &fresh(5)).await;
    }
    for limit in [1, 2, 3, 4] {
        let (mut paths, mut cursor, mut pages) = (Vec::new(), String::new(), 0);
        loop {
            // The cursor has a `#` and letters.
            let cursor_in = percent(&cursor);
            let page = ask(&person, &format!("q=X&limit={limit}&cursor={cursor_in}")).await;
            let page = page.expect(200).json();
            let items = page["items"].as_array().unwrap();
            assert!(items.len() <= limit, "{page}");
            paths.extend(items.iter().map(|item| item["path"].as_str().unwrap().to_owned()));
            pages += 1;
            match page["next_cursor"].as_str() {
                None => break,
                Some(next) => assert_ne!(std::mem::replace(&mut cursor, next.to_owned()), next),
            }
        }
        // The top comes first.
        assert_eq!(paths, ["/x 0", "/x 0/x 1", "/x 0/x 2 ä", "/x 0/x 3"]);
        assert!(pages >= 4 / limit, "{pages} pages of {limit}");
    }
}

/// As a query takes it.
fn percent(text: &str) -> String {
    let byte = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(byte).collect()
}

#[tokio::test]
async fn nonsense_is_refused_and_shows_nothing() {
    let (person, stranger) = (Person::new().await, Person::new().await);
    let file = person.store("a", None, &fresh(5)).await.file;
    let theirs = stranger.api.create_folder("theirs", None).await.unwrap();
    stranger.store("a", Some(&theirs.id), &fresh(5)).await;
    let long = percent(&"ä".repeat(128));
    for (query, field) in [
        ("", "q"),
        ("q=", "q"),
        ("q=%20%E3%80%80", "q"),
        (&format!("q={long}"), "q"),
        ("q=a&limit=0", "limit"),
        ("q=a&limit=1001", "limit"),
        ("q=a&under=%2F", "under"),
        (&format!("q=a&under={}", file.id), "under"),
        ("q=a&cursor=a", "cursor"),
        ("q=a&cursor=%23", "cursor"),
        ("q=a&cursor=%23..", "cursor"),
        ("q=a&cursor=%2E%2E%23a", "cursor"),
        ("q=a&cursor=%23a%00", "cursor"),
        (&format!("q=a&cursor=%23{long}"), "cursor"),
    ] {
        let refused = ask(&person, query).await.problem(400, "invalid_request");
        assert_eq!(refused["field"], field, "{query}");
    }
    for id in ["nowhere", &theirs.id] {
        let query = format!("q=a&under={id}");
        ask(&person, &query).await.problem(404, "not_found");
    }
    // A place that is nobody's, and one in a folder of somebody else, are places in one's own entries.
    let places = [
        "%23".to_owned() + "0",
        "0%230".to_owned(),
        format!("{}%230", theirs.id),
    ];
    let mut seen = BTreeSet::new();
    for place in places {
        let page = ask(&person, &format!("q=a&cursor={place}")).await.expect(200);
        for item in page.json()["items"].as_array().unwrap() {
            seen.insert(item["node"]["id"].as_str().unwrap().to_owned());
        }
    }
    assert_eq!(seen, BTreeSet::from([file.id]));
}
