//! `upload-complete`.

use super::{Fault, all, harmed, status, unharmed};
use crate::harness::audit;
use crate::harness::bytes::{PART, fresh};
use crate::harness::person::Person;
use crate::harness::proxy::{Act, Seen};
use crate::harness::sandbox::{Sandbox, http_event};
use crate::harness::wait::until;
use bytes::Bytes;
use futures::{StreamExt, stream};
use std::sync::Arc;

/// How many functions run at once.
const AT_ONCE: usize = 4;

/// One upload, ready to be completed.
struct Case {
    fault: Option<Fault>,
    person: Person,
    upload: String,
    bytes: Bytes,
    /// How many files will refer to the blob.
    references: u64,
}

impl Case {
    /// New bytes, in two parts.
    async fn new_content(fault: Option<Fault>) -> Self {
        let (person, bytes) = (Person::new().await, fresh(PART + 5));
        let upload = person.sent("a", &bytes).await.id;
        Self {
            fault,
            person,
            upload,
            bytes,
            references: 1,
        }
    }

    /// Bytes that the account has a file of already; what is sent is not needed.
    async fn known_content(fault: Option<Fault>) -> Self {
        let (person, bytes) = (Person::new().await, fresh(100));
        let first = person.sent("first", &bytes).await.id;
        person.complete(&first).await.expect(200);
        let upload = person.sent("a", &bytes).await.id;
        Self {
            fault,
            person,
            upload,
            bytes,
            references: 2,
        }
    }

    async fn run(&self) -> Vec<String> {
        let resource = "/v1/uploads/{id}/complete";
        let event = http_event("POST", resource, Some(&self.upload), &self.person.token, None);
        match self.fault {
            None => {
                let (answer, calls) = unharmed("upload-complete", &event).await;
                assert_eq!(status(&answer), 200, "{answer}");
                calls
            }
            Some(fault) => {
                if let Some(answer) = harmed("upload-complete", &event, fault).await {
                    // The answer of one call got lost. It may have been asked again, or not be known: then this is
                    // said, or the upload goes on.
                    assert!(
                        [200, 202, 409, 503].contains(&status(&answer)),
                        "{fault}: {answer}"
                    );
                }
                Vec::new()
            }
        }
    }

    /// Asks the deployed function until there is a file, which may take until the lease of the dead is over.
    async fn complete(&self) {
        let what = format!("complete after {:?}", self.fault);
        until(&what, async || {
            let answer = self.person.complete(&self.upload).await;
            assert!(
                [200, 202].contains(&answer.status),
                "{what}: {} {}",
                answer.status,
                answer.text()
            );
            (answer.status == 200).then_some(())
        })
        .await;
    }

    /// There is one file, and nothing else.
    async fn check(&self) {
        audit::complete_once(&self.person, &self.upload, &self.bytes, self.references).await;
        if self.references > 1 {
            let row = self.person.upload_row(&self.upload).await;
            until(
                &format!("the second object is discarded after {:?}", self.fault),
                async || audit::is_discarded(&row).await.then_some(()),
            )
            .await;
        }
    }
}

async fn at_every_call(make: impl AsyncFn(Option<Fault>) -> Case) {
    let calls = make(None).await.run().await;
    println!("{calls:?}");
    assert!(calls.len() >= 8, "{calls:?}");
    let cases: Vec<Case> = stream::iter(all(&calls))
        .map(|fault| make(Some(fault)))
        .buffer_unordered(AT_ONCE)
        .collect()
        .await;
    stream::iter(&cases)
        .for_each_concurrent(AT_ONCE, async |case| drop(case.run().await))
        .await;
    stream::iter(&cases)
        .for_each_concurrent(None, async |case| {
            case.complete().await;
            case.check().await;
        })
        .await;
}

/// One finalize sleeps at one of its calls until its lease is over and another has done the work, then wakes up and
/// goes on as if nothing had happened.
async fn sleeps(case: &Case, at: usize) {
    let Case { person, upload, .. } = case;
    let event = http_event(
        "POST",
        "/v1/uploads/{id}/complete",
        Some(upload),
        &person.token,
        None,
    );
    let rule = move |seen: &Seen| if seen.index == at { Act::Late } else { Act::Pass };
    let mut sandbox = Sandbox::start("upload-complete", rule).await;
    let proxy = Arc::clone(&sandbox.proxy);
    let others = async {
        until("it sleeps", async || (proxy.seen().len() >= at).then_some(())).await;
        if person.upload_row(upload).await["state"] == "finalizing" {
            person.make_due(upload, "lease_until").await;
        }
        case.complete().await;
        proxy.go();
    };
    let (answer, ()) = futures::future::join(sandbox.invoke(&event), others).await;
    let answer = answer.expect("nobody killed it");
    assert!(
        [200, 202, 409, 503].contains(&status(&answer)),
        "asleep at call {at}: {answer}"
    );
    case.check().await;
}

#[tokio::test]
async fn a_finalize_that_sleeps_at_any_call_changes_nothing() {
    let calls = Case::new_content(None).await.run().await;
    let cases = stream::iter(1..=calls.len());
    cases
        .for_each_concurrent(AT_ONCE, async |at| {
            sleeps(&Case::new_content(None).await, at).await;
        })
        .await;
}

#[tokio::test]
async fn nor_when_the_content_is_known() {
    let calls = Case::known_content(None).await.run().await;
    let cases = stream::iter(1..=calls.len());
    cases
        .for_each_concurrent(AT_ONCE, async |at| {
            sleeps(&Case::known_content(None).await, at).await;
        })
        .await;
}

#[tokio::test]
async fn a_finalize_killed_at_any_call_ends_complete_once() {
    at_every_call(Case::new_content).await;
}

#[tokio::test]
async fn the_same_when_the_content_is_known() {
    at_every_call(Case::known_content).await;
}
