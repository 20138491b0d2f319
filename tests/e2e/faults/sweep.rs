//! `sweep`: each thing that it does to an item. Calls that are about no item, above all the look at what is due, change
//! nothing.

pub(super) mod blobs;

use super::finalize::Ready;
use super::{PrivateSweep, Scenario};
use crate::harness::audit;
use crate::harness::bytes::fresh;
use crate::harness::person::Person;
use crate::harness::private_sweep::event;
use crate::harness::proxy::{Act, Seen};
use crate::harness::sandbox::{Sandbox, http_event};
use crate::harness::wait::until;
use client::types::UploadState;
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

/// An upload whose time is over ends once: its reservation is given back, and nothing is left at the store.
pub(super) struct Expire(Due);

impl Scenario for Expire {
    const FUNCTION: &'static str = "sweep";
    const CALLS: usize = 7;

    async fn prepare() -> Self {
        let person = Person::not_signed_in().await;
        let upload = person.sent("a", &fresh(100)).await.id;
        let due = Due::new(PrivateSweep::new(), person, upload).await;
        due.sweep.take_expired(&due.person, &due.upload).await;
        Self(due)
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
        check_report(answer, "expired", failed, what);
    }

    async fn age(&self, sweep: &PrivateSweep) {
        if self.0.state().await == "open" {
            sweep.take_expired(&self.0.person, &self.0.upload).await;
        }
        sweep.take_uploads(&self.0.person).await;
    }

    async fn again(&self, what: &str) {
        until(&format!("{what}: it expires"), async || {
            let upload = self.0.person.api.upload(&self.0.upload).await.unwrap();
            (upload.state == UploadState::Expired).then_some(())
        })
        .await;
        assert_eq!(self.0.person.used().await, 0, "{what}");
    }

    fn sweep(&self) -> Option<&PrivateSweep> {
        Some(&self.0.sweep)
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

macro_rules! take_over {
    ($(#[$doc:meta])* $name:ident, $operation:literal, $way:expr, $calls:literal) => {
        $(#[$doc])*
        pub(super) struct $name(Due);

        impl Scenario for $name {
            const FUNCTION: &'static str = "sweep";
            const CALLS: usize = $calls;

            async fn prepare() -> Self {
                Self(killed_finalize($operation, $way).await)
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
                assert_eq!(self.0.person.api.all_files(None).await.unwrap().len(), 1, "{what}");
            }

            fn sweep(&self) -> Option<&PrivateSweep> {
                Some(&self.0.sweep)
            }
        }
    };
}

take_over!(
    /// Nobody asks about a finalize any more: it ends with a file all the same.
    TakeOver,
    "S3 ListParts",
    Act::KillBefore,
    7
);
take_over!(
    /// The same when the object was made and nobody wrote it down.
    TakeOverObject,
    "S3 CompleteMultipartUpload",
    Act::KillAfter,
    5
);

/// What an aborted upload left at the store is discarded, by this sweep or the next.
pub(super) struct Discard(Due);

impl Scenario for Discard {
    const FUNCTION: &'static str = "sweep";
    const CALLS: usize = 6;

    async fn prepare() -> Self {
        let person = Person::not_signed_in().await;
        let upload = person.sent("a", &fresh(100)).await.id;
        let rule = |seen: &Seen| {
            if seen.operation.contains("TransactWrite") {
                Act::KillAfter
            } else {
                Act::Pass
            }
        };
        let (sweep, mut function) = (PrivateSweep::new(), Sandbox::start("upload-abort", rule).await);
        sweep.take_what_is_written_by(&function);
        let event = http_event("upload-abort", Some(&upload), &person.token, None);
        assert_eq!(function.invoke(&event).await, None, "killed");
        let due = Due::new(sweep, person, upload).await;
        assert_eq!(due.state().await, "aborted");
        Self(due)
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
        check_report(answer, "discarded", failed, what);
    }

    async fn again(&self, what: &str) {
        let row = self.0.person.upload_row(&self.0.upload).await;
        assert!(audit::is_discarded(&row).await, "{what}");
        assert_eq!(row.get("discard_since"), None, "{what}: nobody need look again");
    }

    fn sweep(&self) -> Option<&PrivateSweep> {
        Some(&self.0.sweep)
    }
}
