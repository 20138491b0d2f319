//! An AWS emulator on this machine, listening on 127.0.0.1 only: MiniStack, which is fast and keeps its data, or
//! LocalStack, which more people know and which is closer to AWS in places.

mod compose;
mod dynamodb;
mod localstack;
mod ministack;

use crate::{process, tools, ui};
use anyhow::{Context, Result, bail, ensure};
use clap::ValueEnum;
use serde_json::json;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

pub(crate) use compose::available as docker_available;

pub(crate) const REGION: &str = "us-east-1";
/// They answer within seconds; a slow disk and a lot of kept data may take longer.
const START_TIMEOUT: Duration = Duration::from_mins(2);
/// Writing down a lot of state takes a while, and log lines that are not written are lost.
const STOP_TIMEOUT: Duration = Duration::from_mins(2);

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Kind {
    #[value(name = "ministack")]
    MiniStack,
    #[value(name = "localstack")]
    LocalStack,
}

impl Kind {
    pub(crate) const ALL: [Self; 2] = [Self::MiniStack, Self::LocalStack];

    /// As people write it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::MiniStack => "MiniStack",
            Self::LocalStack => "LocalStack",
        }
    }

    /// As `--on` takes it, folders are called, and programs are told.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::MiniStack => "ministack",
            Self::LocalStack => "localstack",
        }
    }

    /// What to look for in the process list.
    fn program(self) -> &'static str {
        match self {
            Self::MiniStack => ministack::PROGRAM,
            Self::LocalStack => localstack::PROGRAM,
        }
    }

    fn health(self) -> &'static str {
        match self {
            Self::MiniStack => "/_ministack/health",
            Self::LocalStack => "/_localstack/health",
        }
    }

    /// What becomes of the data when it stops.
    pub(crate) fn keeps_data(self) -> bool {
        self == Self::MiniStack
    }
}

/// What is written down about it when it starts.
struct About {
    port: u16,
    container: bool,
}

/// One emulator, running or not, with a folder of its own.
pub(crate) struct Emulator {
    pub(crate) kind: Kind,
    folder: PathBuf,
}

impl Emulator {
    pub(crate) fn new(state: &Path, kind: Kind) -> Self {
        Self {
            kind,
            folder: state.join(kind.word()),
        }
    }

    /// Whichever runs in this state folder.
    pub(crate) fn any_running(state: &Path) -> Option<(Self, u16)> {
        Kind::ALL.into_iter().find_map(|kind| {
            let emulator = Self::new(state, kind);
            let port = emulator.running()?;
            Some((emulator, port))
        })
    }

    /// The port it listens on, if it runs.
    pub(crate) fn running(&self) -> Option<u16> {
        let About { port, container } = self.about()?;
        let runs = if container {
            compose::running(&self.folder, port)
        } else {
            process::running(&self.pid_file(), self.kind.program()).is_some()
        };
        runs.then_some(port)
    }

    /// Whether it runs, or ran last, in a container. Its functions then see the machine from elsewhere.
    pub(crate) fn in_container(&self) -> bool {
        self.about().is_some_and(|about| about.container)
    }

    /// How it was started the last time.
    fn about(&self) -> Option<About> {
        let about = tools::read_json(&self.about_file()).ok()?;
        Some(About {
            port: about["port"].as_u64()?.try_into().ok()?,
            container: about["container"] == true,
        })
    }

    fn about_file(&self) -> PathBuf {
        self.folder.join("about.json")
    }

    pub(crate) fn log(&self) -> PathBuf {
        self.folder.join(format!("{}.log", self.kind.word()))
    }

    /// Where `MiniStack` writes down what each role was allowed to do.
    pub(crate) fn roles_file(&self) -> PathBuf {
        ministack::roles_file(&self.folder)
    }

    fn pid_file(&self) -> PathBuf {
        self.folder.join(format!("{}.pid", self.kind.word()))
    }

    /// Starts it unless it runs, and waits until it answers.
    pub(crate) fn start(&self, port: u16, container: bool) -> Result<()> {
        if let Some(old) = self.running() {
            if old != port {
                bail!(
                    "it already runs on port {old}. To move it: cargo xtask down, then cargo xtask up --port {port}"
                );
            }
            if !self.in_container() && !dynamodb::running(&self.folder) {
                // With its data, whatever the emulator does with its own when it is stopped. It is asked from the next request on.
                dynamodb::start(&self.folder, true)?;
            }
            ui::detail(&format!("already running on port {port}"));
            return Ok(());
        }
        refuse_taken_port(port)?;
        fs::create_dir_all(&self.folder)?;
        tools::write_json(
            &self.about_file(),
            &json!({ "port": port, "container": container }),
        )?;
        if container {
            compose::start(&self.folder, port)?;
            ui::detail(&format!(
                "LocalStack listens on http://127.0.0.1:{port}, in a container"
            ));
            return Ok(());
        }
        dynamodb::start(&self.folder, self.kind.keeps_data())?;
        let mut command = match self.kind {
            Kind::MiniStack => ministack::command(&self.folder, port)?,
            Kind::LocalStack => localstack::command(&self.folder, port)?,
        };
        with_a_clean_environment(&mut command);
        let pid = process::spawn_daemon(&mut command, &self.log())?;
        fs::write(self.pid_file(), pid.to_string())?;
        let ready = process::wait_for(START_TIMEOUT, || {
            self.running().is_none() || tools::get(port, self.kind.health()).is_ok()
        });
        if !ready || self.running().is_none() {
            let log = self.log();
            bail!(
                "{} did not start; the end of {}:\n{}",
                self.kind.name(),
                log.display(),
                process::last_lines(&log)
            );
        }
        ui::detail(&format!(
            "{} listens on http://127.0.0.1:{port}, process {pid}",
            self.kind.name()
        ));
        Ok(())
    }

