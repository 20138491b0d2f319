//! The main job on a big file of real data: the libraries of the Rust toolchain.
//!
//! `LONGSHORE_BIG_MIB` sets its size.

use super::TARGET;
use crate::harness::bytes::unique;
use crate::harness::ceph;
use crate::harness::cli::Terminal;
use crate::harness::person::new_username;
use crate::harness::processes::function_processes;
use crate::harness::sandbox::peak_memory;
use client::types::Node;
use domain::content::PartDigest;
use serde_json::json;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// How large the file is, unless the environment says otherwise.
const USUAL_MIB: u64 = 1024;
/// How many parts the command line sends at once.
const STREAMS: u64 = 4;
/// What no function may exceed.
const MEMORY_KIB: u64 = 128 * 1024;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_big_file_goes_up_and_comes_down_and_is_at_the_target() {
    let mib = std::env::var("LONGSHORE_BIG_MIB").map_or(USUAL_MIB, |text| text.parse().unwrap());
    let parts = mib.div_ceil(8);
    let memory = Memory::default();
    let watch = tokio::spawn(watch_memory(memory.clone()));
    let terminal = Terminal::new();
    let clock = Clock::new(mib);
    make(&terminal.path("big.tar"), mib);
    clock.say("made of the toolchain's libraries");
    terminal.json(&["signup", &new_username()]);

    let mut program = terminal
        .command(&["--json", "upload", "big.tar"])
        .spawn()
        .unwrap();
    let sent = |terminal: &Terminal| {
        let status = Command::output(&mut terminal.command(&["--json", "status", "big.tar"])).unwrap();
        let status: serde_json::Value = serde_json::from_slice(&status.stdout).unwrap_or_default();
        status["uploads"][0]["received"].as_array().map_or(0, Vec::len) as u64
    };
    // Early: on a slow machine much more is sent between two looks.
    while sent(&terminal) < parts / 8 {
        assert_eq!(
            program.try_wait().unwrap(),
            None,
            "it ended before it could be killed"
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    program.kill().unwrap();
    program.wait().unwrap();
    let had = sent(&terminal);
    clock.say(&format!("hashed, {had} of {parts} parts sent, killed"));
    let uploaded = terminal.json(&["upload", "big.tar"]);
    assert_eq!(uploaded["how"], "resumed");
    // What was on its way when the program was killed may have arrived since.
    let kept = uploaded["parts_kept"].as_u64().unwrap();
    assert!((had..=had + STREAMS).contains(&kept), "{kept} of {had} kept");
    clock.say("resumed and complete");

    let listed = terminal.json(&["ls"]);
    assert_eq!(
        (&listed["items"][0]["name"], &listed["items"][0]["size"]),
        (&json!("big.tar"), &json!(mib << 20))
    );
    let file: Node = serde_json::from_value(uploaded["file"].clone()).unwrap();
    let key = wait_for_replica(&terminal, &file).await;
    clock.say("replicated");

    terminal.json(&["download", "big.tar", "-o", "copy.tar"]);
    clock.say("downloaded");
    same(&terminal.path("big.tar"), &terminal.path("copy.tar"));
    fs::remove_file(terminal.path("copy.tar")).unwrap();
    ceph::download(&key, &terminal.path("ceph.tar"));
    clock.say("read from Ceph with boto3");
    same(&terminal.path("big.tar"), &terminal.path("ceph.tar"));
    assert_eq!(ceph::multipart_uploads(&key), 0);
    terminal.json(&["rm", "--permanently", "big.tar"]);

    watch.abort();
    note_memory(&memory);
    let most = memory.lock().unwrap();
    println!("peak memory: {most:?}");
    for (function, kib) in most.iter() {
        assert!(*kib < MEMORY_KIB, "{function} has used {kib} KiB");
    }
    for function in ["upload-complete", "upload-sign-parts", "replicate"] {
        assert!(most.contains_key(function), "{function} was not seen: {most:?}");
    }
}

/// The bytes of the toolchain, after something that makes them new.
fn make(path: &Path, mib: u64) {
    let mut file = File::create(path).unwrap();
    writeln!(file, "{:032x}", unique()).unwrap();
    let rustc = Command::new("rustc")
        .args(["--print", "sysroot"])
        .output()
        .unwrap();
    let sysroot = String::from_utf8(rustc.stdout).unwrap();
    let mut left = (mib << 20) - file.metadata().unwrap().len();
    while left > 0 {
        let mut tar = Command::new("tar")
            .args(["--create", "--file=-", "--directory", sysroot.trim(), "lib"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let copied = io::copy(&mut tar.stdout.take().unwrap().take(left), &mut file).unwrap();
        // It may be cut off, which it minds.
        let _ = tar.wait();
        assert!(copied > 0, "there is nothing in {sysroot}");
        left -= copied;
    }
}

/// Stops unless two files have the same bytes.
fn same(left: &Path, right: &Path) {
    let digest = |path: &Path| {
        let mut file = File::open(path).unwrap();
        let mut digests = Vec::new();
        let mut piece = vec![0; 1 << 24];
        loop {
            let mut length = 0;
            while length < piece.len() {
                match file.read(&mut piece[length..]).unwrap() {
                    0 => break,
                    more => length += more,
                }
            }
            if length == 0 {
                return digests;
            }
            digests.push(PartDigest::of(&piece[..length]));
        }
    };
    assert!(
        digest(left) == digest(right),
        "{} and {} differ",
        left.display(),
        right.display()
    );
}

/// Asks the command line, as a person would.
async fn wait_for_replica(terminal: &Terminal, file: &Node) -> String {
    let began = Instant::now();
    loop {
        let status = terminal.json(&["status", &file.name]);
        let replicas = status["node"]["replicas"].as_array().unwrap();
        let replica = replicas
            .iter()
            .find(|replica| replica["target"] == TARGET)
            .unwrap();
        if replica["state"] == "available" {
            assert_eq!(replica["bytes_done"].as_u64(), file.size);
            return replica["key"].as_str().unwrap().to_owned();
        }
        assert_ne!(replica["state"], "failed", "{replica}");
        assert!(began.elapsed() < Duration::from_mins(10), "{replica}");
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

/// Says how long each step took.
struct Clock {
    mib: u64,
    last: std::cell::Cell<Instant>,
}

impl Clock {
    fn new(mib: u64) -> Self {
        Self {
            mib,
            last: std::cell::Cell::new(Instant::now()),
        }
    }

    fn say(&self, what: &str) {
        let time = self.last.replace(Instant::now()).elapsed();
        println!("{} MiB {what}: {:.1} s", self.mib, time.as_secs_f64());
    }
}

/// The most memory that each function of the stack has used so far, in KiB.
type Memory = Arc<Mutex<BTreeMap<String, u64>>>;

/// Looks at the kernel's own high-water mark of every process that is there.
fn note_memory(memory: &Memory) {
    for process in function_processes() {
        let Some(kib) = peak_memory(process.pid) else {
            continue;
        };
        let mut memory = memory.lock().unwrap();
        let most = memory.entry(process.function).or_default();
        *most = kib.max(*most);
    }
}

/// Looks all the time: a process may end before the test does.
async fn watch_memory(memory: Memory) {
    loop {
        note_memory(&memory);
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}
