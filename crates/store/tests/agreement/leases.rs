//! A lease is one holder's until it runs out.

use crate::stack::{new_id, table};
use jiff::{SignedDuration, Timestamp};
use store::table::Key;

#[tokio::test]
async fn a_lease_is_one_holders_until_it_runs_out() {
    let table = &table().await;
    let name: String = new_id();
    let at = |second| Timestamp::UNIX_EPOCH + SignedDuration::from_secs(second);
    let take = async |holder: &str, now, until| {
        let taken = table.leases().take(&name, holder, at(now), at(until)).await;
        taken.unwrap()
    };
    let keep = async |holder: &str, until| table.leases().keep(&name, holder, at(until)).await.unwrap();
    assert!(!keep("one", 10).await, "nobody has it");
    assert!(take("one", 0, 10).await);
    assert!(!take("other", 10, 20).await, "it has not run out");
    assert!(take("one", 0, 11).await, "the same once more");
    assert!(keep("one", 20).await);
    assert!(!take("other", 20, 30).await);
    assert!(!keep("other", 90).await);
    table.leases().free(&name, "other").await.unwrap();
    assert!(!take("other", 20, 30).await, "only its holder gives it back");
    // It runs out, and the one that had it does not know.
    assert!(take("other", 21, 30).await);
    assert!(!keep("one", 40).await);
    table.leases().free(&name, "one").await.unwrap();
    assert!(!take("one", 30, 40).await);
    table.leases().free(&name, "other").await.unwrap();
    assert!(take("one", 1, 40).await, "it was given back");
    let key = Key {
        pk: format!("LEASE#{name}"),
        sk: "LEASE".to_owned(),
    };
    table.delete_all(&[key]).await.unwrap();
}
