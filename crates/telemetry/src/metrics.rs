//! Metrics as `CloudWatch` finds them in the log: the embedded metric format, one line of JSON for each emission
//! (<https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>).

use serde_json::{Map, Value, json};
use std::io::Write;

/// Values of one metric.
pub struct Metric {
    /// Its name.
    pub name: &'static str,
    /// Its unit, as `CloudWatch` calls it.
    pub unit: &'static str,
    /// What was measured.
    pub values: Vec<f64>,
}

/// The most values that `CloudWatch` takes of a metric in one line.
const MOST: usize = 100;

/// Writes metrics of one target, and of all together, into the log. `namespace` none: nobody collects them.
pub fn emit(namespace: Option<&str>, target: Option<&str>, metrics: &[Metric], now: jiff::Timestamp) {
    let Some(namespace) = namespace else { return };
    for line in lines(namespace, target, metrics, now) {
        // Nothing can be done if standard output is closed.
        let _ = writeln!(std::io::stdout().lock(), "{line}");
    }
}

/// As many lines as it takes.
fn lines(namespace: &str, target: Option<&str>, metrics: &[Metric], now: jiff::Timestamp) -> Vec<Value> {
    let longest = metrics.iter().map(|metric| metric.values.len()).max();
    (0..longest.unwrap_or_default().div_ceil(MOST))
        .map(|line| {
            let part = |metric: &Metric| {
                let values = metric.values.chunks(MOST).nth(line)?.to_vec();
                Some(Metric { values, ..*metric })
            };
            let parts: Vec<Metric> = metrics.iter().filter_map(part).collect();
            document(namespace, target, &parts, now)
        })
        .collect()
}

fn document(namespace: &str, target: Option<&str>, metrics: &[Metric], now: jiff::Timestamp) -> Value {
    let definitions: Vec<Value> = metrics
        .iter()
        .map(|metric| json!({ "Name": metric.name, "Unit": metric.unit }))
        .collect();
    // With the target as a dimension, and without any: alarms know no names of targets.
    let dimensions = match target {
        Some(_) => json!([["Target"], []]),
        None => json!([[]]),
    };
    let mut document = Map::new();
    document.insert(
        "_aws".to_owned(),
        json!({
            "Timestamp": now.as_millisecond(),
            "CloudWatchMetrics": [{ "Namespace": namespace, "Dimensions": dimensions, "Metrics": definitions }],
        }),
    );
    if let Some(target) = target {
        document.insert("Target".to_owned(), json!(target));
    }
    for metric in metrics {
        let value = match metric.values.as_slice() {
            [one] => json!(one),
            many => json!(many),
        };
        document.insert(metric.name.to_owned(), value);
    }
    Value::Object(document)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_as_cloudwatch_wants_it() {
        let lag = Metric {
            name: "ReplicationLag",
            unit: "Seconds",
            values: vec![1.5, 2.0],
        };
        let failures = Metric {
            name: "Failures",
            unit: "Count",
            values: vec![0.0],
        };
        let at = jiff::Timestamp::from_second(1_700_000_000).unwrap();
        let written = lines("Longshore/x", Some("ceph"), &[lag, failures], at);
        let expected = json!({
            "_aws": {
                "Timestamp": 1_700_000_000_000_i64,
                "CloudWatchMetrics": [{
                    "Namespace": "Longshore/x",
                    "Dimensions": [["Target"], []],
                    "Metrics": [
                        { "Name": "ReplicationLag", "Unit": "Seconds" },
                        { "Name": "Failures", "Unit": "Count" },
                    ],
                }],
            },
            "Target": "ceph",
            "ReplicationLag": [1.5, 2.0],
            "Failures": 0.0,
        });
        assert_eq!(written, [expected]);
    }

    #[test]
    fn many_values_take_several_lines() {
        let metric = |name, count: u8| Metric {
            name,
            unit: "Seconds",
            values: (0..count).map(f64::from).collect(),
        };
        let metrics = [metric("Many", 201), metric("One", 1), metric("None", 0)];
        let written = lines("Longshore/x", None, &metrics, jiff::Timestamp::UNIX_EPOCH);
        let many: Vec<f64> = written
            .iter()
            .flat_map(|line| {
                line["Many"]
                    .as_array()
                    .cloned()
                    .unwrap_or_else(|| vec![line["Many"].clone()])
            })
            .map(|value| value.as_f64().unwrap())
            .collect();
        assert_eq!(many, metrics[0].values);
        assert_eq!(written.len(), 3);
        assert_eq!((&written[0]["One"], written[1].get("One")), (&json!(0.0), None));
        assert!(written.iter().all(|line| line.get("None").is_none()));
    }
}
