//! Targets as operators see them: how they do, what failed, having it tried again; and whose files get where.

use crate::harness::audit;
use crate::harness::aws;
use crate::harness::bytes::fresh;
use crate::harness::cli::Terminal;
use crate::harness::person::Person;
use crate::harness::proof::PROVABLE;
use crate::harness::signed::send_signed;
use crate::harness::stack::stack;
use crate::harness::target_proxy::Fate;
use crate::harness::targets;
use crate::harness::test_targets::{Kind, TestTarget};
use crate::harness::wait::until;
use client::transfer::How;
use client::types::{Batch, CircuitState, Destination, Node, OnConflict, ReplicaState, Target, TargetStatus};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// How a target is doing, as an operator sees it.
async fn status(operator: &Person, name: &str) -> Target {
    let targets = operator.api.targets().await.unwrap();
    let found = targets.into_iter().find(|target| target.name == name);
    found.unwrap_or_else(|| panic!("there is no target {name}"))
}

async fn make_bucket(name: &str) {
    let url = format!("{}/{name}", stack().url_of("s3"));
    send_signed("s3", "PUT", &url, &[], "").await.expect(200);
}

/// The rows of the files' replicas at a target.
async fn rows(person: &Person, files: &[Node], target: &str) -> Vec<Value> {
    let mut rows = Vec::new();
    for file in files {
        let node = aws::item(&person.partition(), &format!("NODE#{}", file.id))
            .await
            .unwrap();
        let pk = format!("BLOB#{}", node["file"]["blob"].as_str().unwrap());
        rows.push(aws::item(&pk, &format!("REPLICA#{target}")).await.unwrap());
    }
    rows
}

fn failed(rows: &[Value]) -> Vec<&Value> {
    rows.iter().filter(|row| row["state"] == "failed").collect()
}

/// There is a dead letter of a replica that failed at its first attempt, with all that it should say.
async fn has_its_letter(row: &Value, name: &str) {
    let blob = row["blob"].as_str().unwrap();
    let letter = until("its message is among the dead letters", async || {
        let letters = aws::dead_letters().await.into_iter();
        let mut mine = letters.filter(|letter| letter.body.contains(blob));
        mine.find(|letter| letter.body.contains(name))
    })
    .await;
    let body: Value = serde_json::from_str(&letter.body).unwrap();
    assert_eq!(body, json!({ "step": "start", "blob": blob, "target": name }));
    assert_eq!(letter.tried, "1");
    // The owner of the file is told the code, operators are told all that is known.
    let shown = row["last_error"].as_str().unwrap();
    assert_eq!(shown, format!("{name}: PutObject failed (NoSuchBucket)"));
    assert!(
        letter
            .reason
            .starts_with(&format!("{name}: PutObject failed: NoSuchBucket: ")),
        "{}",
        letter.reason
    );
}

/// A user who is no operator sees nothing of the targets, and changes nothing about them.
async fn are_for_operators_only(person: &Person, operator: &Person, name: &str) {
    person
        .call("GET", "/targets", None)
        .await
        .problem(403, "forbidden");
    let redrive = format!("/targets/{name}/redrive");
    person
        .call("POST", &redrive, None)
        .await
        .problem(403, "forbidden");
    operator
        .call("POST", "/targets/nowhere/redrive", None)
        .await
        .problem(404, "not_found");
    let terminal = Terminal::new();
    terminal.json(&["login", &person.username]);
    let refused = terminal.run(&["replicas", "status"]);
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success() && said.contains("operators"), "{said}");
}

