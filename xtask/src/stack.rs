//! A stack on this machine: an AWS emulator, the functions deployed to it, and replica targets.

use crate::args::Choice;
use crate::build::{self, LinkedFor};
use crate::emulator::{self, Emulator, Kind};
use crate::{ceph, demo, oss, process, settings::Settings, target, tools, ui, venv, workspace};
use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The name of the stack.
pub(crate) const NAME: &str = "longshore";

/// Where what is deployed is written down.
pub(crate) fn about_file(state: &Path) -> PathBuf {
    state.join("stack.json")
}

/// Starts everything, deploys, and runs the main job once.
pub(crate) fn up(state: &Path, choice: Choice) -> Result<()> {
    fs::create_dir_all(state).with_context(|| format!("cannot make {}", state.display()))?;
    let before = Settings::load(state)?;
    if let Some(kept) = before.kept(choice) {
        ui::line(&kept);
    }
    let settings = before.with(choice);
    let emulator = Emulator::new(state, settings.on);
    if let Some((other, _)) = Emulator::any_running(state)
        && other.kind != emulator.kind
    {
        bail!(
            "{} runs here. Stop it first (cargo xtask down), or keep both: cargo xtask --state <another folder> up --on {}",
            other.kind.name(),
            emulator.kind.word()
        );
    }
    // Before the builds, which take minutes the first time: what can fail for want of a port or a package fails now.
    ui::step(&format!("Starting {}", emulator.kind.name()), || {
        emulator.start(settings.port, in_containers(&settings)?)
    })?;
    settings.save(state)?;
    let in_container = emulator.in_container();
    let targets = targets(state, &settings, &emulator)?;
    target::check(&targets)?;
    let functions = if in_container {
        build::functions(&venv::embedded()?, LinkedFor::Containers)?;
        workspace::bootstraps()
    } else {
        build::one_program::build(state)?
    };
    build::cli()?;
    let mut parameters: Vec<String> = LASTING.map(str::to_owned).to_vec();
    if in_container {
        // Functions see the store under a name that only containers know.
        parameters.push(format!("PublicStoreEndpoint=http://127.0.0.1:{}", settings.port));
    }
    deploy(
        state,
        emulator.kind,
        settings.port,
        &functions,
        &targets,
        &parameters,
    )?;
    let about = tools::read_json(&about_file(state))?;
    demo::run(state, &about)?;
    say_what_next(state, emulator.kind, &about)
}

/// Where replicas go, everything started that is needed for it.
fn targets(state: &Path, settings: &Settings, emulator: &Emulator) -> Result<Vec<Value>> {
    let in_container = emulator.in_container();
    if settings.oss && in_container {
        bail!("functions in containers do not see the OSS server, which listens on 127.0.0.1. Say --no-oss");
    }
    let mut targets = vec![match (settings.ceph, in_container) {
        (false, false) => target::local(settings.port),
        (true, false) => target::ceph(&ceph::up(state)?)?,
        (false, true) => target::beside_containers(settings.port),
        (true, true) => target::ceph_container(emulator, settings.port)?,
    }];
    if settings.oss {
        targets.push(target::oss(&oss::start_server(state)?)?);
    }
    Ok(targets)
}

/// Whether LocalStack, and with it every function, runs in containers: where somebody wants that, or where there is no
/// Python for it and Docker can help.
fn in_containers(settings: &Settings) -> Result<bool> {
    if settings.on != Kind::LocalStack {
        return Ok(false);
    }
    let no_python = venv::no_localstack();
    let containers = settings.docker || no_python.is_some();
    if containers && !emulator::docker_available() {
        let why = no_python.unwrap_or_else(|| "Take --no-docker instead: it runs as a process".to_owned());
        bail!("no Docker engine with `docker compose` answers. {why}");
    }
    Ok(containers)
}

/// Parameters of the template that suit a stack on one machine.
///
/// One machine has few workers, and they are never frozen: a message whose worker was killed need not wait for long.
///
/// All requests come from the same address there: what is made from it is not limited. And a developer who
/// adds a target there uploads to it at once.
const LASTING: [&str; 8] = [
    "AccountsPerHourAndSource=1000000000",
    "CopyConcurrency=4",
    "ReplicateConcurrency=4",
    "ReplicateTimeoutSeconds=120",
    "ReplicateVisibilitySeconds=120",
    "TargetRegistrySeconds=0",
    "SignInsPerHourAndSource=1000000000",
    OPEN,
];

/// Anybody at this machine may make accounts: nobody else reaches the API.
pub(crate) const OPEN: &str = "SignUp=open";

/// The same for tests, which wait for messages to come back and to be given up.
pub(crate) const SHORT_LIVED: [&str; 11] = [
    "AccountsPerHourAndSource=1000000000",
    "CopyConcurrency=4",
    "MaxReceives=4",
    "PasswordThrottleBurst=10000",
    "PasswordThrottleRate=10000",
    "ReplicateConcurrency=4",
    "ReplicateTimeoutSeconds=30",
    "ReplicateVisibilitySeconds=30",
    "TargetRegistrySeconds=0",
    "SignInsPerHourAndSource=1000000000",
    OPEN,
];

