//! What functions write into their logs for `CloudWatch`, in its embedded metric format.

use crate::harness::bytes::fresh;
use crate::harness::proxy::Act;
use crate::harness::sandbox::Sandbox;
use crate::harness::world::{World, schedule};
use jiff::Timestamp;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The metrics in a log, by target and name, as `CloudWatch` would find them.
fn metrics(log: &str) -> BTreeMap<(String, String), Vec<f64>> {
    let mut found: BTreeMap<_, Vec<f64>> = BTreeMap::new();
    for line in log.lines().filter(|line| line.contains("_aws")) {
        let line: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        let at = line["_aws"]["Timestamp"].as_i64().unwrap();
        let age = Timestamp::now().as_millisecond() - at;
        assert!((0..600_000).contains(&age), "{line}");
        let directives = line["_aws"]["CloudWatchMetrics"].as_array().unwrap();
        assert_eq!(directives.len(), 1, "{line}");
        let namespace = directives[0]["Namespace"].as_str().unwrap();
        assert!(namespace.starts_with("Longshore/"), "{line}");
        // Of each target, and of all: alarms know no names.
        assert_eq!(directives[0]["Dimensions"], json!([["Target"], []]), "{line}");
        let target = line["Target"].as_str().unwrap();
        for metric in directives[0]["Metrics"].as_array().unwrap() {
            let name = metric["Name"].as_str().unwrap();
            assert!(
                ["Count", "Bytes", "Seconds"].contains(&metric["Unit"].as_str().unwrap()),
                "{line}"
            );
            let values = match &line[name] {
                Value::Array(values) => values.clone(),
                value => vec![value.clone()],
            };
            assert!((1..=100).contains(&values.len()), "{line}");
            let values = values.iter().map(|value| value.as_f64().unwrap());
            found
                .entry((target.to_owned(), name.to_owned()))
                .or_default()
                .extend(values);
        }
    }
    found
}

fn of(metrics: &BTreeMap<(String, String), Vec<f64>>, target: &str, name: &str) -> Vec<f64> {
    metrics
        .get(&(target.to_owned(), name.to_owned()))
        .cloned()
        .unwrap_or_default()
}

fn sum(values: &[f64]) -> f64 {
    values.iter().sum()
}

async fn swept(world: &World) -> BTreeMap<(String, String), Vec<f64>> {
    let mut sweep: Sandbox = world.function("sweep", |_| Act::Pass).await;
    let report = sweep.invoke(&schedule()).await.unwrap();
    assert_eq!(report["failed"], 0, "{report}");
    metrics(&sweep.log())
}

#[tokio::test]
async fn workers_and_sweeps_tell_how_replication_goes() {
    let mut world = World::new().await;
    let good = world.new_target("good").await;
    let mut bad = world.new_target("bad").await;
    bad["bucket"] = json!("there-is-no-such-bucket");
    world.set_targets(&[&good, &bad]).await;
    for (name, size) in [("a", 1000), ("b", 10)] {
        world.store(name, &fresh(size)).await;
    }
    let before = swept(&world).await;
    for target in ["good", "bad"] {
        assert_eq!(of(&before, target, "PendingReplicas"), [2.0]);
        assert_eq!(of(&before, target, "FailedReplicas"), [0.0]);
        let oldest = of(&before, target, "OldestPending");
        assert!(
            (0.0..600.0).contains(&oldest[0]) && oldest.len() == 1,
            "{oldest:?}"
        );
    }
    let mut worker = world.function("replicate", |_| Act::Pass).await;
    while world.queues.hand_over(&mut worker).await > 0 {}
    let done = metrics(&worker.log());
    assert_eq!(of(&done, "good", "BytesCopied"), [1010.0]);
    assert_eq!(
        (
            sum(&of(&done, "good", "Attempts")),
            sum(&of(&done, "good", "Failures"))
        ),
        (2.0, 0.0)
    );
    let lags = of(&done, "good", "ReplicationLag");
    assert!(
        lags.len() == 2 && lags.iter().all(|lag| (0.0..600.0).contains(lag)),
        "{lags:?}"
    );
    assert!(sum(&of(&done, "bad", "BytesCopied")) < 1.0);
    assert_eq!(
        (
            sum(&of(&done, "bad", "Attempts")),
            sum(&of(&done, "bad", "Failures"))
        ),
        (2.0, 2.0)
    );
    assert_eq!(of(&done, "bad", "ReplicationLag"), [0.0; 0]);
    let after = swept(&world).await;
    assert_eq!(
        (
            of(&after, "good", "PendingReplicas"),
            of(&after, "good", "OldestPending")
        ),
        (vec![0.0], vec![0.0])
    );
    assert_eq!(
        (
            of(&after, "bad", "PendingReplicas"),
            of(&after, "bad", "FailedReplicas")
        ),
        (vec![0.0], vec![2.0])
    );
    world.remove().await;
}
