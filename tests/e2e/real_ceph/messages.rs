//! Messages that come more than once, too late, never, or should not be there.

use super::{TARGET, available, is_there};
use crate::harness::aws;
use crate::harness::bytes::{MIB, fresh, unique};
use crate::harness::ceph;
use crate::harness::person::Person;
use crate::harness::proxy::{Act, Seen};
use crate::harness::sandbox::{Sandbox, http_event};
use crate::harness::wait::until;
use crate::sweep::sweep;
use client::types::{Node, ReplicaState};
use futures::stream::{self, StreamExt};
use serde_json::{Value, json};

fn message(step: &str, blob: &str) -> Value {
    json!({ "step": step, "blob": blob, "target": TARGET })
}

/// Three of each, in no sensible order, while the copy is under way and after.
#[tokio::test]
async fn messages_that_come_again_change_nothing() {
    let person = Person::new().await;
    let bytes = fresh(150 * MIB);
    let upload = person.sent("a", &bytes).await.id;
    let blob = person.upload_row(&upload).await["blob"]
        .as_str()
        .unwrap()
        .to_owned();
    person.complete(&upload).await.expect(200);
    let file = person.api.upload(&upload).await.unwrap().file.unwrap();
    let everything = async || {
        for _ in 0..3 {
            aws::send_message(&message("finish", &blob).to_string()).await;
            aws::send_message(&message("start", &blob).to_string()).await;
            for segment in [2, 0, 1] {
                let mut copy = message("copy", &blob);
                copy["segment"] = json!(segment);
                aws::send_message(&copy.to_string()).await;
            }
        }
    };
    everything().await;
    let key = available(&person, &file).await;
    is_there(&key, &bytes);
    everything().await;
    // One more, and a marker behind all of them: when that was worked on, they were.
    let other = person.store("b", None, &fresh(10)).await.file;
    available(&person, &other).await;
    let replica = super::replica(&person, &file, TARGET).await;
    assert_eq!(
        (replica.state, replica.bytes_done),
        (ReplicaState::Available, bytes.len() as u64)
    );
    until("no segments are left", async || {
        aws::items(&format!("BLOB#{blob}"), "SEGMENT#")
            .await
            .is_empty()
            .then_some(())
    })
    .await;
    is_there(&key, &bytes);
}

/// A file whose finalize was killed before it could send a message, and its blob.
async fn finalized_without_a_message(person: &Person, name: &str, bytes: &[u8]) -> (Node, String) {
    let upload = person.sent(name, bytes).await.id;
    let event = http_event("upload-complete", Some(&upload), &person.token, None);
    let rule = |seen: &Seen| {
        if seen.operation == "SQS SendMessageBatch" {
            Act::KillBefore
        } else {
            Act::Pass
        }
    };
    let mut function = Sandbox::start("upload-complete", rule).await;
    assert_eq!(function.invoke(&event).await, None, "killed");
    let file = person
        .api
        .upload(&upload)
        .await
        .unwrap()
        .file
        .expect("the file is there all the same");
    let blob = person.upload_row(&upload).await["blob"]
        .as_str()
        .unwrap()
        .to_owned();
    (file, blob)
}

/// The finalize was killed before it could send a message: what is written is enough.
#[tokio::test]
async fn a_message_that_was_never_sent() {
    let person = Person::new().await;
    let bytes = fresh(20 * MIB);
    let (file, blob) = finalized_without_a_message(&person, "a", &bytes).await;
    let replica = super::replica(&person, &file, TARGET).await;
    assert_eq!(replica.state, ReplicaState::Pending);
    aws::set(
        &format!("BLOB#{blob}"),
        &format!("REPLICA#{TARGET}"),
        &json!({ "due_at": 1_577_836_800 }),
    )
    .await;
    sweep().await;
    let key = available(&person, &file).await;
    is_there(&key, &bytes);
}

/// Bytes that rotted in the primary store are never copied: the part digests say what they were.
#[tokio::test]
async fn bytes_that_rotted_before_they_were_copied() {
    let person = Person::new().await;
    for size in [1000, 20 * MIB] {
        let (file, blob) = finalized_without_a_message(&person, &format!("{size}"), &fresh(size)).await;
        aws::spoil_object(&format!("blobs/{blob}")).await;
        aws::send_message(&message("start", &blob).to_string()).await;
        let failed = until("the replica has failed", async || {
            let replica = super::replica(&person, &file, TARGET).await;
            assert_ne!(replica.state, ReplicaState::Available);
            (replica.state == ReplicaState::Failed).then_some(replica)
        })
        .await;
        let error = failed.last_error.unwrap();
        assert!(error.contains("does not match its part digests"), "{error}");
        assert!(!ceph::has(&blob), "rotten bytes are at the target");
    }
}

