//! The command line as a program: a process of its own, with a session of its own.

use super::person::{PASSWORD, invitation_if_needed};
use super::stack::{root, stack};
use serde_json::Value;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use tempfile::TempDir;

/// Somebody at a terminal, in a folder of their own.
pub(crate) struct Terminal {
    folder: TempDir,
    config: TempDir,
    proxy: Option<String>,
}

impl Terminal {
    pub(crate) fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            config: tempfile::tempdir().unwrap(),
            proxy: None,
        }
    }

    /// Everything that is sent from here on goes through this proxy, if one is given.
    pub(crate) fn through(&mut self, proxy: Option<&str>) {
        self.proxy = proxy.map(str::to_owned);
    }

    /// A file in the folder.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Where the session is kept.
    pub(crate) fn session_file(&self) -> PathBuf {
        self.config.path().join("session.json")
    }

    /// The names in the folder, sorted.
    pub(crate) fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.folder.path()).unwrap();
        let mut names: Vec<_> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    /// `longshore <arguments>`, not yet run.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let program =
            std::env::var_os("LONGSHORE_CLI").map_or(root().join("target/release/longshore"), PathBuf::from);
        let mut command = Command::new(program);
        command
            .args(arguments)
            .current_dir(self.folder.path())
            .env_clear()
            .env("HOME", self.config.path())
            .env("LONGSHORE_CONFIG_DIR", self.config.path())
            .env("LONGSHORE_API", &stack().api_url)
            .env("LONGSHORE_PASSWORD", PASSWORD)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        if arguments.contains(&"signup")
            && let Some(code) = invitation_now()
        {
            command.env("LONGSHORE_INVITATION", code);
        }
        if let Some(proxy) = &self.proxy {
            command.env("http_proxy", proxy);
        }
        command
    }

    /// Runs a command to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// Runs a command that must succeed, and returns the JSON it writes.
    #[track_caller]
    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        let output = self.run(&[&["--json"], arguments].concat());
        assert!(
            output.status.success(),
            "{arguments:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        let text = String::from_utf8(output.stdout).unwrap();
        let last = text.lines().last().unwrap_or("null");
        serde_json::from_str(last).unwrap_or_else(|error| panic!("{arguments:?}: {error}: {text}"))
    }

    /// Runs a command that must fail with this exit code, and returns the error it writes as JSON.
    #[track_caller]
    pub(crate) fn fails(&self, exit: i32, arguments: &[&str]) -> Value {
        let output = self.run(&[&["--json"], arguments].concat());
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(exit), "{arguments:?}: {said}");
        let last = said.lines().last().unwrap_or("null");
        serde_json::from_str::<Value>(last).unwrap_or_default()["error"].clone()
    }
}

/// The code of an invitation, where one is needed, for tests without a runtime of their own and with one.
fn invitation_now() -> Option<String> {
    let asked = std::thread::spawn(|| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.unwrap().block_on(invitation_if_needed())
    });
    asked.join().unwrap()
}
