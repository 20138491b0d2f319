//! What is asked of AWS for a file, counted, and what that costs. `docs/costs.md` has the same.

#![allow(
    clippy::disallowed_methods,
    reason = "a variable has the document written again"
)]
#![allow(clippy::expect_used, reason = "a test stops where it fails, and says so")]

use bytes::Bytes;
use simulation::cloud::Counts;
use simulation::person::Person;
use simulation::world::{World, run};
use std::fmt::Write;
use std::path::Path;
use std::time::Duration;
use tokio::time::sleep;

/// How many files are uploaded: enough that what is done for some at once counts as it does for many.
const FILES: u32 = 20;
const KIB: usize = 1024;
/// The requests of a client for one file: begin, sign, complete.
const API_CALLS: f64 = 3.0;

/// Prices of us-east-1 in dollars for a million, as AWS's price list had them in November 2026.
mod prices {
    pub(super) const API: f64 = 3.50;
    pub(super) const READ_UNIT: f64 = 0.125;
    pub(super) const WRITE_UNIT: f64 = 0.625;
    /// PUT, COPY, POST and LIST.
    pub(super) const S3_PUT: f64 = 5.00;
    /// GET, HEAD and the rest. DELETE and the end of a multipart upload cost nothing.
    pub(super) const S3_GET: f64 = 0.40;
    pub(super) const SQS: f64 = 0.40;
    pub(super) const SECRETS: f64 = 5.00;
}

/// Uploads files of 10 KiB, each of another content, and replicates them to one target, all functions warm.
async fn small_files(world: &World) -> Counts {
    world.set_targets(&["near"], &[]);
    let _ = world.invoke("sweep", serde_json::json!({})).await;
    let ada = Person::sign_up(world, "ada").await.expect("an account");
    let content = |number: u32| Bytes::from(number.to_be_bytes().repeat(10 * KIB / 4));
    let upload = async |number: u32| {
        let name = format!("file-{number}");
        let stored = ada.store(&name, None, &content(number), true, "fail").await;
        stored.expect("stored");
        while world.work_on_messages().await {}
        sleep(Duration::from_millis(10)).await;
    };
    upload(0).await;
    let before = world.cloud.counts();
    for number in 1..=FILES {
        upload(number).await;
    }
    world.cloud.counts().since(&before)
}

/// Dollars for a million requests of this operation.
fn price(operation: &str) -> f64 {
    match operation.split_once(' ') {
        Some(("S3", "AbortMultipartUpload" | "DeleteObject" | "DeleteObjects")) => 0.0,
        Some(("S3", verb)) if verb.starts_with("Get") || verb.starts_with("Head") => prices::S3_GET,
        Some(("S3", _)) => prices::S3_PUT,
        Some(("SQS", _)) => prices::SQS,
        Some(("SecretsManager", _)) => prices::SECRETS,
        // By its units.
        _ => 0.0,
    }
}

/// The table of docs/costs.md: for each service what a file asks of it, and dollars for a million files.
fn table(counts: &Counts) -> String {
    let files = f64::from(FILES);
    let mut text = "| | for a file | dollars for a million |\n|---|---|---|\n".to_owned();
    let mut total = API_CALLS * prices::API;
    let _ = writeln!(text, "| API Gateway | 3 calls | {total:.2} |");
    for service in ["S3", "SQS"] {
        let of_it = counts
            .requests
            .iter()
            .filter(|(operation, _)| operation.starts_with(service));
        let (mut words, mut dollars) = (Vec::new(), 0.0);
        for (operation, count) in of_it {
            let count = f64::from(u32::try_from(*count).expect("few")) / files;
            let name = operation.split(' ').nth(1).expect("two words");
            words.push(format!("{count} {name}"));
            dollars += count * price(operation);
        }
        let _ = writeln!(text, "| {service} | {} | {dollars:.2} |", words.join(", "));
        total += dollars;
    }
    let (reads, writes) = (counts.read_units / files, counts.write_units / files);
    let dollars = reads * prices::READ_UNIT + writes * prices::WRITE_UNIT;
    let _ = writeln!(
        text,
        "| DynamoDB | {reads:.1} read units, {writes:.1} write units | {dollars:.2} |"
    );
    total += dollars;
    let _ = writeln!(text, "| together | | {total:.2} |");
    text
}

#[test]
fn the_costs_of_small_files_are_documented() {
    const BEGIN: &str = "<!-- Counted by crates/simulation/tests/costs.rs. -->\n\n";
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/costs.md");
    let document = std::fs::read_to_string(&path).expect("docs/costs.md");
    let (before, rest) = document.split_once(BEGIN).expect("a place for the table");
    let (there, after) = rest.split_once("\n\n").expect("an end of the table");
    let table = table(&run(3, small_files));
    if std::env::var_os("LONGSHORE_WRITE_DOCS").is_some() {
        std::fs::write(&path, format!("{before}{BEGIN}{table}\n{after}")).expect("written");
        return;
    }
    assert_eq!(
        format!("{there}\n"),
        table,
        "meant? LONGSHORE_WRITE_DOCS=1 cargo test -p simulation --test costs"
    );
}

/// Nothing that is priced is overlooked.
#[test]
fn every_request_is_counted() {
    let counts = run(3, small_files);
    let files = u64::from(FILES);
    for operation in [
        "S3 CreateMultipartUpload",
        "S3 UploadPart",
        "S3 CompleteMultipartUpload",
    ] {
        assert_eq!(
            counts.requests.get(operation),
            Some(&files),
            "{operation}: {counts:?}"
        );
    }
    let dynamodb = counts
        .requests
        .keys()
        .filter(|operation| operation.starts_with("DynamoDB"));
    assert!(dynamodb.count() >= 5, "{counts:?}");
    let by_index: f64 = counts.by_index.values().sum();
    assert!(
        (by_index - counts.read_units - counts.write_units).abs() < 0.01,
        "{counts:?}"
    );
    let hottest = counts.hottest(3);
    // What an account does goes through its own partition.
    assert!(hottest[0].0.starts_with("ACCOUNT#"), "{hottest:?}");
}
