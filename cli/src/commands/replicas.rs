//! `replicas`: how replication goes, and trying again what was given up. For operators.

use super::Context;
use crate::exit::{Exit, Failure};
use crate::{human, output};
use client::Api;
use client::types::{Circuit, CircuitState, Target, TargetStatus};
use serde_json::json;
use std::time::Duration;

/// Calls in a row that redrive nothing, although there is more, before that is left for another time.
const FRUITLESS: u32 = 5;

const HEADINGS: [&str; 9] = [
    "TARGET",
    "KIND",
    "STANDING",
    "PENDING",
    "FAILED",
    "AVAILABLE",
    "OLDEST",
    "RATE",
    "CIRCUIT",
];

/// Shows how replication to each target goes.
pub(super) async fn status(context: &Context) -> Result<(), Failure> {
    let targets = context.signed_in()?.targets().await?;
    if context.json {
        output::json(&json!({ "targets": targets }));
        return Ok(());
    }
    if targets.is_empty() {
        output::note("there are no targets");
        return Ok(());
    }
    let rows: Vec<_> = targets.iter().map(row).collect();
    output::table(&HEADINGS, &rows);
    for trouble in targets.iter().filter_map(trouble) {
        output::line(&trouble);
    }
    if targets.iter().any(|target| target.failed > 0) {
        output::note("try again what failed: longshore replicas redrive");
    }
    Ok(())
}

fn row(target: &Target) -> Vec<String> {
    let status = match target.status {
        TargetStatus::Active => "active",
        TargetStatus::Draining => "draining",
        TargetStatus::Retired => "retired",
        TargetStatus::Other => "unknown",
    };
    let circuit = match target.circuit.state {
        CircuitState::Closed => "closed",
        CircuitState::Open => "open",
        CircuitState::Probing => "probing",
        CircuitState::Other => "unknown",
    };
    let oldest = match target.pending {
        0 => "-".to_owned(),
        _ => human::duration(Duration::from_secs(target.lag_seconds)),
    };
    let rate = match target.bytes_per_second {
        0 => "-".to_owned(),
        rate => format!("{}/s", human::size(rate)),
    };
    vec![
        target.name.clone(),
        target.kind.clone(),
        status.to_owned(),
        amount(target.pending, target.pending_bytes),
        amount(target.failed, target.failed_bytes),
        amount(target.available, target.available_bytes),
        oldest,
        rate,
        circuit.to_owned(),
    ]
}

/// `12 (1.5 GiB)`.
fn amount(count: u64, bytes: u64) -> String {
    match count {
        0 => "0".to_owned(),
        _ => format!("{count} ({})", human::size(bytes)),
    }
}

/// Why a target's circuit is not closed, and until when.
fn trouble(target: &Target) -> Option<String> {
    let Circuit {
        state,
        open_until,
        failures,
        reason,
    } = &target.circuit;
    if *state == CircuitState::Closed {
        return None;
    }
    let times = match failures {
        1 => "once".to_owned(),
        times => format!("{times} times in a row"),
    };
    let now = match open_until {
        _ if *state == CircuitState::Probing => ", being tried now".to_owned(),
        Some(until) => format!(", left alone until {}", until.strftime("%Y-%m-%d %H:%M:%S UTC")),
        None => String::new(),
    };
    let reason = reason.as_ref().map(|reason| format!(": {reason}"));
    Some(format!(
        "{}: failed {times}{now}{}",
        target.name,
        reason.unwrap_or_default()
    ))
}

/// Has what was given up tried again: at one target, or wherever that makes sense.
pub(super) async fn redrive(context: &Context, target: Option<&str>) -> Result<(), Failure> {
    let api = context.signed_in()?;
    let names = match target {
        Some(name) => vec![name.to_owned()],
        None => reachable(&api).await?,
    };
    if names.is_empty() && !context.json {
        output::note("there are no targets");
    }
    for name in &names {
        let mut outcome = RedriveSummary::default();
        let ended = redrive_one(&api, name, &mut outcome).await;
        // What was done before a call failed is done all the same.
        if ended.is_ok() || outcome.redriven > 0 {
            outcome.show(context, name);
        }
        ended?;
    }
    Ok(())
}

/// The targets at which trying again can help: at a retired one nobody can sign in.
async fn reachable(api: &Api) -> Result<Vec<String>, Failure> {
    let targets = api.targets().await?.into_iter();
    let reachable = targets.filter(|target| target.status != TargetStatus::Retired);
    Ok(reachable.map(|target| target.name).collect())
}

