//! Replicas: each row is of one piece, and what is counted about a target is true.

use crate::harness::aws::{counters_in, scan};
use crate::harness::stack::stack;
use jiff::Timestamp;
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};
use tokio::time::sleep;

/// For how long a target may be so busy that nobody can tell.
const BUSY: Duration = Duration::from_mins(1);

/// A replica's row is consistent, whenever it is read.
pub(super) fn check(replica: &Value, what: &str) {
    let has = |name: &str| replica.get(name).is_some();
    let list = match replica["state"].as_str().unwrap() {
        "pending" | "copying" => Some("bytes"),
        "failed" => Some("somebody"),
        _ => None,
    };
    let shard = list.map(|list| {
        let letters = replica["blob"].as_str().unwrap().bytes().map(u32::from);
        format!(
            "{}#{list}#{}",
            replica["target"].as_str().unwrap(),
            letters.sum::<u32>() % 4
        )
    });
    assert_eq!(
        replica["waiting_shard"].as_str(),
        shard.as_deref(),
        "{what}: {replica}"
    );
    let since = list.map(|_| replica["since"].as_str().unwrap().parse::<Timestamp>().unwrap());
    assert_eq!(
        replica["waiting_since"].as_i64(),
        since.map(Timestamp::as_millisecond),
        "{what}: {replica}"
    );
    // The sweep looks at those that go on. A worker that was late may have made a failed one due.
    let due = match list {
        // Except those that have no message while their target's circuit is open.
        Some("bytes") => has("due_at") == has("due_shard"),
        Some(_) => true,
        None => !has("due_at"),
    };
    assert!(due, "{what}: {replica}");
    if list.is_none() {
        assert_eq!(replica["bytes_done"], replica["size"], "{what}: {replica}");
        assert!(
            has("key") && has("checksum") && has("available_at"),
            "{what}: {replica}"
        );
        assert!(!has("multipart_id") && !has("last_error"), "{what}: {replica}");
    }
}

/// The numbers that are counted about a target's replicas.
type Numbers = BTreeMap<&'static str, i64>;

/// What is counted about a target, but for the bytes that were ever copied there: that is history. One part of it says
/// nothing: what arrives together is counted in the part of one of them.
async fn counted(target: &str) -> Numbers {
    const NUMBERS: [&str; 6] = [
        "pending",
        "pending_bytes",
        "failed",
        "failed_bytes",
        "available",
        "available_bytes",
    ];
    let parts = counters_in(&stack().table, target).await;
    let sum = |name: &str| parts.iter().filter_map(|part| part[name].as_i64()).sum();
    let numbers = NUMBERS.iter().map(|name| (*name, sum(name)));
    numbers.filter(|(_, number)| *number != 0).collect()
}

/// The same by looking at each replica.
async fn there_are(target: &str) -> Numbers {
    let mut numbers = Numbers::new();
    for replica in scan(&format!("REPLICA#{target}")).await {
        check(&replica, target);
        let (number, bytes) = match replica["state"].as_str().unwrap() {
            "pending" | "copying" => ("pending", "pending_bytes"),
            "failed" => ("failed", "failed_bytes"),
            _ => ("available", "available_bytes"),
        };
        *numbers.entry(number).or_default() += 1;
        *numbers.entry(bytes).or_default() += replica["size"].as_i64().unwrap();
    }
    numbers.retain(|_, number| *number != 0);
    numbers
}

/// Checks that a target's numbers are those of its replicas. Others may be at work there: the numbers have to be right at a
/// moment when they do not change. What was counted wrong once stays wrong, so where there is no such moment for long, the
/// next check of an idle target finds it.
pub(crate) async fn target(name: &str) {
    let began = Instant::now();
    let mut idle = 0;
    loop {
        let (before, there, after) = (counted(name).await, there_are(name).await, counted(name).await);
        if before == there && there == after {
            return;
        }
        if before == after {
            idle += 1;
            println!("{name}: {there:?} are there, {before:?} are counted");
        }
        if began.elapsed() > BUSY {
            assert_eq!(idle, 0, "the numbers of {name} are not those of its replicas");
            println!("{name} is never idle");
            return;
        }
        sleep(Duration::from_millis(300)).await;
    }
}
