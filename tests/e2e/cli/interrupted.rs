//! A program that is killed half-way, and the same command again.
//!
//! The program's bytes go through a proxy that lets some parts pass and holds the others, so that "half-way" is always
//! the same place, and that counts what is sent.

use super::signed_up;
use crate::harness::bytes::{PART, fresh};
use crate::harness::cli::Terminal;
use crate::harness::proxy::{Act, Proxy, Seen};
use crate::harness::wait::until;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus};
use std::sync::atomic::{AtomicUsize, Ordering};

const PARTS: usize = 12;
/// How many parts pass before the program is killed.
const PASSED: usize = 5;

/// Lets the first `PASSED` of an operation pass, and holds those after them.
fn only_some(operation: &'static str) -> impl Fn(&Seen) -> Act + Send + Sync + 'static {
    let passed = AtomicUsize::new(0);
    move |seen| {
        let held = seen.operation == operation && passed.fetch_add(1, Ordering::SeqCst) >= PASSED;
        if held { Act::Hold } else { Act::Pass }
    }
}

/// The numbers of the parts that were sent, sorted.
fn part_numbers(proxy: &Proxy) -> Vec<u32> {
    let number = |seen: &Seen| {
        let pair = seen
            .path
            .split(['?', '&'])
            .find_map(|pair| pair.strip_prefix("partNumber="))?;
        pair.parse().ok()
    };
    let mut numbers: Vec<u32> = proxy.seen().iter().filter_map(number).collect();
    numbers.sort_unstable();
    numbers
}

/// `kill -9`, and what became of it.
fn kill(mut program: Child) -> ExitStatus {
    program.kill().unwrap();
    let output = program.wait_with_output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), "", "it had not finished");
    output.status
}

