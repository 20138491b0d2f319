//! `cargo xtask test`: everything that can be checked, from nothing, on a stack of its own.
//!
//! The stack lives in a folder of its own, on ports of its own, so a running `cargo xtask up` is not disturbed. Tests
//! that need a real Ceph have `real_ceph` in their path; where Ceph cannot be had they are left out, and counted.

use crate::ceph::{self, Availability};
use crate::ministack::MiniStack;
use crate::venv::{self, Venv};
use crate::{build, process, stack, tools, ui, workspace};
use anyhow::{Context, Result, bail};
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

/// Where to look for a port for the emulator: beyond those of a running stack, below those that connections get.
const FIRST_PORT: u16 = 14_566;
/// What a test that needs a real Ceph has in its path.
const NEEDS_CEPH: &str = "real_ceph";

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Count {
    passed: u64,
    failed: u64,
    skipped: u64,
}

pub(crate) fn run() -> Result<()> {
    let started = Instant::now();
    let venv = venv::embedded()?;
    let mut failures = checks()?;
    build::functions(&venv)?;
    build::cli()?;
    compile_tests()?;
    let stack = TestStack::start(&venv)?;
    let count = stack.run_tests()?;
    if count.failed > 0 {
        failures.push("tests");
    }
    stack.stop(failures.is_empty())?;

    let Count {
        passed,
        failed,
        skipped,
    } = count;
    ui::line("");
    if skipped > 0 {
        ui::line(&format!("!!! {skipped} tests were NOT run"));
    }
    ui::line(&format!("Everything took {}.", ui::duration(started.elapsed())));
    // Alone on its line, in the form that programs read.
    ui::line(&format!("{passed} passed, {failed} failed, {skipped} skipped"));
    if !failures.is_empty() {
        bail!("failed: {}", failures.join(", "));
    }
    Ok(())
}

/// Format and lints. A failure here does not keep the tests from running.
fn checks() -> Result<Vec<&'static str>> {
    let mut failures = Vec::new();
    let mut check = |name: &'static str, title: &str, mut command: Command| {
        if ui::step(title, || process::run(&mut command)).is_err() {
            failures.push(name);
        }
    };
    check(
        "format",
        "Checking the format (cargo fmt mends the files listed)",
        build::cargo(&["fmt", "--all", "--check", "--", "-l"]),
    );
    // The same profile and target as the builds: build scripts and macros are then compiled once for both.
    let host = build::host()?;
    let clippy = [
        "clippy",
        "--workspace",
        "--all-targets",
        "--release",
        "--target",
        &host,
        "--",
        "-D",
        "warnings",
    ];
    check("lints", "Checking with clippy", build::cargo(&clippy));
    Ok(failures)
}

/// Two commands, because Cargo chooses one set of features for all that a command names: what the client asks of
/// shared crates would have the AWS SDK built once more.
fn cargo_tests() -> Result<[Command; 2]> {
    const CLIENT: &str = "client";
    let command = |packages: &[String]| -> Result<Command> {
        let mut command = build::cargo(&["test", "--release", "--target", &build::host()?]);
        for name in packages {
            command.args(["--package", name]);
        }
        Ok(command)
    };
    let mut server = workspace::crates()?;
    server.retain(|name| name != CLIENT);
    server.extend(workspace::functions()?.into_iter().filter(|name| has_tests(name)));
    let client = [CLIENT, "longshore", "xtask", "e2e"].map(str::to_owned);
    Ok([command(&server)?, command(&client)?])
}

/// Whether a function has tests of its own: each takes a build of the whole function.
fn has_tests(function: &str) -> bool {
    let sources = workspace::root().join("functions").join(function).join("src");
    let files = fs::read_dir(sources).into_iter().flatten().flatten();
    files
        .filter_map(|file| fs::read_to_string(file.path()).ok())
        .any(|text| text.contains("#[cfg(test)]"))
}

fn compile_tests() -> Result<()> {
    ui::step("Building the tests", || {
        for mut command in cargo_tests()? {
            process::run(command.arg("--no-run"))?;
        }
        Ok(())
    })
}

/// A stack for tests: nothing of it stays when all is well.
struct TestStack {
    state: PathBuf,
    with_ceph: bool,
    stopped: bool,
}