/// A target without its bucket: a few replicas fail, and the others wait until there is one. Then they go on by themselves,
/// and those that failed when somebody asks.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_target_that_refuses_is_left_alone_and_mended() {
    const FILES: u64 = 12;
    let (person, operator) = (Person::new().await, Person::new().await);
    operator.become_operator().await;
    let mut place = TestTarget::new(Kind::S3, |_| Fate::Pass).await;
    let bucket = format!("later-{}", place.name);
    place.entry["bucket"] = json!(bucket);
    let name = place.name.clone();
    let mine = targets::only_for(&person.id, &[place.entry.clone()]).await;
    let before = status(&operator, &name).await;
    assert_eq!(
        (before.status, before.circuit.state),
        (TargetStatus::Active, CircuitState::Closed)
    );
    assert_eq!((before.pending, before.failed, before.available), (0, 0, 0));
    assert_eq!((before.oldest_pending_since, before.lag_seconds), (None, 0));

    let mut files = vec![person.store("0", None, &fresh(100)).await.file];
    let open = until("the circuit is open", async || {
        let status = status(&operator, &name).await;
        (status.circuit.state != CircuitState::Closed && status.failed == 1).then_some(status)
    })
    .await;
    let reason = open.circuit.reason.clone().unwrap();
    assert!(
        reason.contains("NoSuchBucket") && reason.contains(&name),
        "{reason}"
    );
    assert!(
        open.circuit.failures >= 1 && open.circuit.open_until.is_some(),
        "{open:?}"
    );
    for number in 1..FILES {
        files.push(person.store(&number.to_string(), None, &fresh(100)).await.file);
    }
    let waiting = status(&operator, &name).await;
    assert_eq!(
        (waiting.pending + waiting.failed, waiting.available),
        (FILES, 0),
        "{waiting:?}"
    );
    assert_eq!(
        (waiting.pending_bytes, waiting.failed_bytes),
        (waiting.pending * 100, waiting.failed * 100)
    );
    assert!(waiting.failed <= 3, "more failed than were probes: {waiting:?}");
    assert!(waiting.oldest_pending_since.is_some(), "{waiting:?}");
    // To wait is not to have been tried.
    for row in rows(&person, &files, &name).await {
        let expected = u64::from(row["state"] == "failed");
        assert_eq!(row["attempts"], expected, "{row}");
    }

    make_bucket(&bucket).await;
    let mended = until("what waited has arrived", async || {
        let status = status(&operator, &name).await;
        (status.pending == 0 && status.circuit.state == CircuitState::Closed).then_some(status)
    })
    .await;
    assert_eq!(mended.available + mended.failed, FILES, "{mended:?}");
    assert!((1..=4).contains(&mended.failed), "{mended:?}");
    assert_eq!(
        (mended.available_bytes, mended.oldest_pending_since),
        (mended.available * 100, None)
    );
    assert_eq!(mended.circuit.reason, None);
    let rows_now = rows(&person, &files, &name).await;
    assert_eq!(failed(&rows_now).len() as u64, mended.failed);
    for row in failed(&rows_now) {
        has_its_letter(row, &name).await;
    }
    audit::target(&name).await;

    are_for_operators_only(&person, &operator, &name).await;
    // What failed is tried again when an operator asks.
    let terminal = Terminal::new();
    terminal.json(&["login", &operator.username]);
    let shown = terminal.json(&["replicas", "status"]);
    let shown = shown["targets"].as_array().unwrap();
    let shown = shown
        .iter()
        .find(|target| target["name"] == name.as_str())
        .unwrap();
    assert_eq!(
        (&shown["failed"], &shown["pending"]),
        (&json!(mended.failed), &json!(0)),
        "{shown}"
    );
    let redriven = terminal.json(&["replicas", "redrive", "--target", &name]);
    assert_eq!(
        redriven,
        json!({ "target": name, "redriven": mended.failed, "more": false })
    );
    let all = until("all have arrived", async || {
        let status = status(&operator, &name).await;
        (status.available == FILES).then_some(status)
    })
    .await;
    assert_eq!((all.failed, all.failed_bytes, all.pending), (0, 0, 0), "{all:?}");
    assert_eq!(all.available_bytes, FILES * 100);
    let again = operator.api.redrive(&name).await.unwrap();
    assert_eq!((again.redriven, again.more), (0, false));
    audit::target(&name).await;
    audit::account(&person).await;
    mine.remove().await;
}

/// The names of the targets where a file has replicas, once they are all there.
async fn targets_of(person: &Person, file: &Node) -> BTreeSet<String> {
    let replicas = until("every replica is available", async || {
        let replicas = person.api.file(&file.id).await.unwrap().replicas.unwrap();
        let there = replicas
            .iter()
            .all(|replica| replica.state == ReplicaState::Available);
        there.then_some(replicas)
    })
    .await;
    replicas.into_iter().map(|replica| replica.target).collect()
}

/// Two files that are moved from the top to a folder in one request.
async fn moved_together(person: &Person, folder: &str) -> [Node; 2] {
    let [f, g] = ["f", "g"].map(async |name| person.store(name, None, &fresh(1000)).await.file);
    let files = [f.await, g.await];
    let into = Batch::Move {
        parent: Some(folder.to_owned()),
        on_conflict: OnConflict::Fail,
    };
    for result in person.api.batch(&into, &[&files[0].id, &files[1].id]).await {
        result.unwrap();
    }
    files
}

