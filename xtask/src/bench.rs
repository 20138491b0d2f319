//! `cargo xtask bench replicate`: measures replication beside rclone, on a stack of its own. `docs/benchmarks.md` explains
//! what is measured and how to read it.

use crate::build::{self, LinkedFor};
use crate::ceph::{self, Availability};
use crate::emulator::{Emulator, Kind};
use crate::venv::{self, Tool};
use crate::{process, stack, target, tools, ui, workspace};
use anyhow::{Context, Result, bail, ensure};
use std::fs;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// Where to look for a port for the emulator: beyond those of the tests' stacks.
const FIRST_PORT: u16 = 15_566;

/// Four workers at most, and time enough for a large segment over a slow connection.
const PARAMETERS: [&str; 5] = [
    "CopyConcurrency=4",
    "ReplicateConcurrency=4",
    "ReplicateTimeoutSeconds=300",
    "ReplicateVisibilitySeconds=300",
    stack::OPEN,
];

/// Runs the benchmark with the arguments given.
pub(crate) fn replicate(arguments: &[String]) -> Result<()> {
    let program = build_program()?;
    if arguments
        .iter()
        .any(|argument| argument == "--help" || argument == "-h")
    {
        return process::run(Command::new(program).arg("--help"));
    }
    let rclone = venv::tool(&Tool::Rclone)?.program("rclone");
    build::functions(&venv::embedded()?, LinkedFor::ThisMachine)?;
    let state = folder().join(std::process::id().to_string());
    fs::create_dir_all(&state)?;
    let guard = Guard::new(&std::env::current_exe()?, &state)?;
    let measured = start(&state).and_then(|()| {
        let mut command = Command::new(program);
        command.arg("--stack").arg(stack::about_file(&state));
        command.arg("--ceph").arg(ceph::about_file(&state));
        command
            .arg("--emulator-pid")
            .arg(state.join("ministack/ministack.pid"));
        command.arg("--bootstrap").arg(worker_of(&state));
        command.arg("--rclone").arg(rclone);
        command.arg("--out").arg(folder().join("replicate.json"));
        process::run(command.args(arguments))
    });
    ui::step("Stopping and removing the stack", || guard.finish())?;
    measured
}

/// The program, beside its results.
fn build_program() -> Result<PathBuf> {
    ui::step("Building the benchmark", || {
        let place = folder().join("program");
        build::put(&build::program("bench", "bench")?, &place)?;
        Ok(place)
    })
}

/// Where results, logs and the stack are.
fn folder() -> PathBuf {
    workspace::target().join("bench")
}

/// MiniStack and a real Ceph: nothing else on this machine is fast enough to tell workers apart.
fn start(state: &Path) -> Result<()> {
    if let Availability::Missing(why) = ceph::available()? {
        bail!("there is nothing to copy to: {why}");
    }
    let target = target::ceph(&ceph::start(state)?)?;
    let port = tools::free_port(FIRST_PORT)?;
    ui::step("Starting MiniStack", || {
        Emulator::new(state, Kind::MiniStack).start(port, false)
    })?;
    // A build meanwhile does not change what is measured.
    fs::copy(
        workspace::bootstraps().join("replicate/bootstrap"),
        worker_of(state),
    )
    .context("cannot copy the worker")?;
    stack::deploy(
        state,
        Kind::MiniStack,
        port,
        &workspace::bootstraps(),
        &[target],
        &PARAMETERS,
    )
}

fn worker_of(state: &Path) -> PathBuf {
    state.join("worker")
}

/// A shell that waits until this program ends, however it does (Ctrl-C and kill included), and then stops the stack and
/// removes it.
struct Guard {
    shell: Child,
}

impl Guard {
    /// `program` is this one: `<program> --state <state> down` stops everything.
    fn new(program: &Path, state: &Path) -> Result<Self> {
        // `read` returns when the other end of the pipe closes, which is this program's.
        const SCRIPT: &str = r#"read -r nothing; "$0" --state "$1" down && rm -rf "$1""#;
        let shell = Command::new("sh")
            .args(["-c", SCRIPT])
            .arg(program)
            .arg(state)
            // Ctrl-C in the terminal is not for it.
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .context("cannot start a shell")?;
        Ok(Self { shell })
    }

    /// Lets it do its work now, and waits for it.
    fn finish(mut self) -> Result<()> {
        drop(self.shell.stdin.take());
        let status = self.shell.wait()?;
        ensure!(status.success(), "something of the stack was left");
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_guard_removes_what_could_be_stopped() {
        let state = std::env::temp_dir().join(format!("longshore-xtask-guard-{}", std::process::id()));
        fs::create_dir_all(&state).unwrap();
        let guard = |program: &str| Guard::new(Path::new(program), &state).unwrap();
        assert!(guard("false").finish().is_err());
        assert!(state.exists(), "what may still run was removed");
        guard("true").finish().unwrap();
        assert!(!state.exists());
    }
}
