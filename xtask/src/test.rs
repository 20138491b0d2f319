//! `cargo xtask test`: everything that can be checked, from nothing, on stacks of its own.
//!
//! The stacks live in a folder of their own, on ports of their own, so a running `cargo xtask up` is not disturbed.
//! Tests that need a real Ceph have `real_ceph` in their path. Where Ceph or LocalStack cannot be had, or the stack is
//! on AWS, what needs it is left out, and counted.

mod cargo;
mod count;
mod deployed;
mod kept;
mod missing;
mod simulated;
mod stacks;
mod test_stack;

use crate::args::{On, Test};
use crate::build::{self, LinkedFor};
use crate::emulator::Kind;
use crate::{fuzz, lint, process, ui, venv, workspace};
use anyhow::{Context, Result, bail, ensure};
use cargo::{Tests, cargo_tests, chosen, compile, conformance, end_to_end, has, run_only, run_tests};
use count::Count;
use deployed::Deployed;
use missing::{cannot_run, refuse_in_ci};
use stacks::TestStacks;
use std::process::{Command, Stdio};
use std::time::Instant;
use test_stack::TestStack;

/// Parts of the names of end-to-end tests that are run on every emulator: the main job, each kind of trigger, each function
/// with its events, and what a gateway and a store make of odd requests. The rest is about Longshore: where it runs makes
/// no difference, and what Longshore relies on is in `tests/conformance`.
const ON_EACH: [&str; 16] = [
    "accounts::",
    "api_walkthrough::",
    "bad_input::",
    "cli::the_whole_tour",
    "downloads::",
    "events::",
    "format::",
    "real_ceph::a_file_of",
    "real_ceph::an_instant_upload",
    "replication::",
    "sessions::the_signing_key",
    "store_refuses::",
    "sweep::a_finalize_that_nobody",
    "sweep::an_upload_that_nobody",
    "tree::",
    "uploads::",
];

/// Parts of the names of tests of other servers than the stack's: once is enough.
const OF_OTHERS: [&str; 2] = ["conformance_of_ministacks_own", "conformance_of_moto"];

/// Parts of the names of end-to-end tests that are run when all others are over: they leave no processor idle, or look at
/// what the others did.
const AT_THE_END: [&str; 3] = ["chaos::", "logs::nothing_secret", "privileges::"];

pub(crate) fn run(what: &Test) -> Result<()> {
    let started = Instant::now();
    if what.stop {
        return kept::stop();
    }
    let (mut failures, count) = match (&what.filter, &what.on) {
        (None, None) => everything()?,
        (None, Some(On::Emulator(kind))) => {
            prepare()?;
            compile(&[&conformance()])?;
            (Vec::new(), on_emulators(&[*kind])?)
        }
        (Some(filter), None) => (Vec::new(), kept::run(Kind::MiniStack, filter)?),
        (Some(filter), Some(On::Emulator(kind))) => (Vec::new(), kept::run(*kind, filter)?),
        (filter, Some(On::Deployed(url))) => (Vec::new(), on_deployed(&prepare()?, url, filter.as_deref())?),
    };
    if count.failed > 0 {
        failures.push("tests");
    }
    let Count {
        passed,
        failed,
        skipped,
    } = count;
    ui::line("");
    if skipped > 0 {
        ui::line(&format!("!!! {skipped} tests were NOT run"));
    }
    ui::table_of_steps(started.elapsed());
    // Alone on its line, in the form that programs read.
    ui::line(&format!("{passed} passed, {failed} failed, {skipped} skipped"));
    if !failures.is_empty() {
        bail!("failed: {}", failures.join(", "));
    }
    Ok(())
}

/// Returns what failed besides tests, and the count of these.
fn everything() -> Result<(Vec<&'static str>, Count)> {
    let mut failures = checks()?;
    build::functions(&venv::embedded()?, LinkedFor::ThisMachine)?;
    failures.extend(lint::sam_build()?);
    build::cli()?;
    let [server, dynamodb, client] = cargo_tests()?;
    compile(&[&server, &dynamodb, &client, &conformance()])?;
    let mut count = simulated::worlds()?;
    count += on_emulators(&Kind::ALL)?;
    Ok((failures, count))
}

/// What end-to-end tests need.
fn prepare() -> Result<Tests> {
    build::functions(&venv::embedded()?, LinkedFor::ThisMachine)?;
    build::cli()?;
    let tests = end_to_end()?;
    compile(&[&tests])?;
    Ok(tests)
}