/// Deploys the template with the functions in this folder, each a `<name>/bootstrap`.
pub(crate) fn deploy(
    state: &Path,
    kind: Kind,
    port: u16,
    functions: &Path,
    targets: &[Value],
    parameters: &[impl AsRef<str>],
) -> Result<()> {
    ui::step("Deploying infra/template.yaml", || {
        let file = state.join("targets.json");
        tools::write_json(&file, &with_those_of_before(&file, targets))?;
        let mut command = Command::new(venv::embedded()?.python());
        command
            .arg(workspace::embedded("deploy.py"))
            .args(["--stack", NAME])
            .args(["--emulator", kind.word()])
            .args(["--endpoint", &format!("http://127.0.0.1:{port}")])
            .args(["--region", emulator::REGION])
            .arg("--template")
            .arg(workspace::root().join("infra/template.yaml"))
            .arg("--functions")
            .arg(functions)
            .arg("--targets")
            .arg(&file)
            .arg("--out")
            .arg(about_file(state))
            .args(["--parameter", &format!("Architecture={}", build::architecture())]);
        for parameter in parameters {
            command.args(["--parameter", parameter.as_ref()]);
        }
        process::run(&mut command)
    })
}

/// The targets for `deploy.py`, and those that this command once put there and does not any more, which have to go.
fn with_those_of_before(file: &Path, targets: &[Value]) -> Value {
    let before = tools::read_json(file).unwrap_or_default();
    let is_of = |list: &[Value], one: &Value| list.iter().any(|other| other["name"] == one["name"]);
    let mut gone: Vec<Value> = Vec::new();
    for one in demo::items(&before["targets"]).chain(demo::items(&before["gone"])) {
        if !is_of(targets, one) && !is_of(&gone, one) {
            gone.push(one.clone());
        }
    }
    json!({ "targets": targets, "gone": gone })
}

/// Stops everything; the data stays where the emulator keeps it.
pub(crate) fn down(state: &Path) -> Result<()> {
    let mut stopped = None;
    for kind in Kind::ALL {
        let emulator = Emulator::new(state, kind);
        if emulator.can_stop() {
            ui::step(&format!("Stopping {}", kind.name()), || emulator.stop())?;
            stopped = Some(kind);
        }
    }
    let ceph = ceph::running(state) > 0;
    if ceph {
        ui::step("Stopping Ceph", || ceph::down(state))?;
    }
    let oss = oss::running(state).is_some();
    if oss {
        ui::step("Stopping the OSS server", || oss::stop_server(state))?;
    }
    match stopped {
        None if !ceph && !oss => ui::line("Nothing runs."),
        Some(kind) if !kind.keeps_data() => ui::line(&format!(
            "Stopped. {} keeps no data; cargo xtask up begins anew.",
            kind.name()
        )),
        _ => ui::line(&format!(
            "Stopped. The data is in {}; cargo xtask up brings it back.",
            state.display()
        )),
    }
    Ok(())
}

/// Says what runs, and where.
pub(crate) fn status(state: &Path) -> Result<()> {
    let Some((emulator, port)) = Emulator::any_running(state) else {
        ui::line("The stack does not run. Start it: cargo xtask up");
        if ceph::running(state) > 0 {
            ui::line("Ceph runs. Stop it: cargo xtask ceph down");
        }
        if oss::running(state).is_some() {
            ui::line("The OSS server runs. Stop it: cargo xtask oss stop");
        }
        return Ok(());
    };
    ui::line(&format!(
        "emulator  {} on http://127.0.0.1:{port}, log in {}",
        emulator.kind.name(),
        emulator.log().display()
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
    if oss::running(state).is_some() {
        ui::line(&format!(
            "oss       runs, details in {}",
            oss::about_file(state).display()
        ));
    }
    let Ok(about) = tools::read_json(&about_file(state)) else {
        ui::line("api       nothing is deployed yet: cargo xtask up");
        return Ok(());
    };
    ui::line(&format!("api       {}", tools::text(&about, "api_url")?));
    for target in about["targets"].as_array().into_iter().flatten() {
        ui::line(&format!("target    {}", target::shown(target)));
    }
    Ok(())
}

fn say_what_next(state: &Path, kind: Kind, about: &Value) -> Result<()> {
    let cli = workspace::cli();
    let cli = cli
        .strip_prefix(std::env::current_dir()?)
        .unwrap_or(&cli)
        .display()
        .to_string();
    let data = if kind.keeps_data() {
        format!("keeps the data in {}", state.display())
    } else {
        format!("throws the data away: {} keeps none", kind.name())
    };
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

cargo xtask status says where things are, cargo xtask down stops it and {data}.",
        api = tools::text(about, "api_url")?,
    ));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_chosen_any_more_goes() {
        let folder = std::env::temp_dir().join(format!("longshore-xtask-targets-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let file = folder.join("targets.json");
        let (local, ceph, oss) = (
            json!({"name": "local"}),
            json!({"name": "ceph"}),
            json!({"name": "oss"}),
        );
        for (targets, gone) in [
            (vec![local.clone()], vec![]),
            (vec![ceph.clone(), oss.clone()], vec![local.clone()]),
            (vec![ceph.clone()], vec![oss.clone(), local.clone()]),
            (vec![local.clone()], vec![ceph.clone(), oss.clone()]),
        ] {
            let document = with_those_of_before(&file, &targets);
            assert_eq!(document, json!({ "targets": targets, "gone": gone }));
            tools::write_json(&file, &document).unwrap();
        }
        fs::remove_dir_all(folder).unwrap();
    }
}
