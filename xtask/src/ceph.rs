//! A real Ceph on this machine: one monitor, one OSD, one S3 gateway, from the distribution's packages, with no
//! systemd, no containers and no root at run time. Its data stays when it is stopped, and survives a kill.

mod config;
mod install;

pub(crate) use install::Availability;

use crate::{process, tools, ui};
use anyhow::{Context, Result, bail};
use clap::ValueEnum;
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// Where the gateway listens, and behind it the monitor, if nothing else does.
const FIRST_PORT: u16 = 4571;
const BUCKET: &str = "longshore";
const TIMEOUT: Duration = Duration::from_mins(1);

/// The parts of the cluster, in the order they start in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Daemon {
    Mon,
    Osd,
    Gateway,
}

impl Daemon {
    const ALL: [Self; 3] = [Self::Mon, Self::Osd, Self::Gateway];

    fn program(self) -> &'static str {
        match self {
            Self::Mon => "ceph-mon",
            Self::Osd => "ceph-osd",
            Self::Gateway => "radosgw",
        }
    }

    /// As Ceph calls it, in the names of its files too.
    fn name(self) -> &'static str {
        match self {
            Self::Mon => "mon.a",
            Self::Osd => "osd.0",
            Self::Gateway => "client.rgw",
        }
    }
}

struct Ceph {
    folder: PathBuf,
}

/// Installs Ceph where it can, sets a cluster up the first time, and starts it. Returns what is in its
/// `ceph.json`.
pub(crate) fn up(state: &Path) -> Result<Value> {
    match install::ensure()? {
        Availability::Ready => start(state),
        Availability::Missing(why) => bail!("{why}"),
    }
}

/// The same where Ceph may be missing.
pub(crate) fn available() -> Result<Availability> {
    install::ensure()
}

/// Starts what does not run.
pub(crate) fn start(state: &Path) -> Result<Value> {
    let ceph = Ceph {
        folder: state.join("ceph"),
    };
    ui::step("Starting Ceph", || {
        for name in ["log", "mon", "osd", "run"] {
            fs::create_dir_all(ceph.folder.join(name))?;
        }
        let mut about = about_or_new(state)?;
        ceph.start(&mut about)?;
        ui::detail(&format!(
            "the gateway listens on {}",
            tools::text(&about, "endpoint")?
        ));
        Ok(about)
    })
}

/// Kills one daemon, as a power cut would.
pub(crate) fn kill(state: &Path, daemon: Daemon) -> Result<()> {
    let ceph = Ceph {
        folder: state.join("ceph"),
    };
    let Some(pid) = ceph.running(daemon) else {
        bail!("{} does not run", daemon.program());
    };
    process::signal("KILL", &pid.to_string())?;
    if !process::wait_for(TIMEOUT, || ceph.running(daemon).is_none()) {
        bail!("{} (process {pid}) does not die", daemon.program());
    }
    Ok(())
}

/// Stops what runs, the gateway first.
pub(crate) fn down(state: &Path) -> Result<()> {
    let ceph = Ceph {
        folder: state.join("ceph"),
    };
    for daemon in Daemon::ALL.into_iter().rev() {
        let Some(pid) = ceph.running(daemon) else { continue };
        if !process::terminate(pid, daemon.program(), TIMEOUT)? {
            kill(state, daemon)?;
        }
    }
    Ok(())
}

/// How many of its daemons run.
pub(crate) fn running(state: &Path) -> usize {
    let ceph = Ceph {
        folder: state.join("ceph"),
    };
    Daemon::ALL
        .into_iter()
        .filter(|daemon| ceph.running(*daemon).is_some())
        .count()
}

/// Where its `ceph.json` is.
pub(crate) fn about_file(state: &Path) -> PathBuf {
    state.join("ceph/ceph.json")
}

/// What is known of the cluster: ports and keys are chosen once.
fn about_or_new(state: &Path) -> Result<Value> {
    let file = about_file(state);
    if file.exists() {
        return tools::read_json(&file);
    }
    let gateway = tools::free_port(FIRST_PORT)?;
    let this_program = std::env::current_exe()?;
    let about = json!({
        "endpoint": format!("http://127.0.0.1:{gateway}"),
        "gateway_port": gateway,
        "mon_port": tools::free_port(gateway + 1)?,
        "fsid": uuid()?,
        "access_key_id": tools::random_hex()?[..20].to_uppercase(),
        "secret_access_key": tools::random_hex()?,
        "bucket": BUCKET,
        // Add `kill`, `start` or `down`, and run.
        "control": [this_program, "--state", state, "ceph"],
    });
    tools::write_json(&file, &about)?;
    Ok(about)
}

impl Ceph {
    fn running(&self, daemon: Daemon) -> Option<u32> {
        process::running(
            &self.folder.join(format!("run/{}.pid", daemon.name())),
            daemon.program(),
        )
    }