/// When the bytes of a blob are reclaimed, so are their copies.
#[tokio::test]
async fn copies_are_reclaimed_with_their_blob() {
    let person = Person::new().await;
    let file = person.store("a", None, &fresh(9 * MIB)).await.file;
    let key = available(&person, &file).await;
    let row = aws::item(&person.partition(), &format!("NODE#{}", file.id)).await;
    let blob = row.unwrap()["file"]["blob"].as_str().unwrap().to_owned();
    let pk = format!("BLOB#{blob}");
    assert!(ceph::has(&key));
    person.api.delete_file(&file.id).await.unwrap();
    // Twice: the grace period, then the time for workers that looked at it before.
    for _ in 0..2 {
        aws::set(&pk, "BLOB", &json!({ "due_at": 1_577_836_800 })).await;
        sweep().await;
        until("the sweep has looked at it", async || {
            let blob = aws::item(&pk, "BLOB").await;
            blob.is_none_or(|blob| blob["due_at"] != 1_577_836_800)
                .then_some(())
        })
        .await;
    }
    assert_eq!(aws::item(&pk, "BLOB").await, None);
    assert!(!ceph::has(&key));
    assert_eq!(ceph::multipart_uploads(&key), 0);
}

/// Has a file copied by one process, which is killed at one of its calls, so far as there is no end of the copy before. What
/// it does not get done, the deployed workers do. Returns how many calls it made, and whether it was killed.
async fn copied_though_killed(person: &Person, call: Option<usize>) -> (usize, bool) {
    let bytes = fresh(9 * MIB);
    let upload = person.sent(&format!("{call:?}"), &bytes).await.id;
    let blob = person.upload_row(&upload).await["blob"]
        .as_str()
        .unwrap()
        .to_owned();
    let mut copy = message("copy", &blob);
    copy["segment"] = json!(0);
    let record = |body: &Value| {
        json!({
            "messageId": format!("{:x}", unique()), "receiptHandle": "none", "body": body.to_string(),
            "attributes": { "ApproximateReceiveCount": "1" }, "messageAttributes": {}, "md5OfBody": "",
            "eventSource": "aws:sqs", "eventSourceARN": "arn:aws:sqs:us-east-1:000000000000:q", "awsRegion": "us-east-1",
        })
    };
    let rule = move |seen: &Seen| {
        if Some(seen.index) == call {
            Act::KillAfter
        } else {
            Act::Pass
        }
    };
    let mut worker = Sandbox::start("replicate", rule).await;
    person.complete(&upload).await.expect(200);
    let mut killed = false;
    for body in [message("start", &blob), copy, message("finish", &blob)] {
        if worker
            .invoke(&json!({ "Records": [record(&body)] }))
            .await
            .is_none()
        {
            killed = true;
            break;
        }
    }
    let file = person.api.upload(&upload).await.unwrap().file.unwrap();
    let key = available(person, &file).await;
    is_there(&key, &bytes);
    (worker.proxy.seen().len(), killed)
}

/// Workers killed at any of their calls: the message comes again, and the copy is whole.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_that_is_killed() {
    /// Nearly all that these do is wait for the messages to come again.
    const AT_ONCE: usize = 8;
    let person = Person::new().await;
    let (calls, killed) = copied_though_killed(&person, None).await;
    assert!(!killed && calls > 5, "it made only {calls} calls");
    let each = stream::iter(1..=calls).map(async |call| {
        let (_, killed) = copied_though_killed(&person, Some(call)).await;
        killed.then_some(call)
    });
    let each: Vec<Option<usize>> = each.buffer_unordered(AT_ONCE).collect().await;
    let killed: Vec<usize> = each.into_iter().flatten().collect();
    // The deployed workers may have been at the last steps before it.
    println!("{calls} calls, killed at {killed:?}");
    assert!(killed.len() > 5, "of {calls} calls it was killed at {killed:?}");
}

/// What is no message of ours goes to the dead letters, and does not keep the others waiting.
#[tokio::test]
async fn a_message_that_nobody_understands() {
    let person = Person::new().await;
    let mark = format!("{:x}", unique());
    let odd = [
        format!("not json {mark}-0"),
        json!({ "step": "fly", "blob": format!("{mark}-1"), "target": TARGET }).to_string(),
        json!({ "step": "start", "blob": format!("{mark}-2/.."), "target": TARGET }).to_string(),
    ];
    for body in &odd {
        aws::send_message(body).await;
    }
    // A blob that does not exist (any more) is nothing to worry about: the message was late.
    aws::send_message(&message("start", &format!("{mark}-gone")).to_string()).await;
    let bytes = fresh(1000);
    let file = person.store("a", None, &bytes).await.file;
    let key = available(&person, &file).await;
    is_there(&key, &bytes);
    let found = until("all of them are among the dead letters", async || {
        let found = aws::dead_letters().await;
        // LocalStack hands JSON over in another spelling.
        let has = |number: usize| {
            let mark = format!("{mark}-{number}");
            found.iter().any(|letter| letter.body.contains(&mark))
        };
        (0..odd.len()).all(has).then_some(found)
    })
    .await;
    assert!(
        !found
            .iter()
            .any(|letter| letter.body.contains(&format!("{mark}-gone"))),
        "{found:?}"
    );
}
