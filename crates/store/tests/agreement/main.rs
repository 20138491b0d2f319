//! The writes that decide by their conditions, without reading first, do exactly what the rules say
//! (`domain::blob::step`, `domain::account::Quota::step`, `domain::replica::step`, `domain::circuit::Circuit`): every
//! small state with every event, on rows in the real table of the stack that `LONGSHORE_STACK` names.
//!
//! Each case has rows of its own, under keys that are new every time, and removes them.

#![allow(clippy::disallowed_methods, reason = "tests run in real time")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test stops where it fails, and says so"
)]

mod blobs;
mod invitations;
mod leases;
mod quotas;
mod replicas;
mod sessions;
mod stack;
mod targets;
mod trash;
mod tree;
mod unreadable;

use futures::{StreamExt, stream};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use store::table::{Key, Row, Write};
use store::{Conflict, StoreError, Table};

/// How many cases are under way at a time.
const AT_ONCE: usize = 8;
/// How many disagreements are shown.
const SHOWN: usize = 20;

/// An item with all that is in it, whatever the store makes of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
struct Item(Map<String, Value>);

impl Item {
    fn new(key: &Key, attributes: Value) -> Self {
        let Value::Object(mut map) = attributes else {
            panic!("attributes are an object: {attributes}");
        };
        map.insert("pk".to_owned(), key.pk.as_str().into());
        map.insert("sk".to_owned(), key.sk.as_str().into());
        Self(map)
    }

    /// The item as the store reads it.
    fn row<R: Row>(&self) -> R {
        serde_json::from_value(Value::Object(self.0.clone())).unwrap()
    }
}

impl Row for Item {
    fn key(&self) -> Key {
        let text = |name: &str| self.0[name].as_str().unwrap().to_owned();
        Key {
            pk: text("pk"),
            sk: text("sk"),
        }
    }
}

/// The part of the index of what is due that an item is in, as the store chooses it.
fn due_shard(key: &Key) -> String {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let mut hasher = DefaultHasher::new();
    key.hash(&mut hasher);
    match key.sk.as_str() {
        "BLOB" => format!("b{}", hasher.finish() % 4),
        _ => (hasher.finish() % 16).to_string(),
    }
}

/// Puts items as they are.
async fn put(table: &Table, items: &[&Item]) -> Result<(), StoreError> {
    let writes = items
        .iter()
        .map(|item| Write::put_unconditional(*item, Conflict::NodeChanged));
    table.transact(writes.collect::<Result<_, _>>()?).await
}

/// What a write did to an item, compared with what it should have done.
async fn compare(table: &Table, key: &Key, expected: Option<&Item>) -> Result<(), String> {
    let actual: Option<Item> = table.get(key).await.map_err(|error| error.to_string())?;
    if actual.as_ref() == expected {
        return Ok(());
    }
    let text = |item: Option<&Item>| serde_json::to_string(&item).unwrap();
    Err(format!(
        "there is {}, expected was {}",
        text(actual.as_ref()),
        text(expected)
    ))
}

/// Runs all cases, and says which of them did something else than the rule. A case is named by what it
/// returns.
async fn all(cases: Vec<impl Future<Output = Result<(), String>>>, at_least: usize) {
    let count = cases.len();
    assert!(count >= at_least, "only {count} cases");
    let outcomes: Vec<_> = stream::iter(cases).buffer_unordered(AT_ONCE).collect().await;
    let wrong: Vec<_> = outcomes.into_iter().filter_map(Result::err).collect();
    assert!(
        wrong.is_empty(),
        "{} of {count} cases disagree:\n{}",
        wrong.len(),
        wrong[..wrong.len().min(SHOWN)].join("\n")
    );
}
