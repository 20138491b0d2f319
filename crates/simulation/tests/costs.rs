//! What files cost, as `docs/costs.md` says. The page cannot lie: this test counts again.

#![allow(
    clippy::disallowed_methods,
    reason = "a variable has the document written again"
)]
#![allow(clippy::expect_used, reason = "a test stops where it fails, and says so")]

use simulation::cost::{self, measure, prices};
use std::path::Path;

#[test]
fn the_costs_are_documented() {
    const BEGIN: &str = "<!-- Counted by crates/simulation/tests/costs.rs. -->\n\n";
    const END: &str = "\n<!-- Until here. -->\n";
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/costs.md");
    let document = std::fs::read_to_string(&path).expect("docs/costs.md");
    let (before, rest) = document.split_once(BEGIN).expect("a place for the tables");
    let (there, after) = rest.split_once(END).expect("an end of the tables");
    let counted = cost::document();
    if std::env::var_os("LONGSHORE_WRITE_DOCS").is_some() {
        std::fs::write(&path, format!("{before}{BEGIN}{counted}{END}{after}")).expect("written");
        return;
    }
    assert_eq!(
        there, counted,
        "meant? LONGSHORE_WRITE_DOCS=1 cargo test -p simulation --test costs"
    );
    assert!(
        before.contains(prices::SOURCE),
        "docs/costs.md says: {}",
        prices::SOURCE
    );
}

/// Nothing that is priced is overlooked.
#[test]
fn every_request_is_counted() {
    let (uploads, deletes) = measure::small_files();
    let files = u64::from(measure::FILES);
    let counts = &uploads.counts;
    for operation in [
        "API Gateway request",
        "S3 CreateMultipartUpload",
        "S3 UploadPart",
        "S3 CompleteMultipartUpload",
        "SQS ReceiveMessage by Lambda",
        "SQS DeleteMessageBatch by Lambda",
    ] {
        let expected = if operation == "API Gateway request" {
            3 * files
        } else {
            files
        };
        assert_eq!(
            counts.requests.get(operation),
            Some(&expected),
            "{operation}: {counts:?}"
        );
    }
    for function in [
        "upload-create",
        "upload-sign-parts",
        "upload-complete",
        "replicate",
    ] {
        assert_eq!(counts.functions[function].requests, files, "{counts:?}");
    }
    for operation in counts.requests.keys().chain(deletes.counts.requests.keys()) {
        let is_free =
            ["S3 AbortMultipartUpload", "S3 DeleteObject", "S3 DeleteObjects"].contains(&operation.as_str());
        let by_units = operation.starts_with("DynamoDB ");
        assert!(
            is_free || by_units || prices::of_request(operation).is_some(),
            "{operation} has no price"
        );
    }
    let by_index: f64 = counts.by_index.values().sum();
    assert!(
        (by_index - counts.read_units - counts.write_units).abs() < 0.01,
        "{counts:?}"
    );
    let hottest = counts.hottest(3);
    // What an account does goes through its own partition.
    assert!(hottest[0].0.starts_with("ACCOUNT#"), "{hottest:?}");
}