/// How many parts of an unfinished upload the store has. Before it has begun there is no such thing.
fn count(terminal: &Terminal, name: &str) -> usize {
    let output = terminal.run(&["--json", "status", name]);
    let status: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
    let received = &status["uploads"][0]["received"];
    received.as_array().map_or(0, Vec::len)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upload_goes_on_without_sending_a_part_again() {
    let (mut terminal, _) = signed_up();
    let bytes = fresh(PARTS * PART - 100);
    std::fs::write(terminal.path("file"), &bytes).unwrap();
    let proxy = Proxy::start(only_some("S3 UploadPart")).await;
    terminal.through(Some(&proxy.url));
    let program = terminal
        .command(&["--json", "upload", "file", "--streams", "3"])
        .spawn()
        .unwrap();
    until("some parts have passed and others wait", async || {
        (part_numbers(&proxy).len() == PASSED + 3).then_some(())
    })
    .await;
    until("the store has them", async || {
        (count(&terminal, "file") == PASSED).then_some(())
    })
    .await;
    assert!(!kill(program).success());

    let before = terminal.json(&["status", "file"])["uploads"][0].clone();
    assert_eq!(
        (&before["state"], before["part_count"].as_u64()),
        (&json!("open"), Some(PARTS as u64))
    );
    let had: Vec<u32> = before["received"]
        .as_array()
        .unwrap()
        .iter()
        .map(|part| u32::try_from(part["number"].as_u64().unwrap()).unwrap())
        .collect();

    // The same command again, in a new process.
    let proxy = Proxy::start(|_| Act::Pass).await;
    terminal.through(Some(&proxy.url));
    let resumed = terminal.json(&["upload", "file", "--streams", "3"]);
    assert_eq!(
        (&resumed["how"], &resumed["parts_kept"], &resumed["parts_sent"]),
        (&json!("resumed"), &json!(PASSED), &json!(PARTS - PASSED))
    );
    let missing: Vec<u32> = (1..=u32::try_from(PARTS).unwrap())
        .filter(|number| !had.contains(number))
        .collect();
    assert_eq!(
        part_numbers(&proxy),
        missing,
        "each missing part once, and no other"
    );
    terminal.through(None);
    terminal.json(&["download", "file", "-o", "copy"]);
    assert!(std::fs::read(terminal.path("copy")).unwrap() == bytes);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_download_goes_on_without_fetching_a_part_again() {
    let (mut terminal, _) = signed_up();
    let bytes = fresh(PARTS * PART - 100);
    std::fs::write(terminal.path("file"), &bytes).unwrap();
    terminal.json(&["upload", "file"]);
    std::fs::remove_file(terminal.path("file")).unwrap();

    let proxy = Proxy::start(only_some("S3 GetObject")).await;
    terminal.through(Some(&proxy.url));
    let program = terminal
        .command(&["--json", "download", "file", "--streams", "3"])
        .spawn()
        .unwrap();
    let fetches = |proxy: &Proxy| {
        proxy
            .operations()
            .iter()
            .filter(|one| *one == "S3 GetObject")
            .count()
    };
    until("some parts have passed and others wait", async || {
        (fetches(&proxy) == PASSED + 3).then_some(())
    })
    .await;
    assert!(
        !terminal.path("file").exists(),
        "no half file under the final name"
    );
    // The part that passed last may still be on its way to the disk.
    let noted = || {
        let journal = terminal
            .names()
            .into_iter()
            .find(|name| name.ends_with(".journal"));
        std::fs::read_to_string(terminal.path(&journal.unwrap()))
            .unwrap()
            .lines()
            .count()
            - 1
    };
    until("what passed is on the disk", async || {
        (noted() == PASSED).then_some(())
    })
    .await;
    assert!(!kill(program).success());
    assert!(
        !terminal.path("file").exists(),
        "no half file under the final name"
    );
    assert!(
        terminal.names().iter().all(|name| name.starts_with('.')),
        "{:?}",
        terminal.names()
    );

    let proxy = Proxy::start(|_| Act::Pass).await;
    terminal.through(Some(&proxy.url));
    let resumed = terminal.json(&["download", "file", "--streams", "3"]);
    assert_eq!(
        (&resumed["parts_kept"], &resumed["parts_fetched"]),
        (&json!(PASSED), &json!(PARTS - PASSED))
    );
    assert_eq!(fetches(&proxy), PARTS - PASSED);
    assert_eq!(terminal.names(), ["file"], "nothing else is left");
    assert!(std::fs::read(terminal.path("file")).unwrap() == bytes);
}

/// What is wrong on the disk is fetched again, and never believed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_resumed_download_believes_nothing_that_it_did_not_check() {
    let (mut terminal, _) = signed_up();
    let bytes = fresh(PARTS * PART);
    std::fs::write(terminal.path("file"), &bytes).unwrap();
    terminal.json(&["upload", "file"]);
    let proxy = Proxy::start(only_some("S3 GetObject")).await;
    terminal.through(Some(&proxy.url));
    let arguments = ["--json", "download", "file", "-o", "copy", "--streams", "1"];
    let program = terminal.command(&arguments).spawn().unwrap();
    let part_file = || {
        let names = terminal.names().into_iter();
        names
            .map(PathBuf::from)
            .find(|name| name.extension().is_some_and(|is| is == "part"))
    };
    let noted = || {
        let journal = format!("{}.journal", part_file()?.display());
        let lines = std::fs::read_to_string(terminal.path(&journal))
            .ok()?
            .lines()
            .count();
        lines.checked_sub(1)
    };
    until("what passed is on the disk", async || {
        (noted() == Some(PASSED)).then_some(())
    })
    .await;
    kill(program);
    let path = terminal.path(part_file().unwrap().to_str().unwrap());
    let mut half = std::fs::read(&path).unwrap();
    half[2 * PART + 7] ^= 1;
    std::fs::write(&path, half).unwrap();
    terminal.through(None);
    let resumed = terminal.json(&["download", "file", "-o", "copy"]);
    assert_eq!(
        (&resumed["parts_kept"], &resumed["parts_fetched"]),
        (&json!(PASSED - 1), &json!(PARTS - PASSED + 1))
    );
    assert!(std::fs::read(terminal.path("copy")).unwrap() == bytes);
}

/// The file changed between the two tries: it is another file, and another upload.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_changed_is_not_mixed_with_what_it_was() {
    let (mut terminal, _) = signed_up();
    let mut bytes = fresh(PARTS * PART).to_vec();
    std::fs::write(terminal.path("file"), &bytes).unwrap();
    let proxy = Proxy::start(only_some("S3 UploadPart")).await;
    terminal.through(Some(&proxy.url));
    let program = terminal.command(&["--json", "upload", "file"]).spawn().unwrap();
    until("the store has some parts", async || {
        (count(&terminal, "file") == PASSED).then_some(())
    })
    .await;
    kill(program);
    bytes[5] ^= 1;
    std::fs::write(terminal.path("file"), &bytes).unwrap();
    terminal.through(None);
    let uploaded = terminal.json(&["upload", "file"]);
    assert_eq!(
        (&uploaded["how"], &uploaded["parts_sent"]),
        (&json!("sent"), &json!(PARTS))
    );
    terminal.json(&["download", "file", "-o", "copy"]);
    assert!(std::fs::read(terminal.path("copy")).unwrap() == bytes);
    // What the first try sent can be given up.
    let status = terminal.json(&["status", "file"]);
    assert_eq!(status["uploads"].as_array().unwrap().len(), 1);
    terminal.json(&["rm", "--upload", "file"]);
    assert_eq!(terminal.json(&["status", "file"])["uploads"], json!([]));
    assert_eq!(terminal.json(&["whoami"])["account"]["used_bytes"], bytes.len());
}