impl TestStack {
    fn start(venv: &Venv) -> Result<Self> {
        let folder = workspace::target().join("test-stacks");
        clear_leftovers(&folder);
        let state = folder.join(std::process::id().to_string());
        fs::create_dir_all(&state)?;
        let mut stack = Self {
            state,
            with_ceph: false,
            stopped: false,
        };
        let port = tools::free_port(FIRST_PORT)?;
        ui::step("Starting the AWS emulator", || {
            MiniStack::new(&stack.state).start(venv, port)
        })?;
        let target = match ceph::available()? {
            Availability::Ready => {
                // Known before it runs, so that what started of it is stopped if the rest does not.
                stack.with_ceph = true;
                stack::ceph_target(&ceph::start(&stack.state)?)?
            }
            Availability::Missing(why) => {
                if std::env::var("CI").is_ok_and(|ci| !ci.is_empty() && ci != "false") {
                    bail!("CI skips nothing, and {why}");
                }
                ui::line(&format!(
                    "\n!!! NO REAL CEPH: {why}\n!!! The tests that need it are left out.\n"
                ));
                stack::local_target(port)
            }
        };
        stack::deploy(&stack.state, venv, port, &target, &stack::SHORT_LIVED)?;
        Ok(stack)
    }

    /// Runs the tests, shows what they say, and counts.
    fn run_tests(&self) -> Result<Count> {
        ui::line("==> Running the tests");
        let mut count = Count::default();
        for command in cargo_tests()? {
            self.run_command(command, &mut count)?;
        }
        if count.passed == 0 {
            bail!("no test ran");
        }
        Ok(count)
    }

    fn run_command(&self, mut command: Command, count: &mut Count) -> Result<()> {
        command.arg("--no-fail-fast").arg("--");
        if !self.with_ceph {
            command.args(["--skip", NEEDS_CEPH]);
        }
        if std::env::var_os("RUST_TEST_THREADS").is_none() {
            // Most of the tests' time is waiting: for leases to end, for messages to come back.
            command.env("RUST_TEST_THREADS", "6");
        }
        command.env("LONGSHORE_STACK", stack::about_file(&self.state));
        command.env("LONGSHORE_CLI", workspace::cli());
        if self.with_ceph {
            command.env("LONGSHORE_CEPH", ceph::about_file(&self.state));
        }
        let mut child = command
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot run cargo test")?;
        let out = child.stdout.take().context("cargo test has no output")?;
        let failed_before = count.failed;
        for line in BufReader::new(out).lines() {
            let line = line?;
            ui::line(&line);
            if let Some(result) = parse_result(&line) {
                count.passed += result.passed;
                count.failed += result.failed;
                count.skipped += result.skipped;
            }
        }
        let status = child.wait()?;
        if !status.success() && count.failed == failed_before {
            // A test program that died before it could count.
            count.failed += 1;
        }
        Ok(())
    }

    fn stop(mut self, remove: bool) -> Result<()> {
        ui::step("Stopping the stack", || self.halt())?;
        if remove {
            fs::remove_dir_all(&self.state)?;
        } else {
            ui::detail(&format!("logs and data are kept in {}", self.state.display()));
        }
        Ok(())
    }

    fn halt(&mut self) -> Result<()> {
        self.stopped = true;
        let ceph = ceph::down(&self.state);
        MiniStack::new(&self.state).stop()?;
        ceph
    }
}

impl Drop for TestStack {
    /// On the way out of an error: what was started is stopped, and the logs stay.
    fn drop(&mut self) {
        if !self.stopped {
            let _ = self.halt();
            ui::detail(&format!("logs and data are kept in {}", self.state.display()));
        }
    }
}

/// Stops and removes what earlier runs left, if they were interrupted. Those under way are left alone.
fn clear_leftovers(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let state = entry.path();
        let owner = Path::new("/proc").join(entry.file_name());
        let under_way = fs::read_to_string(owner.join("cmdline")).is_ok_and(|line| line.contains("xtask"));
        if !under_way {
            let _ = ceph::down(&state);
            let _ = MiniStack::new(&state).stop();
            let _ = fs::remove_dir_all(&state);
        }
    }
}

/// Reads libtest's `test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 2 filtered out; ...`.
fn parse_result(line: &str) -> Option<Count> {
    let rest = line.trim().strip_prefix("test result: ")?;
    let number = |word: &str| -> Option<u64> {
        let before = rest.split(';').find_map(|part| part.trim().strip_suffix(word))?;
        before.trim().rsplit(' ').next()?.parse().ok()
    };
    Some(Count {
        passed: number("passed")?,
        failed: number("failed")?,
        skipped: number("ignored")? + number("filtered out")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_are_counted() {
        let line = "test result: FAILED. 13 passed; 2 failed; 1 ignored; 0 measured; 4 filtered out; finished in 0.52s";
        assert_eq!(
            parse_result(line),
            Some(Count {
                passed: 13,
                failed: 2,
                skipped: 5
            })
        );
        assert_eq!(parse_result("running 3 tests"), None);
    }
}
