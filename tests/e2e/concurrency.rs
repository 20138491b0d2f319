//! Many at once: of one content, at the edge of a quota, for one name, with one key. Whichever wins, the numbers are exact.

mod proofs;
mod quota;

use crate::harness::audit;
use crate::harness::bytes::{fresh, unique};
use crate::harness::http::HttpResponse;
use crate::harness::person::{Person, content_id};
use bytes::Bytes;
use futures::future::{join, join_all};
use futures::{StreamExt, stream};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// How many requests are under way at once: each takes a function of its own, and they share two processors with an
/// emulator that takes one.
const AT_ONCE: usize = 32;

/// Asks for as long as the gateway or the store have too much to do, or others are at the very same thing.
async fn insist(mut ask: impl AsyncFnMut() -> HttpResponse) -> HttpResponse {
    for _ in 0..100 {
        let answer = ask().await;
        let meanwhile = answer.status == 409 && answer.json()["code"] == "changed_meanwhile";
        if ![202, 429, 503].contains(&answer.status) && !meanwhile {
            return answer;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    panic!("it does not come to an end")
}

async fn post(person: &Person, path: &str, body: &Value) -> HttpResponse {
    insist(async || person.call("POST", path, Some(body)).await).await
}

async fn complete(person: &Person, upload: &str) -> HttpResponse {
    insist(async || person.complete(upload).await).await
}

/// An upload with all its bytes at the store.
async fn ready(person: &Person, body: &Value, bytes: &[u8]) -> String {
    let upload = post(person, "/uploads", body).await.expect(201).json();
    let id = upload["id"].as_str().unwrap().to_owned();
    person.send_parts(&id, bytes, [1]).await;
    id
}

/// Everybody uploads the same bytes, under many names, and half of them say beforehand what they are. A thousand do in the simulation
/// (`crates/simulation/tests/one_content.rs`).
#[tokio::test]
async fn uploads_of_one_content() {
    let (accounts, each) = (10, 8);
    let people = join_all((0..accounts).map(|_| Person::not_signed_in())).await;
    let bytes = fresh(2000);
    let content_id = content_id(&bytes);
    let uploads = (0..each).flat_map(|name| people.iter().map(move |person| (person, name)));
    let store = async |(person, name): (&Person, u64)| {
        let mut body = json!({ "name": format!("{name}"), "size": bytes.len() });
        if name % 2 == 0 {
            body["content_id"] = json!(content_id);
        }
        let upload = post(person, "/uploads", &body).await.expect(201).json();
        let id = upload["id"].as_str().unwrap();
        if upload["state"] == "complete" {
            return true;
        }
        person.send_parts(id, &bytes, [1]).await;
        complete(person, id).await.expect(200);
        false
    };
    let at_once: Vec<bool> = stream::iter(uploads)
        .map(store)
        .buffer_unordered(AT_ONCE)
        .collect()
        .await;
    assert_eq!(at_once.len() as u64, accounts * each);
    let instant = at_once.iter().filter(|instant| **instant).count();
    println!("{instant} of {} were there at once", at_once.len());

    let blob = audit::blob_of(&content_id.to_string()).await.unwrap();
    assert_eq!(blob["references"], accounts * each, "{blob}");
    let everybody: Vec<&Person> = people.iter().collect();
    assert_eq!(
        audit::world(&everybody, "one content").await as u64,
        accounts * each
    );
    for person in &people {
        assert_eq!(person.used().await, each * bytes.len() as u64);
    }
}

/// Twenty uploads for one name, their bytes sent, completed at once. Returns the user, the contents, and the answers.
async fn for_one_name(on_conflict: &str) -> (Person, Vec<Bytes>, Vec<HttpResponse>) {
    let person = Person::not_signed_in().await;
    let contents: Vec<Bytes> = (0..20).map(|n| fresh(1000 + n)).collect();
    let begin = async |bytes: &Bytes| {
        let body = json!({ "name": "a.txt", "size": bytes.len(), "on_conflict": on_conflict });
        ready(&person, &body, bytes).await
    };
    let uploads = join_all(contents.iter().map(begin)).await;
    let answers = join_all(uploads.iter().map(|upload| complete(&person, upload))).await;
    (person, contents, answers)
}

#[tokio::test]
async fn one_name_for_twenty_of_which_one_may_have_it() {
    let (person, contents, answers) = for_one_name("fail").await;
    let winners: Vec<usize> = (0..20).filter(|n| answers[*n].status == 200).collect();
    assert_eq!(winners.len(), 1, "{winners:?}");
    for answer in answers.iter().filter(|answer| answer.status != 200) {
        answer.problem(409, "name_taken");
    }
    let files = person.api.all_files(None).await.unwrap();
    assert_eq!(files.len(), 1);
    assert_eq!(files[0].content_id, Some(content_id(&contents[winners[0]])));
    assert_eq!(
        person.api.all_uploads().await.unwrap().len(),
        19,
        "the others are open"
    );
    let all: usize = contents.iter().map(Bytes::len).sum();
    assert_eq!(person.used().await, all as u64);
    audit::world(&[&person], "one name, fail").await;
}

#[tokio::test]
async fn one_name_for_twenty_of_which_each_gets_another() {
    let (person, contents, answers) = for_one_name("rename").await;
    let mut names = BTreeSet::new();
    for (answer, bytes) in answers.into_iter().zip(&contents) {
        let file = answer.expect(200).json()["file"].clone();
        assert_eq!(
            file["content_id"],
            content_id(bytes).to_string(),
            "each has its bytes"
        );
        let name = file["name"].as_str().unwrap().to_owned();
        let number = name
            .strip_prefix("a (")
            .and_then(|rest| rest.strip_suffix(").txt"));
        assert!(
            name == "a.txt" || number.is_some_and(|number| number.parse::<u32>().is_ok()),
            "{name}"
        );
        names.insert(name);
    }
    assert_eq!(names.len(), 20, "{names:?}");
    assert!(names.contains("a.txt"));
    assert_eq!(audit::world(&[&person], "one name, rename").await, 20);
}

#[tokio::test]
async fn one_name_for_twenty_of_which_the_last_has_it() {
    let (person, contents, answers) = for_one_name("replace").await;
    let (mut nodes, mut overtaken) = (BTreeSet::new(), 0);
    for answer in answers {
        let done = answer.expect(200).json();
        assert_eq!(done["state"], "complete", "{done}");
        match done["file"]["id"].as_str() {
            Some(node) => {
                nodes.insert(node.to_owned());
            }
            // Asked again, when the file had another one's bytes already.
            None => overtaken += 1,
        }
    }
    println!("{overtaken} of 20 heard of a file that was replaced already");
    assert_eq!(nodes.len(), 1, "{nodes:?}");
    let files = person.api.all_files(None).await.unwrap();
    assert_eq!((files.len(), files[0].name.as_str()), (1, "a.txt"));
    let last = contents
        .iter()
        .find(|bytes| Some(content_id(bytes)) == files[0].content_id);
    let last = last.expect("one of the contents");
    assert_eq!(person.fetch(&files[0]).await, *last);
    // Every other content is a version.
    let all: usize = contents.iter().map(Bytes::len).sum();
    assert_eq!(person.used().await, all as u64);
    assert_eq!(audit::world(&[&person], "one name, replace").await, 1);
}

/// The content that is replaced is the one that replaces it, again and again.
#[tokio::test]
async fn a_file_replaced_by_itself_many_times() {
    let (person, bytes) = (Person::not_signed_in().await, fresh(500));
    let body = json!({ "name": "a", "size": bytes.len(), "on_conflict": "replace" });
    let uploads = join_all((0..12).map(|_| ready(&person, &body, &bytes))).await;
    let announced = json!({
        "name": "a", "size": bytes.len(), "on_conflict": "replace", "content_id": content_id(&bytes),
    });
    let first = complete(&person, &uploads[0]).await.expect(200).json();
    let others = join_all(uploads[1..].iter().map(|upload| complete(&person, upload)));
    let instant = join_all((0..8).map(|_| post(&person, "/uploads", &announced)));
    let (others, instant) = join(others, instant).await;
    for answer in others {
        assert_eq!(answer.expect(200).json()["file"]["id"], first["file"]["id"]);
    }
    for answer in instant {
        assert_eq!(answer.expect(201).json()["file"]["id"], first["file"]["id"]);
    }
    let blob = audit::blob_of(&content_id(&bytes).to_string()).await.unwrap();
    assert_eq!(blob["references"], 1, "{blob}");
    assert_eq!(person.used().await, 500);
    assert_eq!(audit::world(&[&person], "replaced by itself").await, 1);
}

/// The same request twenty times at once, with one key: one thing is made, and all get the same answer.
async fn with_one_key(person: &Person, path: &str, body: &Value) -> Value {
    let key = format!("{:x}", unique());
    let headers = [("content-type", "application/json"), ("idempotency-key", &key)];
    let ask = async || insist(async || person.raw("POST", path, &headers, body.to_string()).await).await;
    let answers = join_all((0..20).map(|_| ask())).await;
    let made: Vec<&HttpResponse> = answers.iter().filter(|answer| answer.status == 201).collect();
    assert!(!made.is_empty());
    for answer in &answers {
        // A request during the first one may be told so, and then asks again.
        assert!([201, 409].contains(&answer.status), "{}", answer.text());
    }
    for answer in &made {
        assert_eq!(answer.text(), made[0].text());
    }
    let replayed = made
        .iter()
        .filter(|answer| answer.header("idempotency-replayed") == "true");
    assert_eq!(replayed.count(), made.len() - 1, "one of them made it");
    for _ in 0..2 {
        let again = ask().await.expect(201);
        assert_eq!(
            (again.text(), again.header("idempotency-replayed")),
            (made[0].text(), "true")
        );
    }
    let mut other = body.clone();
    other["name"] = json!("another");
    person
        .raw("POST", path, &headers, other.to_string())
        .await
        .problem(422, "idempotency_key_reused");
    made[0].json()
}

#[tokio::test]
async fn twenty_uploads_with_one_key_are_one() {
    let body = json!({ "name": "a", "size": 1000 });
    let person = Person::not_signed_in().await;
    let made = with_one_key(&person, "/uploads", &body).await;
    let uploads = person.api.all_uploads().await.unwrap();
    assert_eq!(
        (uploads.len(), uploads[0].id.as_str()),
        (1, made["id"].as_str().unwrap())
    );
    assert_eq!(person.used().await, 1000);
    audit::world(&[&person], "one key").await;
}

/// The same when there is nothing to send: the first is complete at once, and a second one would be, too, under the next name.
#[tokio::test]
async fn twenty_uploads_of_own_content_with_one_key_are_one() {
    let (person, bytes) = (Person::not_signed_in().await, fresh(1000));
    let first = person.sent("a", &bytes).await;
    complete(&person, &first.id).await.expect(200);
    let body = json!({
        "name": "a", "size": bytes.len(), "on_conflict": "rename", "content_id": content_id(&bytes),
    });
    let made = with_one_key(&person, "/uploads", &body).await;
    assert_eq!(
        (&made["state"], &made["file"]["name"]),
        (&json!("complete"), &json!("a (1)")),
        "{made}"
    );
    let files = person.api.all_files(None).await.unwrap();
    let others: Vec<&str> = files
        .iter()
        .filter(|file| file.name != "a")
        .map(|file| file.id.as_str())
        .collect();
    assert_eq!(
        (files.len(), others),
        (2, vec![made["file"]["id"].as_str().unwrap()])
    );
    assert_eq!(person.used().await, 2000);
    assert_eq!(audit::world(&[&person], "one key, own content").await, 2);
}

#[tokio::test]
async fn twenty_folders_with_one_key_are_one() {
    let body = json!({ "name": "a", "on_conflict": "rename" });
    let person = Person::not_signed_in().await;
    let made = with_one_key(&person, "/folders", &body).await;
    let folders = person.api.all_files(None).await.unwrap();
    assert_eq!(
        (folders.len(), folders[0].id.as_str()),
        (1, made["id"].as_str().unwrap())
    );
    audit::world(&[&person], "one key").await;
}