/// A file is replaced when somebody says so, and not because somebody else said so once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upload_that_replaces_is_carried_on_by_another_that_does() {
    let (mut terminal, _) = signed_up();
    std::fs::write(terminal.path("file"), fresh(1000)).unwrap();
    let there = terminal.json(&["upload", "file"])["file"].clone();
    std::fs::write(terminal.path("file"), fresh(PARTS * PART)).unwrap();
    let proxy = Proxy::start(only_some("S3 UploadPart")).await;
    terminal.through(Some(&proxy.url));
    let arguments = ["--json", "upload", "file", "--on-conflict", "replace"];
    let program = terminal.command(&arguments).spawn().unwrap();
    until("the store has some parts", async || {
        (count(&terminal, "file") == PASSED).then_some(())
    })
    .await;
    kill(program);
    terminal.through(None);
    let error = terminal.fails(5, &["upload", "file"]);
    assert_eq!(error["code"], "name_taken");
    let status = terminal.json(&["status", "file"]);
    assert_eq!(status["node"]["content_id"], there["content_id"]);
    let replaced = terminal.json(&arguments[1..]);
    assert_eq!(
        (&replaced["how"], &replaced["parts_kept"], &replaced["file"]["id"]),
        (&json!("resumed"), &json!(PASSED), &there["id"])
    );
}

/// What was sent for a folder that is gone since: no path leads there, but it is listed, goes on, or is given up.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upload_outlives_its_folder() {
    let (mut terminal, _) = signed_up();
    let bytes = fresh(PARTS * PART);
    std::fs::write(terminal.path("file"), &bytes).unwrap();
    let proxy = Proxy::start(only_some("S3 UploadPart")).await;
    terminal.through(Some(&proxy.url));
    let program = terminal
        .command(&["--json", "upload", "file", "--to", "x"])
        .spawn()
        .unwrap();
    until("the store has some parts", async || {
        (count(&terminal, "x/file") == PASSED).then_some(())
    })
    .await;
    kill(program);
    terminal.through(None);
    assert_eq!(terminal.json(&["rm", "x"])["open_uploads"], 1);
    terminal.fails(4, &["status", "x/file"]);
    let listed = terminal.json(&["uploads"])["items"].clone();
    assert_eq!(
        (
            &listed[0]["path"],
            &listed[0]["folder_is_gone"],
            &listed[0]["parts_received"]
        ),
        (&Value::Null, &json!(true), &json!(PASSED))
    );
    // With another choice, too.
    let arguments = ["upload", "file", "--to", "x", "--on-conflict", "rename"];
    let resumed = terminal.json(&arguments);
    assert_eq!(
        (&resumed["how"], &resumed["path"], &resumed["parts_kept"]),
        (&json!("resumed"), &json!("x/file"), &json!(PASSED))
    );
    terminal.json(&["download", "x/file", "-o", "copy"]);
    assert!(std::fs::read(terminal.path("copy")).unwrap() == bytes);
    assert_eq!(terminal.json(&["uploads"])["items"], json!([]));
    assert_eq!(terminal.json(&["whoami"])["account"]["used_bytes"], bytes.len());
}

/// Killed between the challenge and the answer.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_proof_that_never_arrived_is_given_by_the_next_run() {
    let ((owner, _), (mut other, _)) = (signed_up(), signed_up());
    let bytes = fresh(2 * PART);
    for terminal in [&owner, &other] {
        std::fs::write(terminal.path("file"), &bytes).unwrap();
    }
    owner.json(&["upload", "file"]);
    let is_proof = |seen: &Seen| seen.path.ends_with("/proof");
    let proxy = Proxy::start(move |seen| if is_proof(seen) { Act::Hold } else { Act::Pass }).await;
    other.through(Some(&proxy.url));
    let program = other.command(&["--json", "upload", "file"]).spawn().unwrap();
    until("the answer is on its way", async || {
        proxy.seen().iter().any(is_proof).then_some(())
    })
    .await;
    kill(program);
    assert_eq!(
        other.json(&["status", "file"])["uploads"][0]["state"],
        "proof_required"
    );
    let proxy = Proxy::start(|_| Act::Pass).await;
    other.through(Some(&proxy.url));
    let instant = other.json(&["upload", "file"]);
    assert_eq!(
        (&instant["how"], &instant["parts_sent"]),
        (&json!("instant"), &json!(0))
    );
    assert_eq!(part_numbers(&proxy), [0; 0], "no byte was sent");
    other.through(None);
    assert_eq!(other.json(&["status", "file"])["uploads"], json!([]));
    other.json(&["download", "file", "-o", "copy"]);
    assert!(std::fs::read(other.path("copy")).unwrap() == bytes);
}

/// Ctrl-C is no accident: it says how to go on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ctrl_c_says_how_to_go_on() {
    let (mut terminal, _) = signed_up();
    std::fs::write(terminal.path("a file"), fresh(PARTS * PART)).unwrap();
    let proxy = Proxy::start(only_some("S3 UploadPart")).await;
    terminal.through(Some(&proxy.url));
    let program = terminal.command(&["upload", "a file"]).spawn().unwrap();
    until("the store has some parts", async || {
        (count(&terminal, "a file") == PASSED).then_some(())
    })
    .await;
    let interrupt = format!("kill -INT {}", program.id());
    assert!(
        Command::new("sh")
            .args(["-c", &interrupt])
            .status()
            .unwrap()
            .success()
    );
    let output = program.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(
        said.contains("interrupted") && said.contains("upload 'a file'"),
        "{said}"
    );
}
