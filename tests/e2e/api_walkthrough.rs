//! The steps in `docs/api.md` work when they are pasted into a shell.

use crate::harness::person::{PASSWORD, invitation_if_needed, new_username};
use crate::harness::stack::{root, stack};
use std::process::Command;

const BLOCK: &str = "\n```sh\n";

/// The shell blocks of the page, in order.
fn steps(page: &str) -> Vec<&str> {
    let blocks = page.split(BLOCK).skip(1);
    blocks
        .map(|rest| rest.split_once("\n```").expect("the end of a block").0)
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_steps_work_in_order() {
    let page = std::fs::read_to_string(root().join("docs/api.md")).unwrap();
    let steps = steps(&page);
    let headings = page.lines().filter(|line| {
        let heading = line.strip_prefix("### ");
        heading.is_some_and(|heading| heading.starts_with(|first: char| first.is_ascii_digit()))
    });
    assert_eq!(steps.len(), headings.count(), "one block for each numbered step");

    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new("bash");
    // Unlike an interactive shell it stops at the step that fails.
    command
        .args(["-euo", "pipefail", "-c", &steps.join("\n")])
        .current_dir(folder.path())
        .env("API", &stack().api_url)
        .env("NAME", new_username())
        .env("PASSWORD", PASSWORD)
        .env("INVITATION", invitation_if_needed().await.unwrap_or_default());
    let output = tokio::task::spawn_blocking(move || command.output());
    let output = output.await.unwrap().expect("bash");
    let (said, errors) = (
        String::from_utf8_lossy(&output.stdout).into_owned(),
        String::from_utf8_lossy(&output.stderr).into_owned(),
    );
    assert!(
        output.status.success(),
        "{}\n{said}\n{errors}\n(it needs bash, curl 7.76 or later, jq and openssl)",
        output.status
    );
    for line in ["stored as announced", "the store has [1]", "verified"] {
        assert!(
            said.lines().any(|is| is == line),
            "{line:?} is missing:\n{said}\n{errors}"
        );
    }
}
