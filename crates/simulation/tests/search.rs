//! Searches of accounts with more files than one request reads.

#![allow(clippy::expect_used, reason = "a test may fail")]

use serde_json::{Value, json};
use simulation::cloud::{Assumptions, Latency};
use simulation::gateway::send;
use simulation::person::Person;
use simulation::world::{TABLE, World, run_with};
use std::collections::BTreeSet;
use std::time::Duration;

/// How many names an account has here; one in each thousand is a needle.
const NAMES: usize = 50_000;

/// Writes so many entries into a folder, and the nodes of the needles: nothing else reads the other ones.
fn fill(world: &World, account: &str, folder: &str, names: usize) {
    let text = |text: &str| json!({ "S": text });
    let number = |number: &str| json!({ "N": number });
    let pk = format!("ACCOUNT#{account}");
    let (mut rows, then) = (Vec::new(), "2026-01-02T03:04:05Z");
    for index in 0..names {
        let is_needle = index % 1000 == 999;
        let what = if is_needle { "needle" } else { "straw" };
        let (name, node) = (format!("{index:06} {what}"), format!("n{index}"));
        rows.push(json!({
            "pk": text(&pk), "sk": text(&format!("ENTRY#{folder}#{name}")), "account": text(account),
            "parent": text(folder), "name": text(&name), "node": text(&node), "version": number("1"),
            "created_at": text(then), "updated_at": text(then),
        }));
        if is_needle {
            rows.push(json!({
                "pk": text(&pk), "sk": text(&format!("NODE#{node}")), "account": text(account), "id": text(&node),
                "parent": text(folder), "name": text(&name), "entries": number("0"), "version": number("1"),
                "created_at": text(then), "updated_at": text(then),
            }));
        }
    }
    for some in rows.chunks(25) {
        let puts: Vec<Value> = some
            .iter()
            .map(|row| json!({ "PutRequest": { "Item": row } }))
            .collect();
        world.dynamodb("BatchWriteItem", &json!({ "RequestItems": { TABLE: puts } }));
    }
}

/// Somebody with so many names in a folder, whose id is returned.
async fn somebody(world: &World, names: usize) -> (Person<'_>, String) {
    // It says in which format the table is.
    let _ = world.invoke("sweep", json!({})).await;
    let person = Person::sign_up(world, "ada").await.expect("an account").patient();
    let folder = person
        .call("POST", "/v1/folders", Some(json!({ "name": "haystack" })))
        .await;
    let folder = folder.body["id"].as_str().expect("a folder").to_owned();
    fill(world, &person.id, &folder, names);
    (person, folder)
}

/// What was spent of the allowance.
fn spent(world: &World) -> u64 {
    let rows = world.rows();
    let rows = rows.iter().filter(|row| {
        let sk = row["sk"].as_str().unwrap_or_default();
        sk.starts_with("ALLOWANCE#SEARCHES#")
    });
    rows.map(|row| row["spent"].as_u64().expect("a number")).sum()
}

/// All pages: how many there are, and the names.
async fn all_pages(person: &Person<'_>, query: &str) -> (usize, Vec<String>) {
    let (mut pages, mut names, mut cursor) = (0, Vec::new(), String::new());
    loop {
        let path = format!("/v1/search?{query}&cursor={cursor}");
        let page = person.call("GET", &path, None).await;
        assert_eq!(page.status, 200, "{page:?}");
        let items = page.body["items"].as_array().expect("items").iter();
        names.extend(items.map(|item| item["node"]["name"].as_str().expect("a name").to_owned()));
        pages += 1;
        let Some(next) = page.body["next_cursor"].as_str() else {
            return (pages, names);
        };
        cursor = next.replace('#', "%23").replace(' ', "%20");
    }
}

#[test]
fn everything_is_found_once_however_many_pages_that_takes() {
    run_with(1, &[], async |world| {
        let (person, folder) = somebody(world, NAMES).await;
        let needles = NAMES / 1000;
        // Twenty pages of 2,000 entries, and then the rest.
        let (pages, names) = all_pages(&person, "q=NEEDLE").await;
        let different: BTreeSet<_> = names.iter().collect();
        assert_eq!((pages, names.len(), different.len()), (2, needles, needles));
        assert!(names.is_sorted(), "{names:?}");
        // Each page, for each that has needles its nodes, and the folder once for each request.
        let read = 2 * 26 + 2;
        assert_eq!(spent(world), read);
        let (pages, names) = all_pages(&person, "q=nothing").await;
        assert_eq!((pages, names.len(), spent(world)), (2, 0, read + 26));
        // As many as are wanted, and no page more.
        let (pages, names) = all_pages(&person, &format!("q=needle&limit=7&under={folder}")).await;
        let different: BTreeSet<_> = names.iter().collect();
        assert_eq!((pages, names.len(), different.len()), (8, needles, needles));
    });
}

#[test]
fn what_cannot_be_read_is_counted_and_the_rest_is_found() {
    run_with(4, &[], async |world| {
        let (person, folder) = somebody(world, 3000).await;
        let pk = format!("ACCOUNT#{}", person.id);
        for (sk, attribute) in [
            ("NODE#n999".to_owned(), "created_at"),
            (format!("ENTRY#{folder}#001999 needle"), "node"),
        ] {
            let key = json!({ "pk": { "S": pk }, "sk": { "S": sk } });
            let change = json!({
                "TableName": TABLE, "Key": key, "UpdateExpression": "REMOVE #it",
                "ExpressionAttributeNames": { "#it": attribute },
            });
            world.dynamodb("UpdateItem", &change);
        }
        let page = person.call("GET", "/v1/search?q=needle", None).await;
        assert_eq!(page.body["items"].as_array().map(Vec::len), Some(1), "{page:?}");
        assert_eq!(page.body["items"][0]["path"], "/haystack/002999 needle");
        assert_eq!(page.body["skipped"], 2);
    });
}

#[test]
fn a_slow_table_shortens_pages() {
    run_with(2, &[], async |world| {
        let (person, _) = somebody(world, 20_000).await;
        let slow = Assumptions {
            dynamodb: Duration::from_millis(700),
            ..Assumptions::DOCUMENTED
        };
        world.cloud.set_latency(Latency::Assumed(slow));
        // Three calls are two seconds: a page of entries, the nodes, their folder. The eleventh page has one entry.
        let (pages, names) = all_pages(&person, "q=needle").await;
        assert_eq!((pages, names.len()), (11, 20));
    });
}

#[test]
fn who_searches_too_much_has_to_wait() {
    run_with(3, &[("SearchReadsPerHour", "40")], async |world| {
        let (person, _) = somebody(world, 40_000).await;
        let request = person.request("GET", "/v1/search?q=nothing", None);
        let search = async || send(&world.lambda, &request).await.status;
        // Twenty reads each.
        assert_eq!([search().await, search().await, search().await], [200, 200, 429]);
        let other = Person::sign_up(world, "bob").await.expect("an account");
        assert_eq!(other.call("GET", "/v1/search?q=straw", None).await.status, 200);
    });
}
