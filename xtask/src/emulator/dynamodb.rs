//! The DynamoDB of an emulator that runs as a process: `infra/dynamodb`, with a file in the emulator's folder.

use crate::process::Daemon;
use crate::{build, process, ui, workspace};
use anyhow::{Context, Result};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const PROGRAM: &str = "dynamodb-server";

/// The file that says where it listens. Emulators read it again for each connection.
pub(super) fn address_file(emulator: &Path) -> PathBuf {
    folder(emulator).join("address")
}

/// Builds it, and puts it where it is run.
fn build() -> Result<()> {
    ui::step("Building the DynamoDB server", || {
        build::put(&build::program(PROGRAM, PROGRAM)?, &program())
    })
}

/// Starts it with what it had the last time, or with nothing.
pub(super) fn start(emulator: &Path, keeps_data: bool) -> Result<()> {
    // Where the emulator alone was killed, it still runs.
    stop(emulator)?;
    build()?;
    let folder = folder(emulator);
    if !keeps_data && folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&folder)?;
    let address = address_file(emulator);
    if address.exists() {
        fs::remove_file(&address)?;
    }
    let mut command = Command::new(program());
    command.arg("--dir").arg(&folder);
    command.args(["--region", super::REGION]).env_clear();
    daemon(emulator).start(&mut command, || address.exists())
}

/// Stops it, if it runs. Whatever it answered is in its file. Returns whether it ran.
pub(super) fn stop(emulator: &Path) -> Result<bool> {
    daemon(emulator).stop()
}

/// `kill -9`.
pub(super) fn kill(emulator: &Path) -> Result<()> {
    let pid = daemon(emulator)
        .pid()
        .context("the DynamoDB server does not run")?;
    process::signal("KILL", &pid.to_string())
}

pub(super) fn running(emulator: &Path) -> bool {
    daemon(emulator).pid().is_some()
}

fn daemon(emulator: &Path) -> Daemon {
    Daemon {
        title: "the DynamoDB server",
        program: PROGRAM,
        pid_file: folder(emulator).join("dynamodb.pid"),
        log: folder(emulator).join("dynamodb.log"),
    }
}

fn folder(emulator: &Path) -> PathBuf {
    emulator.join("dynamodb")
}

fn program() -> PathBuf {
    workspace::target().join("release").join(PROGRAM)
}
