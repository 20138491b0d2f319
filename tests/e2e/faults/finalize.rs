//! `upload-complete`.

use super::{Scenario, check_status, status};
use crate::harness::audit;
use crate::harness::bytes::{PART, fresh};
use crate::harness::person::{Person, content_id};
use crate::harness::proxy::{Act, Seen};
use crate::harness::sandbox::{Sandbox, http_event};
use crate::harness::wait::until;
use bytes::Bytes;
use futures::{StreamExt, stream};
use serde_json::Value;
use std::cell::Cell;
use std::sync::Arc;

/// How many functions sleep at once.
const AT_ONCE: usize = 4;

/// One upload, ready to be completed.
pub(super) struct Ready {
    pub(super) person: Person,
    pub(super) upload: String,
    bytes: Bytes,
    /// How many files will refer to the blob.
    references: u64,
}

impl Ready {
    /// New bytes, in two parts.
    pub(super) async fn new_content() -> Self {
        let (person, bytes) = (Person::not_signed_in().await, fresh(PART + 5));
        let upload = person.sent("a", &bytes).await.id;
        Self {
            person,
            upload,
            bytes,
            references: 1,
        }
    }

    /// Bytes that the account has a file of already; what is sent is not needed.
    async fn known_content() -> Self {
        let (person, bytes) = (Person::not_signed_in().await, fresh(100));
        let first = person.sent("first", &bytes).await.id;
        person.complete(&first).await.expect(200);
        let upload = person.sent("a", &bytes).await.id;
        Self {
            person,
            upload,
            bytes,
            references: 2,
        }
    }

    pub(super) fn event(&self) -> Value {
        http_event("upload-complete", Some(&self.upload), &self.person.token, None)
    }

    /// Asks the deployed function until there is a file.
    pub(super) async fn complete(&self, what: &str) {
        until(&format!("complete: {what}"), async || {
            let answer = self.person.complete(&self.upload).await;
            assert!([200, 202].contains(&answer.status), "{what}: {}", answer.text());
            (answer.status == 200).then_some(())
        })
        .await;
    }

    /// There are as many files of the content as there were uploads.
    async fn has_its_files(&self, what: &str) {
        let files = self.person.api.all_files(None).await.unwrap();
        assert_eq!(files.len() as u64, self.references, "{what}");
        let content = content_id(&self.bytes);
        assert!(
            files.iter().all(|file| file.content_id == Some(content)),
            "{what}"
        );
    }

    /// There is one file, and nothing else.
    async fn check(&self, what: &str) {
        audit::complete_once(&self.person, &self.upload, &self.bytes, self.references).await;
        if self.references > 1 {
            let row = self.person.upload_row(&self.upload).await;
            until(&format!("the second object is discarded: {what}"), async || {
                audit::is_discarded(&row).await.then_some(())
            })
            .await;
        }
    }
}

/// What an answer may be when a call failed: asked about again, not known, or given back.
const OTHERS: [u64; 2] = [202, 409];

/// Parts become a file and a blob, once.
pub(super) struct NewContent(Ready);

impl Scenario for NewContent {
    const FUNCTION: &'static str = "upload-complete";
    const CALLS: usize = 9;

    async fn prepare() -> Self {
        Self(Ready::new_content().await)
    }

    fn people(&self) -> Vec<&Person> {
        vec![&self.0.person]
    }

    fn event(&self) -> Value {
        self.0.event()
    }

    fn check_answer(&self, answer: &Value, failed: bool, what: &str) {
        check_status(answer, 200, failed, &OTHERS, what);
    }

    async fn again(&self, what: &str) {
        self.0.complete(what).await;
        self.0.has_its_files(what).await;
    }
}

/// One finalize sleeps at one of its calls until its lease is over and another has done the work, then wakes up and
/// goes on as if nothing had happened. Returns whether it made that call at all.
async fn sleeps(case: &Ready, at: usize) -> bool {
    let Ready { person, upload, .. } = case;
    let rule = move |seen: &Seen| if seen.index == at { Act::Late } else { Act::Pass };
    let mut sandbox = Sandbox::start("upload-complete", rule).await;
    let proxy = Arc::clone(&sandbox.proxy);
    let what = format!("asleep at call {at}");
    let over = Cell::new(false);
    let one = async {
        let answer = sandbox.invoke(&case.event()).await;
        over.set(true);
        answer
    };
    let others = async {
        until("it sleeps or is over", async || {
            (proxy.seen().len() >= at || over.get()).then_some(())
        })
        .await;
        if person.upload_row(upload).await["state"] == "finalizing" {
            person.make_due(upload, "lease_until").await;
        }
        case.complete(&what).await;
        proxy.go();
    };
    let (answer, ()) = futures::future::join(one, others).await;
    let answer = answer.expect("nobody killed it");
    assert!(
        [200, 202, 409, 503].contains(&status(&answer)),
        "asleep at call {at}: {answer}"
    );
    case.check(&what).await;
    proxy.seen().len() >= at
}

async fn calls(case: &Ready) -> usize {
    let mut sandbox = Sandbox::start("upload-complete", |_| Act::Pass).await;
    let answer = sandbox.invoke(&case.event()).await.unwrap();
    assert_eq!(status(&answer), 200, "{answer}");
    sandbox.proxy.seen().len()
}

/// A finalize sleeps at each of its calls.
async fn sleeps_at_each_call(prepare: impl AsyncFn() -> Ready) {
    let calls = calls(&prepare().await).await;
    let slept = stream::iter(1..=calls)
        .map(async |at| sleeps(&prepare().await, at).await)
        .buffer_unordered(AT_ONCE)
        .filter(|slept| std::future::ready(*slept));
    // An attempt that was made again when the calls were counted is not made each time.
    let slept = slept.count().await;
    assert!(slept + 1 >= calls, "{slept} of {calls}");
}

#[tokio::test]
async fn a_finalize_that_sleeps_at_any_call_changes_nothing() {
    sleeps_at_each_call(Ready::new_content).await;
}

#[tokio::test]
async fn nor_when_the_content_is_known() {
    sleeps_at_each_call(Ready::known_content).await;
}
