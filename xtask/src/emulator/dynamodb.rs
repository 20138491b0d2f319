//! The DynamoDB of an emulator that runs as a process: `infra/dynamodb`, with a file in the emulator's folder.

use crate::{build, process, ui, workspace};
use anyhow::{Context, Result, bail};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

const PROGRAM: &str = "dynamodb-server";
const TIMEOUT: Duration = Duration::from_secs(30);

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
    let log = folder.join("dynamodb.log");
    let pid = process::spawn_daemon(&mut command, &log)?;
    fs::write(pid_file(emulator), pid.to_string())?;
    process::wait_for(TIMEOUT, || !running(emulator) || address.exists());
    if !address.exists() {
        bail!(
            "the DynamoDB server did not start; the end of {}:\n{}",
            log.display(),
            process::last_lines(&log)
        );
    }
    Ok(())
}

/// Stops it, if it runs. Whatever it answered is in its file. Returns whether it ran.
pub(super) fn stop(emulator: &Path) -> Result<bool> {
    let Some(pid) = pid(emulator) else {
        return Ok(false);
    };
    if !process::terminate(pid, PROGRAM, TIMEOUT)? {
        process::signal("KILL", &pid.to_string())?;
        process::wait_for(TIMEOUT, || !running(emulator));
    }
    fs::remove_file(pid_file(emulator)).context("cannot forget the DynamoDB server's process id")?;
    Ok(true)
}

/// `kill -9`.
pub(super) fn kill(emulator: &Path) -> Result<()> {
    let pid = pid(emulator).context("the DynamoDB server does not run")?;
    process::signal("KILL", &pid.to_string())
}

pub(super) fn running(emulator: &Path) -> bool {
    pid(emulator).is_some()
}

fn pid(emulator: &Path) -> Option<u32> {
    process::running(&pid_file(emulator), PROGRAM)
}

fn pid_file(emulator: &Path) -> PathBuf {
    folder(emulator).join("dynamodb.pid")
}

fn folder(emulator: &Path) -> PathBuf {
    emulator.join("dynamodb")
}

fn program() -> PathBuf {
    workspace::target().join("release").join(PROGRAM)
}
