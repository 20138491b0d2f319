//! `sweep`: each thing that it does to an item. Calls that are about no item, above all the look at what is due, change
//! nothing.

pub(super) mod blobs;

use super::finalize::Ready;
use super::{PrivateSweep, Scenario};
use crate::harness::person::Person;
use crate::harness::private_sweep::event;
use crate::harness::proxy::{Act, Seen};
use crate::harness::sandbox::Sandbox;
use crate::harness::wait::until;
use serde_json::Value;

/// What a sweep must have done, by its report; or, if a call failed, may have done.
fn check_report(report: &Value, done: &str, failed: bool, what: &str) {
    assert!(
        failed || report["failed"] == 0 && report[done] == 1,
        "{what}: {report}"
    );
}

/// A sweep of its own with one upload in it.
struct Due {
    sweep: PrivateSweep,
    person: Person,
    upload: String,
    blob: String,
}

impl Due {
    async fn new(sweep: PrivateSweep, person: Person, upload: String) -> Self {
        let row = person.upload_row(&upload).await;
        sweep.take_uploads(&person).await;
        Self {
            sweep,
            blob: row["blob"].as_str().unwrap().to_owned(),
            person,
            upload,
        }
    }

    fn about(&self) -> Vec<String> {
        vec![self.person.id.clone(), self.upload.clone(), self.blob.clone()]
    }

    async fn state(&self) -> Value {
        self.person.upload_row(&self.upload).await["state"].clone()
    }
}

/// A finalize whose function was killed at one of its calls: before it was sent, or when it was answered.
async fn killed_finalize(operation: &'static str, way: Act) -> Due {
    let ready = Ready::new_content().await;
    let rule = move |seen: &Seen| {
        if seen.operation == operation {
            way
        } else {
            Act::Pass
        }
    };
    let (sweep, mut function) = (PrivateSweep::new(), Sandbox::start("upload-complete", rule).await);
    sweep.take_what_is_written_by(&function);
    assert_eq!(function.invoke(&ready.event()).await, None, "killed");
    let due = Due::new(sweep, ready.person, ready.upload).await;
    assert_eq!(due.state().await, "finalizing");
    due
}

/// Nobody asks about a finalize any more: it ends with a file all the same.
pub(super) struct TakeOver(Due);

impl Scenario for TakeOver {
    const FUNCTION: &'static str = "sweep";
    const CALLS: usize = 7;

    async fn prepare() -> Self {
        Self(killed_finalize("S3 ListParts", Act::KillBefore).await)
    }

    fn people(&self) -> Vec<&Person> {
        vec![&self.0.person]
    }

    fn event(&self) -> Value {
        event()
    }

    fn about(&self) -> Vec<String> {
        self.0.about()
    }

    fn check_answer(&self, answer: &Value, failed: bool, what: &str) {
        check_report(answer, "finalized", failed, what);
    }

    async fn again(&self, what: &str) {
        until(&format!("{what}: there is a file"), async || {
            (self.0.state().await == "complete").then_some(())
        })
        .await;
        assert_eq!(
            self.0.person.api.all_files(None).await.unwrap().len(),
            1,
            "{what}"
        );
    }

    fn sweep(&self) -> Option<&PrivateSweep> {
        Some(&self.0.sweep)
    }
}
