//! What the embedded stack has answered survives `kill -9` of all its processes: what the functions keep at once, and what the emulator
//! itself keeps, such as secrets and where the API is, within a second.

use crate::harness::aws::{self, new_secret, secret};
use crate::harness::bytes::{PART, fresh, unique};
use crate::harness::person::Person;
use crate::harness::stack::stack;
use crate::harness::wait::until;
use crate::sweep::sweep;
use client::types::{Node, ReplicaState};
use serde_json::json;
use std::process::Command;
use std::time::Duration;

/// `cargo xtask emulator <argument>`, on the stack under test.
fn control(argument: &str) {
    let command = std::env::var("LONGSHORE_EMULATOR_CONTROL").expect("run this with `cargo xtask test`");
    let command: Vec<String> = serde_json::from_str(&command).unwrap();
    let output = Command::new(&command[0])
        .args(&command[1..])
        .arg(argument)
        .output()
        .unwrap();
    let said = [output.stdout, output.stderr].concat();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&said));
}

#[tokio::test]
async fn everything_answered_survives_a_kill() {
    if stack().is_localstack() {
        // It keeps nothing.
        return;
    }
    let person = Person::new().await;
    let [first_bytes, last_bytes, open_bytes] = [fresh(PART + 5), fresh(1000), fresh(2 * PART + 5)];
    let first = person.store("first", None, &first_bytes).await.file;
    let open = person.begin("open", &open_bytes).await;
    person.send_parts(&open.id, &open_bytes, [1]).await;
    let value = json!({ "made": "before" });
    let secret_id = new_secret(&format!("survival-{:x}", unique()), &value).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    // Nothing waits a second from here on. The messages about the last file may be lost.
    let last = person.store("last", None, &last_bytes).await.file;
    person.send_parts(&open.id, &open_bytes, [3, 2]).await;

    control("kill");
    person.api.account().await.unwrap_err();
    control("start");

    // The address of the API is the same, and the token's key, and the password.
    person.sign_in().await;
    assert_eq!(person.api.all_files(None).await.unwrap().len(), 2);
    for (file, bytes) in [(&first, &first_bytes), (&last, &last_bytes)] {
        assert_eq!(person.fetch(file).await, *bytes);
    }
    let left = person.api.upload(&open.id).await.unwrap();
    assert_eq!(left.received.as_ref().map(Vec::len), Some(3), "{left:?}");
    person.complete(&open.id).await.expect(200);
    let files = person.api.all_files(None).await.unwrap();
    let completed = files.iter().find(|file| file.name == "open").unwrap();
    assert_eq!(person.fetch(completed).await, open_bytes);
    assert_eq!(secret(&secret_id).await, value);
    for file in [&first, &last, completed] {
        replicated(&person, file).await;
    }
    aws::delete_secret(&secret_id).await;
}

/// Waits for the replicas of a file. The sweep is made to take its messages for lost now, and not in an hour.
async fn replicated(person: &Person, file: &Node) {
    let content = file.content_id.unwrap().to_string();
    let blob = crate::harness::audit::blob_of(&content).await.unwrap();
    let pk = format!("BLOB#{}", blob["id"].as_str().unwrap());
    for row in aws::items(&pk, "REPLICA#").await {
        if row["state"] != "available" {
            let over = json!({ "due_at": 1_577_836_800 });
            aws::set(&pk, row["sk"].as_str().unwrap(), &over).await;
        }
    }
    sweep().await;
    until("every replica is available", async || {
        let replicas = person.api.file(&file.id).await.unwrap().replicas.unwrap();
        let there = replicas.iter().all(|one| one.state == ReplicaState::Available);
        there.then_some(())
    })
    .await;
}
