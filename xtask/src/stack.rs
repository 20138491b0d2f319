//! The embedded stack: MiniStack, the functions deployed to it, and a replica target.

use crate::args::Choice;
use crate::ministack::{self, MiniStack};
use crate::venv::{self, Venv};
use crate::{build, ceph, demo, process, tools, ui, workspace};
use anyhow::{Context, Result};
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const DEFAULT_PORT: u16 = 4566;

/// What `up` was told the last time.
struct Settings {
    port: u16,
    ceph: bool,
}

impl Settings {
    fn load(state: &Path) -> Result<Self> {
        let file = Self::file(state);
        let kept = if file.exists() {
            tools::read_json(&file)?
        } else {
            Value::Null
        };
        let port = kept["port"].as_u64().and_then(|port| port.try_into().ok());
        Ok(Self {
            port: port.unwrap_or(DEFAULT_PORT),
            ceph: kept["ceph"].as_bool().unwrap_or(false),
        })
    }

    fn with(self, choice: Choice) -> Self {
        Self {
            port: choice.port.unwrap_or(self.port),
            ceph: choice.ceph.unwrap_or(self.ceph),
        }
    }

    fn save(&self, state: &Path) -> Result<()> {
        tools::write_json(
            &Self::file(state),
            &json!({ "port": self.port, "ceph": self.ceph }),
        )
    }

    fn file(state: &Path) -> PathBuf {
        state.join("settings.json")
    }
}

/// Where what is deployed is written down.
pub(crate) fn about_file(state: &Path) -> PathBuf {
    state.join("stack.json")
}

/// Starts everything, deploys, and runs the main job once.
pub(crate) fn up(state: &Path, choice: Choice) -> Result<()> {
    fs::create_dir_all(state).with_context(|| format!("cannot make {}", state.display()))?;
    let settings = Settings::load(state)?.with(choice);
    let venv = venv::embedded()?;
    // Before the builds, which take minutes the first time: what can fail for want of a port or a package fails now.
    ui::step("Starting the AWS emulator", || {
        MiniStack::new(state).start(&venv, settings.port)
    })?;
    settings.save(state)?;
    let target = if settings.ceph {
        ceph_target(&ceph::up(state)?)?
    } else {
        local_target(settings.port)
    };
    build::functions(&venv)?;
    build::cli()?;
    deploy(state, &venv, settings.port, &target, &LASTING)?;
    let about = tools::read_json(&about_file(state))?;
    demo::run(state, &about)?;
    say_what_next(state, &about)
}

/// Parameters of the template that suit a stack on one machine.
///
/// One machine has few workers, and they are never frozen: a message whose worker was killed need not wait for long.
const LASTING: [&str; 3] = [
    "ReplicateConcurrency=4",
    "ReplicateTimeoutSeconds=120",
    "ReplicateVisibilitySeconds=120",
];

/// The same for tests, which wait for messages to come back and to be given up.
pub(crate) const SHORT_LIVED: [&str; 4] = [
    "MaxReceives=4",
    "ReplicateConcurrency=4",
    "ReplicateTimeoutSeconds=30",
    "ReplicateVisibilitySeconds=30",
];

/// Deploys the template with the functions as built last.
pub(crate) fn deploy(
    state: &Path,
    venv: &Venv,
    port: u16,
    target: &Value,
    parameters: &[&str],
) -> Result<()> {
    ui::step("Deploying infra/template.yaml", || {
        let targets = state.join("targets.json");
        tools::write_json(&targets, &json!([target]))?;
        let mut command = Command::new(venv.python());
        command
            .arg(workspace::embedded("deploy.py"))
            .args([
                "--endpoint",
                &format!("http://127.0.0.1:{port}"),
                "--region",
                ministack::REGION,
            ])
            .arg("--template")
            .arg(workspace::root().join("infra/template.yaml"))
            .arg("--functions")
            .arg(workspace::bootstraps())
            .arg("--targets")
            .arg(&targets)
            .arg("--out")
            .arg(about_file(state))
            .args([
                "--parameter",
                &format!("ReplicaTargets={}:{}", text(target, "name"), text(target, "kind")),
            ])
            .args(["--parameter", &format!("Architecture={}", architecture())]);
        for parameter in parameters {
            command.args(["--parameter", parameter]);
        }
        process::run(&mut command)
    })
}

