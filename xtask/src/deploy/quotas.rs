//! Whether the account may have what the stack is set to. Only a warning: a stack that is used little needs little.

use crate::targets::StackRef;
use crate::{process, ui};
use anyhow::{Context, Result};
use serde_json::Value;

/// How many functions may answer requests beside the workers, so that neither keeps the other waiting.
const FOR_REQUESTS: u64 = 100;
/// The sweep and the reconciler.
const BY_SCHEDULE: u64 = 2;

/// Says what is too little, and how to get more. What cannot be asked, as on some emulators, is said in one line.
pub(super) fn check(place: &StackRef) {
    match ask(place) {
        Ok(said) => {
            for warning in warnings(&said) {
                ui::line(&format!("!!! {warning}"));
            }
        }
        Err(error) => ui::line(&format!("The account's quotas were not checked: {error:#}")),
    }
}

fn ask(place: &StackRef) -> Result<Value> {
    ui::step("Checking the account's quotas", || {
        let said = process::output(&mut place.command("quotas.py")?)?;
        serde_json::from_str(&said).context("infra/quotas.py said something else")
    })
}

/// What is missing, each with the next step.
fn warnings(said: &Value) -> Vec<String> {
    let parameter = |name: &str| -> u64 {
        let value = said["parameters"][name].as_str().unwrap_or_default();
        value.parse().unwrap_or_default()
    };
    let mut warnings: Vec<String> = Vec::new();
    let mut compare = |quota: &str, wanted: u64, what: &str, next: &str| {
        // Some are fractions.
        if let Some(has) = said["quotas"][quota].as_f64().filter(|has| *has < as_f64(wanted)) {
            warnings.push(format!(
                "AWS gives this account {has} {what}, and the stack is set to {wanted}. {next}"
            ));
        }
    };
    let workers = parameter("ReplicateConcurrency") + parameter("CopyConcurrency");
    let wanted = workers + BY_SCHEDULE + FOR_REQUESTS;
    compare(
        "concurrent_executions",
        wanted,
        "concurrent executions of functions",
        &format!(
            "That is {workers} workers, {BY_SCHEDULE} by schedule and {FOR_REQUESTS} that answer requests; what is beyond it \
             is refused. Ask for more: aws service-quotas request-service-quota-increase --service-code lambda \
             --quota-code L-B99A9384 --desired-value {}; or set ReplicateConcurrency and CopyConcurrency lower",
            wanted.max(1000)
        ),
    );
    let gateway = "Ask for more (Service Quotas, API Gateway), or set it lower";
    compare(
        "gateway_rate",
        parameter("ThrottleRate"),
        "requests a second at its gateways (ThrottleRate)",
        gateway,
    );
    compare(
        "gateway_burst",
        parameter("ThrottleBurst"),
        "requests at once at its gateways (ThrottleBurst)",
        gateway,
    );
    let table = "Ask for more (Service Quotas, DynamoDB), or set it lower";
    let warm = parameter("WarmWriteUnits");
    compare(
        "table_writes",
        warm,
        "write units a second of a table (WarmWriteUnits)",
        table,
    );
    if warm > 0 {
        let reads = parameter("WarmReadUnits");
        compare(
            "table_reads",
            reads,
            "read units a second of a table (WarmReadUnits)",
            table,
        );
    }
    for unknown in said["unknown"].as_array().into_iter().flatten() {
        let unknown = unknown.as_str().unwrap_or_default();
        warnings.push(format!("A quota was not checked: {unknown}"));
    }
    warnings
}

#[expect(
    clippy::cast_precision_loss,
    reason = "quotas are far below what loses precision"
)]
fn as_f64(number: u64) -> f64 {
    number as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn found(quotas: &Value, parameters: &Value) -> Vec<String> {
        warnings(&json!({ "parameters": parameters, "quotas": quotas, "unknown": [] }))
    }

    #[test]
    fn what_is_enough_is_not_mentioned() {
        let quotas = json!({
            "concurrent_executions": 1000, "gateway_rate": 10000.0, "gateway_burst": 5000, "table_writes": 40000,
            "table_reads": 40000,
        });
        let parameters = json!({
            "ReplicateConcurrency": "20", "CopyConcurrency": "20", "ThrottleRate": "200", "ThrottleBurst": "400",
            "WarmWriteUnits": "0", "WarmReadUnits": "12000",
        });
        assert_eq!(found(&quotas, &parameters), [""; 0]);
        // Nor what was not said, and what belongs to an older release that lacks it.
        assert_eq!(found(&json!({}), &parameters), [""; 0]);
        assert_eq!(found(&json!({ "table_writes": 1 }), &json!({})), [""; 0]);
    }

    #[test]
    fn what_is_too_little_is_said_with_the_next_step() {
        let parameters = json!({
            "ReplicateConcurrency": "20", "CopyConcurrency": "30", "ThrottleRate": "20000", "ThrottleBurst": "20000",
            "WarmWriteUnits": "50000", "WarmReadUnits": "12000",
        });
        let quotas = json!({
            "concurrent_executions": 151, "gateway_rate": 10000.5, "gateway_burst": 5000, "table_writes": 40000,
            "table_reads": 10000,
        });
        let warnings = found(&quotas, &parameters);
        for (warning, words) in warnings.iter().zip([
            ["151 concurrent", "set to 152", "L-B99A9384"],
            ["10000.5 requests a second", "set to 20000", "ThrottleRate"],
            ["5000 requests at once", "set to 20000", "ThrottleBurst"],
            ["40000 write units", "set to 50000", "WarmWriteUnits"],
            ["10000 read units", "set to 12000", "WarmReadUnits"],
        ]) {
            for word in words {
                assert!(warning.contains(word), "{warning}: {word}");
            }
        }
        assert_eq!(warnings.len(), 5, "{warnings:?}");
        let enough = found(&json!({ "concurrent_executions": 152 }), &parameters);
        assert_eq!(enough, [""; 0]);
        // A table that nobody warms has no reads to warm.
        let cold = json!({ "WarmWriteUnits": "0", "WarmReadUnits": "12000" });
        assert_eq!(found(&json!({ "table_reads": 1 }), &cold), [""; 0]);
    }

    #[test]
    fn what_could_not_be_asked_is_said() {
        let said = json!({ "parameters": {}, "quotas": {}, "unknown": ["gateway: no such call"] });
        assert_eq!(
            warnings(&said),
            ["A quota was not checked: gateway: no such call"]
        );
    }
}