#[tokio::test]
async fn a_policy_says_whose_files_get_where() {
    let (person, other) = (Person::new().await, Person::new().await);
    let (one, two) = (
        TestTarget::new(Kind::S3, |_| Fate::Pass).await,
        TestTarget::new(Kind::S3, |_| Fate::Pass).await,
    );
    let usual: Vec<&str> = stack()
        .targets
        .iter()
        .map(|target| target["name"].as_str().unwrap())
        .collect();
    let names = |names: &[&str]| -> BTreeSet<String> { names.iter().map(|&name| name.to_owned()).collect() };
    let everywhere = [&usual[..], &[one.name.as_str()]].concat();
    let mine = targets::only_for(&person.id, &[one.entry.clone(), two.entry.clone()]).await;
    targets::change(|document| {
        let policies = document["policies"].as_array_mut().unwrap();
        policies.retain(|policy| policy["account"] != person.id.as_str());
        policies.extend([
            json!({ "account": person.id, "targets": everywhere }),
            json!({ "account": person.id, "folder": "/archive", "targets": [two.name] }),
            json!({ "account": person.id, "folder": "/archive/tmp", "targets": [] }),
        ]);
    })
    .await;
    let archive = person.api.create_folder("archive", None).await.unwrap().id;
    let deep = person.api.create_folder("deep", Some(&archive)).await.unwrap().id;
    let tmp = person.api.create_folder("tmp", Some(&archive)).await.unwrap().id;
    let bytes = fresh(1000);
    let top = person.store("a", None, &bytes).await.file;
    assert_eq!(targets_of(&person, &top).await, names(&everywhere));
    let archived = person.store("a", Some(&deep), &fresh(1000)).await.file;
    assert_eq!(targets_of(&person, &archived).await, names(&[&two.name]));
    let nowhere = person.store("a", Some(&tmp), &fresh(1000)).await.file;
    assert_eq!(targets_of(&person, &nowhere).await, names(&[]));
    // Bytes that need not be sent get where their new file asks for, too.
    let instant = person.store("b", Some(&deep), &bytes).await.file;
    let both = [&everywhere[..], &[two.name.as_str()]].concat();
    until("the further replica is there", async || {
        (targets_of(&person, &instant).await == names(&both)).then_some(())
    })
    .await;
    // So does a file that is moved there.
    let moved = person.store("c", None, &fresh(1000)).await.file;
    let to = Destination {
        name: "c".to_owned(),
        parent: Some(deep.clone()),
        on_conflict: OnConflict::Fail,
    };
    let moved = person.api.move_file(&moved.id, &to).await.unwrap();
    until("the replica that the folder asks for is there", async || {
        (targets_of(&person, &moved).await == names(&both)).then_some(())
    })
    .await;
    // And a copy there of one that is elsewhere.
    let copied = person.store("d", None, &fresh(1000)).await.file;
    let to = Destination {
        name: "d".to_owned(),
        ..to
    };
    let copied = person.api.copy_file(&copied.id, &to).await.unwrap();
    until(
        "the replica that the folder of the copy asks for is there",
        async || (targets_of(&person, &copied).await == names(&both)).then_some(()),
    )
    .await;
    // And those that are moved there together.
    for file in moved_together(&person, &deep).await {
        until("the replica that the folder asks for is there", async || {
            (targets_of(&person, &file).await == names(&both)).then_some(())
        })
        .await;
    }
    // And one that is restored to there.
    let restored = person.store("e", None, &fresh(1000)).await.file;
    person.api.trash_file(&restored.id).await.unwrap();
    let to = Destination {
        name: "e".to_owned(),
        ..to
    };
    let restored = person.api.restore(&restored.id, Some(&to)).await.unwrap();
    until("the replica that the folder asks for is there", async || {
        (targets_of(&person, &restored).await == names(&both)).then_some(())
    })
    .await;
    // Also those that somebody else has, and that were proved to be there.
    let shared = fresh(PROVABLE);
    other.store("shared", None, &shared).await;
    let proved = person.store("shared", Some(&deep), &shared).await;
    assert_eq!((proved.how, proved.parts_sent), (How::Instant, 0));
    let both = [&usual[..], &[two.name.as_str()]].concat();
    until("the further replica is there", async || {
        (targets_of(&person, &proved.file).await == names(&both)).then_some(())
    })
    .await;
    // Nobody else's files get there.
    let theirs = other.store("a", None, &fresh(1000)).await.file;
    assert_eq!(targets_of(&other, &theirs).await, names(&usual));
    for place in [&one, &two] {
        audit::target(&place.name).await;
    }
    mine.remove().await;
}

/// Every target's numbers are those of its replicas, whatever all the other tests are doing at the same time.
#[tokio::test]
async fn the_numbers_of_all_targets_are_true() {
    let operator = Person::new().await;
    operator.become_operator().await;
    for target in operator.api.targets().await.unwrap() {
        audit::target(&target.name).await;
    }
}