/// The target of those who have no other: a second bucket in the emulator.
pub(crate) fn local_target(port: u16) -> Value {
    json!({
        "name": "local",
        "kind": "ceph",
        "endpoint": format!("http://127.0.0.1:{port}"),
        "region": ministack::REGION,
        "bucket": "longshore-replica",
        "prefix": "",
        "access_key_id": "test",
        "secret_access_key": "test",
        "path_style": true,
    })
}

/// The real Ceph, from its `ceph.json`.
pub(crate) fn ceph_target(ceph: &Value) -> Result<Value> {
    Ok(json!({
        "name": "ceph",
        "kind": "ceph",
        "endpoint": tools::text(ceph, "endpoint")?,
        "region": ministack::REGION,
        "bucket": tools::text(ceph, "bucket")?,
        "prefix": "",
        "access_key_id": tools::text(ceph, "access_key_id")?,
        "secret_access_key": tools::text(ceph, "secret_access_key")?,
        "path_style": true,
    }))
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_default()
}

/// This machine, as Lambda calls it.
fn architecture() -> &'static str {
    if cfg!(target_arch = "aarch64") {
        "arm64"
    } else {
        "x86_64"
    }
}

/// Stops everything; the data stays.
pub(crate) fn down(state: &Path) -> Result<()> {
    let mut stopped = false;
    if MiniStack::new(state).running().is_some() {
        ui::step("Stopping the AWS emulator, which writes its state down", || {
            MiniStack::new(state).stop()
        })?;
        stopped = true;
    }
    if ceph::running(state) > 0 {
        ui::step("Stopping Ceph", || ceph::down(state))?;
        stopped = true;
    }
    if stopped {
        ui::line(&format!(
            "Stopped. The data is in {}; cargo xtask up brings it back.",
            state.display()
        ));
    } else {
        ui::line("Nothing runs.");
    }
    Ok(())
}

/// Says what runs, and where.
pub(crate) fn status(state: &Path) -> Result<()> {
    let ministack = MiniStack::new(state);
    let Some(port) = ministack.running() else {
        ui::line("The stack does not run. Start it: cargo xtask up");
        if ceph::running(state) > 0 {
            ui::line("Ceph runs. Stop it: cargo xtask ceph down");
        }
        return Ok(());
    };
    ui::line(&format!(
        "emulator  http://127.0.0.1:{port}, log in {}",
        ministack.log().display()
    ));
    match ceph::running(state) {
        0 => ui::line("ceph      does not run"),
        3 => ui::line(&format!(
            "ceph      runs, details in {}",
            ceph::about_file(state).display()
        )),
        some => ui::line(&format!(
            "ceph      {some} of 3 daemons run. Start the others: cargo xtask ceph start"
        )),
    }
    let Ok(about) = tools::read_json(&about_file(state)) else {
        ui::line("api       nothing is deployed yet: cargo xtask up");
        return Ok(());
    };
    ui::line(&format!("api       {}", tools::text(&about, "api_url")?));
    for target in about["targets"].as_array().into_iter().flatten() {
        ui::line(&format!(
            "target    {}: {}/{}",
            text(target, "name"),
            text(target, "endpoint"),
            text(target, "bucket")
        ));
    }
    Ok(())
}

fn say_what_next(state: &Path, about: &Value) -> Result<()> {
    let cli = workspace::cli();
    let cli = cli
        .strip_prefix(std::env::current_dir()?)
        .unwrap_or(&cli)
        .display()
        .to_string();
    ui::line(&format!(
        "
Longshore is up. The API:

    {api}

Try it:

    export LONGSHORE_API={api}
    {cli} signup ada
    {cli} upload README.md
    {cli} status /README.md
    {cli} download /README.md -o copy.md

cargo xtask status says where things are, cargo xtask down stops it and keeps the data in {state}.",
        api = tools::text(about, "api_url")?,
        state = state.display(),
    ));
    Ok(())
}