/// What was done at one target.
#[derive(Debug, Default, PartialEq, Eq)]
struct RedriveSummary {
    redriven: u64,
    more: bool,
}

impl RedriveSummary {
    fn show(&self, context: &Context, name: &str) {
        if context.json {
            output::json(&json!({ "target": name, "redriven": self.redriven, "more": self.more }));
        } else {
            output::line(&format!("{name}: {}", self.told()));
        }
    }

    fn told(&self) -> String {
        let done = match self.redriven {
            0 => "nothing to try again".to_owned(),
            1 => "1 replica will be tried again".to_owned(),
            count => format!("{count} replicas will be tried again"),
        };
        let more = match (self.more, self.redriven) {
            (false, _) => return done,
            (true, 0) => "nothing can be tried again right now",
            (true, _) => done.as_str(),
        };
        format!("{more}, but there is more: run the same command again later")
    }
}

async fn redrive_one(api: &Api, name: &str, outcome: &mut RedriveSummary) -> Result<(), Failure> {
    let mut fruitless = 0;
    while fruitless < FRUITLESS {
        let answer = api.redrive(name).await.map_err(|error| {
            let failure = Failure::from(error);
            match failure.exit {
                Exit::NotFound => failure
                    .about(name)
                    .then("see which targets there are: longshore replicas status"),
                _ => failure,
            }
        })?;
        outcome.redriven += answer.redriven;
        outcome.more = answer.more;
        if !answer.more {
            break;
        }
        fruitless = if answer.redriven == 0 { fruitless + 1 } else { 0 };
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    fn target(changes: &Value) -> Target {
        let mut whole = json!({
            "name": "ceph", "kind": "ceph", "status": "active", "circuit": {"state": "closed", "failures": 0},
            "pending": 0, "pending_bytes": 0, "failed": 0, "failed_bytes": 0, "available": 0, "available_bytes": 0,
            "lag_seconds": 0, "bytes_per_second": 0,
        });
        let changes = changes.as_object().unwrap().clone();
        whole.as_object_mut().unwrap().extend(changes);
        serde_json::from_value(whole).unwrap()
    }

    #[test]
    fn a_target_is_one_row() {
        let busy = target(&json!({
            "pending": 12, "pending_bytes": 1_610_612_736_u64, "failed": 1, "failed_bytes": 5, "available": 300,
            "available_bytes": 2048, "oldest_pending_since": "2026-11-20T10:00:00Z", "lag_seconds": 125,
            "bytes_per_second": 83_886_080,
        }));
        let expected = [
            "ceph",
            "ceph",
            "active",
            "12 (1.5 GiB)",
            "1 (5 B)",
            "300 (2.0 KiB)",
            "2 min 05 s",
            "80.0 MiB/s",
            "closed",
        ];
        assert_eq!(row(&busy), expected);
        assert_eq!(expected.len(), HEADINGS.len());
        let idle = target(&json!({"name": "oss", "kind": "oss", "status": "draining"}));
        assert_eq!(
            row(&idle),
            ["oss", "oss", "draining", "0", "0", "0", "-", "-", "closed"]
        );
    }

    #[test]
    fn trouble_is_told_with_its_reason() {
        let told = |circuit: Value| trouble(&target(&json!({ "circuit": circuit })));
        assert_eq!(told(json!({"state": "closed", "failures": 2})), None);
        assert_eq!(
            told(
                json!({"state": "open", "failures": 7, "open_until": "2026-11-20T10:05:09Z", "reason": "503"})
            )
            .as_deref(),
            Some("ceph: failed 7 times in a row, left alone until 2026-11-20 10:05:09 UTC: 503")
        );
        assert_eq!(
            told(json!({"state": "probing", "failures": 1, "open_until": "2026-11-20T10:05:09Z"})).as_deref(),
            Some("ceph: failed once, being tried now")
        );
    }

    #[test]
    fn what_was_redriven_is_counted() {
        let told = |redriven, more| RedriveSummary { redriven, more }.told();
        assert_eq!(told(0, false), "nothing to try again");
        assert_eq!(told(1, false), "1 replica will be tried again");
        assert_eq!(told(250, false), "250 replicas will be tried again");
        assert_eq!(
            told(250, true),
            "250 replicas will be tried again, but there is more: run the same command again later"
        );
        assert_eq!(
            told(0, true),
            "nothing can be tried again right now, but there is more: run the same command again later"
        );
    }
}
