//! Everybody uploads the same bytes at once.

#![allow(clippy::unwrap_used, reason = "a test stops where it fails, and says so")]

use bytes::Bytes;
use futures::future::join_all;
use serde_json::json;
use simulation::audit::Audit;
use simulation::person::Person;
use simulation::world::run;

const ACCOUNTS: usize = 50;
/// How many uploads each of them has.
const EACH: usize = 20;

/// Under many names, and half of them say beforehand what they are.
#[test]
fn a_thousand_uploads_of_one_content() {
    let bytes = Bytes::from(vec![1; 2000]);
    let content = json!(simulation::person::content_id(&bytes));
    run(1, async |world| {
        let _ = world.invoke("sweep", json!({})).await;
        let accounts = (0..ACCOUNTS).map(async |number| {
            let person = Person::sign_up(world, &format!("user-{number}")).await;
            person.unwrap().patient()
        });
        let people = join_all(accounts).await;
        let uploads = people
            .iter()
            .flat_map(|person| (0..EACH).map(move |name| (person, name)));
        let stored = uploads.map(async |(person, name)| {
            let (name, announced) = (name.to_string(), name % 2 == 0);
            let stored = person.store(&name, None, &bytes, announced, "fail").await;
            stored.unwrap()
        });
        join_all(stored).await;

        while world.work_on_messages().await {}
        let rows = world.rows();
        let blobs = rows
            .iter()
            .filter(|row| row["sk"] == "BLOB" && row["content_id"] == content);
        let references: Vec<_> = blobs.map(|blob| blob["references"].as_u64()).collect();
        assert_eq!(references, [Some((ACCOUNTS * EACH) as u64)]);
        assert_eq!(Audit::of(world).check(), [""; 0]);
    });
}