    /// `kill -9` of all processes of what runs in this state folder, its functions included.
    pub(crate) fn kill(state: &Path) -> Result<()> {
        let (emulator, _) = Self::any_running(state).context("no emulator runs")?;
        let program = emulator.kind.program();
        let pid = process::running(&emulator.pid_file(), program).context("it is no process")?;
        process::signal("KILL", &format!("-{pid}"))?;
        dynamodb::kill(&emulator.folder)?;
        let gone = process::wait_for(STOP_TIMEOUT, || {
            emulator.running().is_none() && !dynamodb::running(&emulator.folder)
        });
        ensure!(gone, "{} cannot be killed", emulator.kind.name());
        Ok(())
    }

    /// Starts the one that was killed, as it was.
    pub(crate) fn start_again(state: &Path) -> Result<()> {
        let mut all = Kind::ALL.into_iter().map(|kind| Self::new(state, kind));
        let killed = all.find(|emulator| emulator.pid_file().exists());
        let killed = killed.context("none was killed")?;
        let about = killed.about().context("nobody knows how it was started")?;
        killed.start(about.port, about.container)
    }

    /// Starts the Ceph beside LocalStack's container, and returns where it can be reached from here.
    pub(crate) fn start_ceph_container(&self, port: u16) -> Result<String> {
        ui::step("Starting Ceph in a container", || {
            compose::start_ceph(&self.folder, port)
        })
    }

    /// Whether something of it runs that can be stopped.
    pub(crate) fn can_stop(&self) -> bool {
        self.running().is_some() || self.in_container() || dynamodb::running(&self.folder)
    }

    /// Stops it. Returns whether something of it ran.
    pub(crate) fn stop(&self) -> Result<bool> {
        if let Some(About {
            port,
            container: true,
        }) = self.about()
        {
            // Also when LocalStack does not run any more: Ceph may.
            compose::stop(&self.folder, port)?;
            fs::remove_file(self.about_file())?;
            return Ok(true);
        }
        let stopped = self.stop_process();
        // Last: it is asked until then. And whatever became of the emulator.
        let dynamodb = dynamodb::stop(&self.folder)?;
        Ok(stopped? || dynamodb)
    }

    /// Stops MiniStack cleanly: it writes the last of its state down on the way out. Returns whether it ran.
    fn stop_process(&self) -> Result<bool> {
        let Some(pid) = process::running(&self.pid_file(), self.kind.program()) else {
            return Ok(false);
        };
        let stopped = if self.kind.keeps_data() {
            process::terminate(pid, self.kind.program(), STOP_TIMEOUT)?
        } else {
            // It would wait for whatever is under way, up to a minute, and write nothing down.
            let _ = process::signal("KILL", &format!("-{pid}"));
            process::wait_for(STOP_TIMEOUT, || self.running().is_none())
        };
        // Its functions are in its process group. They end with it, but for one that hangs.
        let _ = process::signal("KILL", &format!("-{pid}"));
        if !stopped {
            bail!(
                "{} did not stop in {}, and was killed",
                self.kind.name(),
                ui::duration(STOP_TIMEOUT)
            );
        }
        fs::remove_file(self.pid_file()).context("cannot forget the emulator's process id")?;
        Ok(true)
    }
}

/// The functions inherit the emulator's environment, and settings that a person has for the real AWS must not reach
/// them. What was set for the command before stays.
fn with_a_clean_environment(command: &mut Command) {
    let own: Vec<_> = command
        .get_envs()
        .filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned())))
        .collect();
    command.env_clear();
    for name in ["HOME", "LANG", "PATH"] {
        if let Some(value) = std::env::var_os(name) {
            command.env(name, value);
        }
    }
    command.env("PYTHONDONTWRITEBYTECODE", "1").envs(own);
}

fn refuse_taken_port(port: u16) -> Result<()> {
    if !tools::port_is_taken(port) {
        return Ok(());
    }
    let by = Kind::ALL
        .into_iter()
        .find(|kind| tools::get(port, kind.health()).is_ok())
        .map_or("another program".to_owned(), |kind| {
            format!("a {}, perhaps that of another checkout", kind.name())
        });
    let other = tools::free_port(port.saturating_add(1))?;
    bail!("port {port} is taken by {by}. Stop that, or choose another: cargo xtask up --port {other}");
}
