//! The tests as Cargo builds and cargo-nextest runs them, by `.config/nextest.toml`. It knows no tests in documentation, and
//! there are none.

use super::count::Count;
use super::test_stack::TestStack;
use crate::venv::{self, Tool};
use crate::{build, oss, process, ui, workspace};
use anyhow::{Context, Result, bail, ensure};
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

const CONFORMANCE: &str = "conformance";

/// What one `cargo nextest` command tests.
#[derive(Clone)]
pub(super) struct Tests {
    pub(super) title: &'static str,
    packages: Vec<String>,
    /// Only the end-to-end tests of these packages. The packages stay, for Cargo chooses one set of features for all
    /// that a command names.
    end_to_end: bool,
    /// Parts of the names of those that are run here, if not all are.
    only: &'static [&'static str],
}

impl Tests {
    fn command(&self, verb: &str) -> Result<Command> {
        let mut command = Command::new(venv::tool(&Tool::Nextest)?.program("cargo-nextest"));
        command
            .args(["nextest", verb, "--release", "--target", &build::host()?])
            .current_dir(workspace::root());
        build::without_our_own_settings(&mut command);
        for name in &self.packages {
            command.args(["--package", name]);
        }
        if self.end_to_end {
            command.args(["--test", "e2e"]);
        }
        Ok(command)
    }

    /// Those of them that have one of these in their names; all, if there are none of these.
    pub(super) fn with(mut self, words: &'static [&'static str]) -> Self {
        self.only = words;
        self
    }

    fn has(&self, name: &str) -> bool {
        self.only.is_empty() || has(name, self.only)
    }
}

/// Three commands, for what is named together gets one set of features: what the client asks of shared crates would have the
/// AWS SDK built once more, and what others ask of them the DynamoDB server, which is built by itself to be run.
pub(super) fn cargo_tests() -> Result<[Tests; 3]> {
    const CLIENT: &str = "client";
    let tests = |title, packages| Tests {
        title,
        packages,
        end_to_end: false,
        only: &[],
    };
    let mut server = workspace::crates()?;
    server.retain(|name| name != CLIENT);
    server.push("functions".to_owned());
    let client = [CLIENT, "longshore", "xtask", "e2e", "bench", "oss-server"].map(str::to_owned);
    Ok([
        tests("the tests of the server", server),
        tests(
            "the tests of the DynamoDB server",
            vec!["dynamodb-server".to_owned()],
        ),
        tests("the tests of client and tools, end to end", client.to_vec()),
    ])
}

pub(super) fn end_to_end() -> Result<Tests> {
    let [.., mut tests] = cargo_tests()?;
    tests.title = "the end-to-end tests";
    tests.end_to_end = true;
    Ok(tests)
}

/// What servers are put through. Built beside the functions, it shares the AWS SDK with them; beside the client, which has
/// none, the SDK would be built once more.
pub(super) fn conformance() -> Tests {
    Tests {
        title: "what the functions rely on",
        packages: ["all-functions", CONFORMANCE].map(str::to_owned).to_vec(),
        end_to_end: true,
        only: &[],
    }
}

/// The names of all tests.
pub(super) fn names(tests: &Tests) -> Result<Vec<String>> {
    let listed = process::output(tests.command("list")?.args(["--message-format", "oneline"]))?;
    // Before each its program's.
    let names = listed.lines().filter_map(|line| line.split_once(' '));
    Ok(names.map(|(_, name)| name.to_owned()).collect())
}

/// The names of those that are run.
pub(super) fn chosen(tests: &Tests) -> Result<Vec<String>> {
    let mut chosen = names(tests)?;
    chosen.retain(|name| tests.has(name));
    Ok(chosen)
}

pub(super) fn compile(all: &[&Tests]) -> Result<()> {
    ui::step("Building the tests", || {
        for tests in all {
            process::run(tests.command("run")?.arg("--no-run"))?;
        }
        Ok(())
    })
}

/// Runs tests, shows what they say, and counts.
pub(super) fn run_tests(tests: &Tests, place: &TestStack) -> Result<Count> {
    let mut command = tests.command("run")?;
    command.arg("--").args(tests.only);
    for word in place.left_out.iter().chain(&place.run_elsewhere) {
        command.args(["--skip", word]);
    }
    let mut count = run_command(with_others(command, tests)?, place)?;
    if !place.run_elsewhere.is_empty() || !tests.only.is_empty() {
        let all = names(tests)?;
        for word in tests.only {
            ensure!(
                all.iter().any(|name| name.contains(word)),
                "no test has {word:?} in its name"
            );
        }
        let not_missed = all.iter().filter(|name| {
            let elsewhere = has(name, &place.run_elsewhere) || !tests.has(name);
            elsewhere && !has(name, &place.left_out)
        });
        count.skipped = count.skipped.saturating_sub(not_missed.count() as u64);
    }
    Ok(count)
}

/// Runs the tests that have this in their names. What was left out of them is counted already.
pub(super) fn run_only(word: &str, tests: &Tests, place: &TestStack) -> Result<Count> {
    let mut command = tests.command("run")?;
    command.args(["--", word]);
    for left_out in &place.left_out {
        command.args(["--skip", left_out]);
    }
    let skipped = 0;
    Ok(Count {
        skipped,
        ..run_command(with_others(command, tests)?, place)?
    })
}

/// What the conformance suite needs to start the DynamoDB of others, where these can be had.
fn with_others(mut command: Command, tests: &Tests) -> Result<Command> {
    if tests.packages.iter().any(|name| name == CONFORMANCE) {
        command.env("LONGSHORE_MINISTACK_PYTHON", venv::embedded()?.python());
        if venv::no_localstack().is_none() {
            command.env("LONGSHORE_MOTO_PYTHON", venv::localstack()?.python());
        }
    }
    Ok(command)
}

pub(super) fn has(name: &str, words: &[&str]) -> bool {
    words.iter().any(|word| name.contains(word))
}

fn run_command(mut command: Command, place: &TestStack) -> Result<Count> {
    command
        .envs(place.environment.clone())
        .env("LONGSHORE_STACK", &place.stack)
        .env("LONGSHORE_CLI", workspace::cli())
        .env("LONGSHORE_OSS_CLIENTS", oss::clients()?);
    if let Some(ceph) = &place.ceph {
        command.env("LONGSHORE_CEPH", ceph);
    }
    let mut child = command
        .stderr(Stdio::piped())
        .spawn()
        .context("cannot run cargo-nextest")?;
    let said = child.stderr.take().context("cargo-nextest has no output")?;
    let mut count = Count::default();
    for line in BufReader::new(said).lines() {
        let line = line?;
        ui::line(&line);
        count.add_line(&line);
    }
    let status = child.wait()?;
    if !status.success() && count.failed == 0 {
        // What it says of itself is shown above.
        count.failed += 1;
    }
    if count.passed == 0 && count.failed == 0 {
        bail!("no test ran");
    }
    Ok(count)
}
