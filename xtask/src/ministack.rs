//! The AWS emulator: one process, listening on this machine only, with its state in files.

use crate::venv::Venv;
use crate::{process, tools, ui, workspace};
use anyhow::{Context, Result, bail};
use serde_json::json;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// What to look for in the process list.
const PROGRAM: &str = "ministack_server.py";
pub(crate) const REGION: &str = "us-east-1";
/// It answers within a second; a slow disk and a lot of kept data may take longer.
const PATIENCE_AT_START: Duration = Duration::from_mins(1);
/// Writing down a lot of state takes a while, and what is not written is lost.
const PATIENCE_AT_STOP: Duration = Duration::from_mins(2);

pub(crate) struct MiniStack {
    folder: PathBuf,
}

impl MiniStack {
    pub(crate) fn new(state: &Path) -> Self {
        Self {
            folder: state.join("ministack"),
        }
    }

    /// The port it listens on, if it runs.
    pub(crate) fn running(&self) -> Option<u16> {
        process::running(&self.pid_file(), PROGRAM)?;
        let about = tools::read_json(&self.folder.join("about.json")).ok()?;
        about["port"].as_u64()?.try_into().ok()
    }

    pub(crate) fn log(&self) -> PathBuf {
        self.folder.join("ministack.log")
    }

    fn pid_file(&self) -> PathBuf {
        self.folder.join("ministack.pid")
    }

    /// Starts it unless it runs, and waits until it answers.
    pub(crate) fn start(&self, venv: &Venv, port: u16) -> Result<()> {
        if let Some(old) = self.running() {
            if old != port {
                bail!(
                    "it already runs on port {old}. To move it: cargo xtask down, then cargo xtask up --port {port}"
                );
            }
            ui::detail(&format!("already running on port {port}"));
            return Ok(());
        }
        if tools::port_is_taken(port) {
            let by = if tools::get(port, "/_ministack/health").is_ok() {
                "another MiniStack, perhaps that of another checkout"
            } else {
                "another program"
            };
            let other = tools::free_port(port.saturating_add(1))?;
            bail!(
                "port {port} is taken by {by}. Stop that, or choose another: cargo xtask up --port {other}"
            );
        }
        for name in ["state", "objects", "parts", "tmp"] {
            fs::create_dir_all(self.folder.join(name))?;
        }
        let pid = process::spawn_daemon(&mut self.command(venv, port), &self.log())?;
        fs::write(self.pid_file(), pid.to_string())?;
        tools::write_json(&self.folder.join("about.json"), &json!({ "port": port }))?;
        let ready = process::wait_for(PATIENCE_AT_START, || {
            self.running().is_none() || tools::get(port, "/_ministack/health").is_ok()
        });
        if !ready || self.running().is_none() {
            let log = self.log();
            bail!(
                "the emulator did not start; the end of {}:\n{}",
                log.display(),
                process::last_lines(&log)
            );
        }
        ui::detail(&format!(
            "MiniStack listens on http://127.0.0.1:{port}, process {pid}"
        ));
        Ok(())
    }

    /// With an environment of its own making: the functions inherit it, and settings that a person has for the real
    /// AWS must not reach them.
    fn command(&self, venv: &Venv, port: u16) -> Command {
        let mut command = Command::new(venv.python());
        command.arg(workspace::embedded(PROGRAM)).env_clear();
        for name in ["HOME", "LANG", "PATH"] {
            if let Some(value) = env::var_os(name) {
                command.env(name, value);
            }
        }
        command
            .env("AWS_ACCESS_KEY_ID", "test")
            .env("AWS_SECRET_ACCESS_KEY", "test")
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .env("AWS_REGION", REGION)
            // Where the functions find S3, DynamoDB and the rest; without it they would try the real AWS.
            .env("AWS_ENDPOINT_URL", format!("http://127.0.0.1:{port}"))
            .env("BIND_HOST", "127.0.0.1")
            .env("GATEWAY_PORT", port.to_string())
            .env("LONGSHORE_PARTS_DIR", self.folder.join("parts"))
            .env("MINISTACK_REGION", REGION)
            .env("PERSIST_STATE", "1")
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .env("S3_DATA_DIR", self.folder.join("objects"))
            .env("S3_PERSIST", "1")
            .env("STATE_DIR", self.folder.join("state"))
            .env("TMPDIR", self.folder.join("tmp"));
        command
    }

    /// Stops it cleanly: it writes its state down on the way out, and only then. Gives whether it ran.
    pub(crate) fn stop(&self) -> Result<bool> {
        let Some(pid) = process::running(&self.pid_file(), PROGRAM) else {
            return Ok(false);
        };
        let stopped = process::terminate(pid, PROGRAM, PATIENCE_AT_STOP)?;
        // Its functions are in its process group. They end with it, but for one that hangs.
        let _ = process::signal("KILL", &format!("-{pid}"));
        if !stopped {
            bail!(
                "the emulator did not stop in {}, and was killed",
                ui::duration(PATIENCE_AT_STOP)
            );
        }
        fs::remove_file(self.pid_file()).context("cannot forget the emulator's process id")?;
        Ok(true)
    }
}
