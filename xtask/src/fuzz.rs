//! `cargo xtask fuzz`: schemathesis against a running stack, from the OpenAPI document that this serves.
//!
//! What is asked (tests/fuzz/schemathesis.toml): that no answer is a server error, that every answer's
//! status, type, headers and body are as the document says, that what the document forbids is refused, that
//! nothing opens without a token, and that what was deleted is gone.

use crate::venv::{self, Tool};
use crate::{stack, tools, ui, workspace};
use anyhow::{Context, Result, ensure};
use std::path::Path;
use std::process::{Command, Stdio};

/// So many examples of each endpoint.
const EXAMPLES: u32 = 1000;
/// So many cases they are at the least.
const FEWEST: u64 = 20_000;

/// On the stack that runs.
pub(crate) fn run(state: &Path, examples: Option<u32>) -> Result<()> {
    let about = stack::about_file(state);
    ensure!(about.exists(), "no stack runs; cargo xtask up starts one");
    let cases = at(&about, examples.unwrap_or(EXAMPLES))?;
    ui::detail(&format!("{cases} cases"));
    if examples.is_none() {
        ensure!(cases >= FEWEST, "{FEWEST} were expected at the least");
    }
    Ok(())
}

/// On any stack. Returns how many cases there were.
pub(crate) fn at(about: &Path, examples: u32) -> Result<u64> {
    let api = tools::read_json(about)?["api_url"].as_str().map(str::to_owned);
    let api = api.context("the stack has no API")?;
    let venv = venv::tool(&Tool::Fuzz)?;
    let folder = workspace::root().join("tests/fuzz");
    // It writes what it found next to where it runs.
    let scratch = workspace::target().join("fuzz");
    std::fs::create_dir_all(&scratch)?;
    let mut command = Command::new(venv.program("st"));
    command
        .args(["--config-file", &folder.join("schemathesis.toml").to_string_lossy()])
        .args(["run", &format!("{api}/v1/openapi.json"), "--url", &api])
        .args(["--max-examples", &examples.to_string()])
        .args(["--continue-on-failure", "--no-color"])
        // An address at the object store is none of the API.
        .args(["--max-redirects", "0"])
        .env("PYTHONPATH", &folder)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("SCHEMATHESIS_HOOKS", "hooks")
        .env("LONGSHORE_STACK", about)
        .current_dir(&scratch)
        .stdout(Stdio::piped());
    let output = command.output().context("cannot run schemathesis")?;
    let said = String::from_utf8_lossy(&output.stdout);
    let cases = cases(&said);
    if !output.status.success() || cases.is_none() {
        ui::line(&said);
    }
    ensure!(output.status.success(), "schemathesis found something");
    cases.context("schemathesis does not say how many cases there were")
}

/// What `Test cases:` and the line after it, `945 generated, 943 passed`, say.
fn cases(said: &str) -> Option<u64> {
    let (_, rest) = said.rsplit_once("Test cases:")?;
    let (number, _) = rest.trim_start().split_once(" generated")?;
    number.replace(',', "").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cases_are_counted() {
        let said = "...\nTest cases:\n  945 generated, 2 found 2 unique failures, 48 skipped\n\nSeed: 1\n";
        assert_eq!(cases(said), Some(945));
        assert_eq!(
            cases("Test cases:\n  21,045 generated, 21,045 passed"),
            Some(21_045)
        );
        assert_eq!(cases("nothing"), None);
    }
}