/// All tests on the first emulator, and [`ON_EACH`] on the others.
fn on_emulators(kinds: &[Kind]) -> Result<Count> {
    let stacks = TestStacks::new()?;
    let mut count = Count::default();
    for (index, kind) in kinds.iter().enumerate() {
        if let Some(why) = cannot_run(*kind) {
            if kinds.len() == 1 {
                bail!("{why}");
            }
            refuse_in_ci(&why)?;
            ui::line(&format!(
                "\n!!! NO {}: {why}\n!!! The end-to-end tests are not run on it.\n",
                kind.name().to_uppercase()
            ));
            for tests in [end_to_end()?.with(&ON_EACH), conformance()] {
                let missed = chosen(&tests)?;
                count.skipped += missed.iter().filter(|name| !has(name, &OF_OTHERS)).count() as u64;
            }
            continue;
        }
        if *kind == Kind::LocalStack {
            count += plug_in_tests()?;
        }
        let mut place = stacks.start(*kind)?;
        place.run_elsewhere = if index == 0 {
            AT_THE_END.to_vec()
        } else {
            OF_OTHERS.to_vec()
        };
        let mut all = if kinds.len() > 1 && index == 0 {
            cargo_tests()?.to_vec()
        } else {
            vec![end_to_end()?.with(if index == 0 { &[] } else { &ON_EACH })]
        };
        all.push(conformance());
        for tests in all {
            count += ui::step(&format!("Running {} on {}", tests.title, kind.name()), || {
                run_tests(&tests, &place)
            })?;
        }
        if index == 0 {
            count += fuzz(&place)?;
            count += ui::step("Running the tests that come last", || {
                let tests = end_to_end()?;
                let mut count = Count::default();
                for word in AT_THE_END {
                    count += run_only(word, &tests, &place)?;
                }
                Ok(count)
            })?;
        }
        stacks.stop_emulator()?;
    }
    stacks.finish(count.failed == 0)?;
    Ok(count)
}

/// A few hundred seconds of `cargo xtask fuzz`, as one test.
fn fuzz(place: &TestStack) -> Result<Count> {
    const EXAMPLES: u32 = 25;
    const FEWEST: u64 = 1000;
    if let Some(why) = venv::no_schemathesis() {
        refuse_in_ci(&why)?;
        ui::line(&format!(
            "\n!!! NO SCHEMATHESIS: {why}\n!!! The API is not asked.\n"
        ));
        return Ok(Count {
            skipped: 1,
            ..Count::default()
        });
    }
    let cases = ui::step("Asking the API whatever its document says", || {
        let cases = fuzz::at(&place.stack, EXAMPLES)?;
        ui::detail(&format!("{cases} cases"));
        ensure!(cases >= FEWEST, "{FEWEST} were expected");
        Ok(())
    });
    let failed = cases.is_err();
    Ok(Count {
        passed: (!failed).into(),
        failed: failed.into(),
        skipped: 0,
    })
}

fn on_deployed(tests: &Tests, url: &str, filter: Option<&str>) -> Result<Count> {
    let deployed = Deployed::find(url)?;
    deployed.clean_up_after_earlier_runs()?;
    let place = deployed.place();
    let count = ui::step(&format!("Running {} on {url}", tests.title), || match filter {
        Some(filter) => run_only(filter, tests, &place),
        None => run_tests(tests, &place),
    });
    // Whatever became of the tests.
    let cleaned = deployed.clean_up();
    let mut count = count?;
    if let Err(error) = cleaned {
        ui::line(&format!("!!! {error:#}. The next run there tries again."));
        count.failed += 1;
    }
    Ok(count)
}

/// The tests of the plug-ins with which LocalStack runs here.
fn plug_in_tests() -> Result<Count> {
    ui::step("Testing the LocalStack plug-ins", || {
        let mut command = Command::new(venv::localstack()?.python());
        command
            .args(["-B", "-m", "unittest", "discover"])
            .arg(workspace::localstack().join("tests"))
            .stderr(Stdio::piped());
        let output = command.output().context("cannot run the tests of the plug-ins")?;
        let said = String::from_utf8_lossy(&output.stderr);
        let count = Count::of_unittest(&said, output.status.success());
        if count.failed > 0 {
            ui::line(&said);
        }
        ui::detail(&format!("{} passed, {} failed", count.passed, count.failed));
        Ok(count)
    })
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
    failures.extend(lint::checks()?);
    Ok(failures)
}