    fn start(&self, about: &mut Value) -> Result<()> {
        let port = |key: &str| -> Result<u16> {
            let port = about[key].as_u64().and_then(|port| port.try_into().ok());
            port.with_context(|| format!("ceph.json has no {key}"))
        };
        let (mon_port, gateway_port) = (port("mon_port")?, port("gateway_port")?);
        for (daemon, port) in [(Daemon::Mon, mon_port), (Daemon::Gateway, gateway_port)] {
            if self.running(daemon).is_none() && tools::port_is_taken(port) {
                bail!(
                    "port {port}, which Ceph's {} needs, is taken by another program",
                    daemon.program()
                );
            }
        }
        let fsid = tools::text(about, "fsid")?;
        let cluster = config::Cluster {
            folder: &self.folder,
            fsid,
            mon_port,
            gateway_port,
        };
        fs::write(self.folder.join("ceph.conf"), config::text(&cluster))?;

        self.once("mon-made", || self.make_mon(fsid, mon_port))?;
        self.ensure_running(Daemon::Mon, &["-i", "a"])?;
        self.once("osd-made", || self.make_osd())?;
        self.ensure_running(Daemon::Osd, &["-i", "0"])?;
        self.once("user-made", || self.make_user(about))?;
        self.ensure_running(Daemon::Gateway, &["-n", Daemon::Gateway.name()])?;
        if !process::wait_for(TIMEOUT, || tools::get(gateway_port, "/").is_ok()) {
            bail!(
                "the gateway does not answer; see {}",
                self.folder.join("log").display()
            );
        }
        let pid = |daemon| self.running(daemon);
        about["pids"] =
            json!({ "gateway": pid(Daemon::Gateway), "osd": pid(Daemon::Osd), "mon": pid(Daemon::Mon) });
        tools::write_json(&self.folder.join("ceph.json"), about)
    }

    /// Does what must be done once in the cluster's life, and remembers that it was done.
    fn once(&self, name: &str, work: impl FnOnce() -> Result<()>) -> Result<()> {
        let stamp = self.folder.join(name);
        if !stamp.exists() {
            work()?;
            fs::write(&stamp, "")?;
        }
        Ok(())
    }

    fn make_mon(&self, fsid: &str, port: u16) -> Result<()> {
        ui::detail("making a new cluster");
        let map = self.folder.join("monmap");
        let address = format!("[v2:127.0.0.1:{port}/0]");
        let mut monmap = Command::new("monmaptool");
        monmap
            .args(["--create", "--clobber", "--fsid", fsid, "--addv", "a", &address])
            .arg(&map);
        process::output(&mut monmap)?;
        // Half a monitor of an interrupted attempt would be refused.
        fs::remove_dir_all(self.folder.join("mon"))?;
        fs::create_dir(self.folder.join("mon"))?;
        self.logged(
            self.command("ceph-mon")
                .args(["--mkfs", "-i", "a", "--monmap"])
                .arg(&map),
        )
    }

    fn make_osd(&self) -> Result<()> {
        let folder = self.folder.join("osd");
        fs::remove_dir_all(&folder)?;
        fs::create_dir(&folder)?;
        let id = uuid()?;
        process::output(self.command("ceph").args(["osd", "create", &id, "0"]))?;
        self.logged(
            self.command("ceph-osd")
                .args(["-i", "0", "--mkfs", "--osd-uuid", &id]),
        )
    }

    fn make_user(&self, about: &Value) -> Result<()> {
        let mut create = self.command("radosgw-admin");
        create
            .args([
                "user",
                "create",
                "--uid",
                "longshore",
                "--display-name",
                "Longshore",
                "--max-buckets",
                "0",
            ])
            .args(["--access-key", tools::text(about, "access_key_id")?])
            .args(["--secret-key", tools::text(about, "secret_access_key")?]);
        match process::output(&mut create) {
            // Made by an attempt that was interrupted before it could remember.
            Err(error) if !error.to_string().contains("exists") => Err(error),
            _ => Ok(()),
        }
    }

    /// The daemons put themselves into the background and write their process ids down.
    fn ensure_running(&self, daemon: Daemon, arguments: &[&str]) -> Result<()> {
        if self.running(daemon).is_some() {
            return Ok(());
        }
        self.logged(self.command(daemon.program()).args(arguments))?;
        if !process::wait_for(TIMEOUT, || self.running(daemon).is_some()) {
            bail!(
                "{} does not stay up; see {}",
                daemon.program(),
                self.folder.join("log").display()
            );
        }
        Ok(())
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        // Settings a person has for another cluster must not reach this one.
        command
            .env_remove("CEPH_ARGS")
            .env_remove("CEPH_CONF")
            .arg("-c")
            .arg(self.folder.join("ceph.conf"));
        command
    }

    fn logged(&self, command: &mut Command) -> Result<()> {
        process::logged(command, &self.folder.join("log/start.log"))
    }
}

fn uuid() -> Result<String> {
    let text = fs::read_to_string("/proc/sys/kernel/random/uuid").context("this system makes no UUIDs")?;
    Ok(text.trim().to_owned())
}
