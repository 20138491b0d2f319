//! LocalStack in a container, where there is a Docker engine: `infra/localstack/compose.yaml`.

use crate::{process, workspace};
use anyhow::{Context, Result};
use std::path::Path;
use std::process::Command;

/// Whether a Docker engine answers, and has `docker compose`.
pub(crate) fn available() -> bool {
    [
        ["info", "--format", "{{.ID}}"].as_slice(),
        &["compose", "version"],
    ]
    .iter()
    .all(|arguments| process::output(Command::new("docker").args(*arguments)).is_ok())
}

pub(super) fn start(folder: &Path, port: u16) -> Result<()> {
    process::run(compose(folder, port).args(["up", "--detach", "--wait"]))
        .context("Docker could not start LocalStack")
}

/// Its port here is the next after LocalStack's.
pub(super) fn start_ceph(folder: &Path, port: u16) -> Result<String> {
    let mut command = compose(folder, port);
    process::run(command.args(["--profile", "ceph", "up", "--detach", "--wait", "ceph"]))
        .context("Docker could not start Ceph")?;
    Ok(format!("http://127.0.0.1:{}", port.saturating_add(1)))
}

pub(super) fn stop(folder: &Path, port: u16) -> Result<()> {
    process::run(compose(folder, port).args(["--profile", "*", "down", "--volumes"]))
}

pub(super) fn running(folder: &Path, port: u16) -> bool {
    let mut command = compose(folder, port);
    command.args(["ps", "--quiet", "--status", "running", "localstack"]);
    process::output(&mut command).is_ok_and(|ids| !ids.trim().is_empty())
}

/// One project for each state folder, told apart by the port.
fn compose(folder: &Path, port: u16) -> Command {
    let mut command = Command::new("docker");
    command
        .args([
            "compose",
            "--project-name",
            &format!("longshore-{port}"),
            "--file",
        ])
        .arg(workspace::localstack().join("compose.yaml"))
        .env("LONGSHORE_PORT", port.to_string())
        .env("LONGSHORE_CEPH_PORT", port.saturating_add(1).to_string())
        .env("LONGSHORE_VOLUME", folder.join("volume"));
    command
}
