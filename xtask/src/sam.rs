//! The SAM CLI, in an environment of its own, run in infra/ where its samconfig.toml is.

use crate::venv::{self, Tool};
use crate::{build, process, workspace};
use anyhow::Result;
use std::path::Path;
use std::process::Command;

/// What `sam build` makes of the functions.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Build {
    /// What AWS gets: optimised by cargo-lambda, and linked by zig for the C library of Amazon Linux.
    ForAws,
    /// The same functions as `cargo xtask build` makes, so that nothing is compiled a second time.
    AsHere,
}

/// SAM with nothing said yet. It neither reports to AWS how it is used nor asks whether there is a newer one.
pub(crate) fn command() -> Result<Command> {
    let sam = venv::tool(&Tool::Sam)?;
    let mut command = Command::new(sam.program("sam"));
    command
        .current_dir(workspace::root().join("infra"))
        .env("SAM_CLI_TELEMETRY", "0")
        .env("SAM_CLI_ENABLE_FILE_CHANGE_LOGGING", "0");
    build::without_our_own_settings(&mut command);
    Ok(command)
}

/// `sam build` into a folder, with further arguments.
pub(crate) fn build(kind: Build, folder: &Path, arguments: &[String]) -> Result<()> {
    let embedded = venv::embedded()?;
    let mut path = vec![embedded.program("")];
    if kind == Build::ForAws {
        // cargo-lambda finds zig as a module of the first Python on the path.
        path.insert(0, venv::tool(&Tool::Zig)?.program(""));
    }
    let mut command = command()?;
    if kind == Build::ForAws {
        build::compile_once(&mut command);
    }
    command
        .args(["build", "--no-cached", "--build-in-source", "--build-dir"])
        .arg(folder)
        .args(arguments)
        .env("PATH", process::before_the_path(path)?);
    if kind == Build::AsHere {
        // cargo-lambda's way of saying `--compiler cargo --disable-optimizations`, which SAM has no word for.
        command
            .env("CARGO_LAMBDA_COMPILER", "cargo")
            .env("CARGO_LAMBDA_BUILD", "{disable_optimizations=true}");
        // What it says about each function is worth reading only when it takes its time, or fails.
        return process::output(&mut command).map(|_| ());
    }
    process::run(&mut command)
}
