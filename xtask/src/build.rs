//! Building the functions, with cargo-lambda, and the command line.

pub(crate) mod one_program;

use crate::venv::{self, Tool, Venv};
use crate::{process, ui, workspace};
use anyhow::{Context, Result};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Functions and command line, for this machine.
pub(crate) fn run() -> Result<()> {
    let venv = venv::embedded()?;
    functions(&venv, LinkedFor::ThisMachine)?;
    cli()
}

/// Where functions are going to run.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum LinkedFor {
    /// As processes of this machine.
    ThisMachine,
    /// In containers with Amazon Linux 2023, whose C library may be older than this machine's.
    Containers,
}

/// The functions, to be run here, a program for each. `cargo test` with the same target shares everything that is compiled here.
pub(crate) fn functions(venv: &Venv, linked_for: LinkedFor) -> Result<()> {
    /// The glibc of `provided.al2023`.
    const GLIBC: &str = "2.34";
    let names = workspace::functions()?;
    ui::step(&format!("Building {} functions", names.len()), || {
        let mut command = Command::new(venv.program("cargo-lambda"));
        command.args(["lambda", "build", "--release", "--disable-optimizations"]);
        match linked_for {
            LinkedFor::ThisMachine => command.args(["--compiler", "cargo", "--target", &host()?]),
            LinkedFor::Containers => command
                .args([
                    "--compiler",
                    "cargo-zigbuild",
                    "--target",
                    &format!("{}.{GLIBC}", host()?),
                ])
                .env(
                    "PATH",
                    process::before_the_path(vec![venv::tool(&Tool::Zig)?.program("")])?,
                ),
        };
        in_workspace(&mut command);
        process::run(&mut command)
    })
}

fn in_workspace(command: &mut Command) {
    command
        .args(["--package", "functions"])
        .arg("--lambda-dir")
        .arg(workspace::bootstraps())
        .current_dir(workspace::root());
    without_our_own_settings(command);
}

/// The command line, put where `cargo build --release` would put it.
pub(crate) fn cli() -> Result<()> {
    ui::step("Building the command line", || {
        let place = workspace::cli();
        put(&program("longshore", "longshore")?, &place)?;
        ui::detail(&format!(
            "{}, {}",
            place.display(),
            ui::size(fs::metadata(&place)?.len())
        ));
        Ok(())
    })
}

/// Builds a program of this workspace, beside the functions: what they have in common is compiled once. Returns where Cargo put it;
/// it has to be copied from there, because cargo-lambda takes whatever it finds.
pub(crate) fn program(package: &str, name: &str) -> Result<PathBuf> {
    let host = host()?;
    let mut arguments = vec!["build", "--release", "--target", &host];
    arguments.extend(["--package", package, "--bin", name]);
    process::run(&mut cargo(&arguments))?;
    Ok(workspace::target().join(&host).join("release").join(name))
}

/// Copies a program to where it is run. Renamed into place: the old one may be running.
pub(crate) fn put(built: &Path, place: &Path) -> Result<()> {
    fs::create_dir_all(place.parent().unwrap_or(place))?;
    let new = place.with_extension("new");
    fs::copy(built, &new)
        .and_then(|_| fs::rename(&new, place))
        .with_context(|| format!("cannot put {} to {}", built.display(), place.display()))
}

/// Cargo, in this workspace.
pub(crate) fn cargo(arguments: &[&str]) -> Command {
    let mut command = Command::new("cargo");
    command.args(arguments).current_dir(workspace::root());
    without_our_own_settings(&mut command);
    command
}

/// `cargo run` gives this program variables about itself, and some build scripts would be run again for them.
pub(crate) fn without_our_own_settings(command: &mut Command) {
    for (name, _) in std::env::vars() {
        if name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_") {
            command.env_remove(name);
        }
    }
    if in_ci() {
        compile_once(command);
    }
}

/// Nothing will be compiled a second time: what makes that fast would only make this slow.
pub(crate) fn compile_once(command: &mut Command) {
    command.env("CARGO_INCREMENTAL", "0");
}

/// Whether this is continuous integration.
pub(crate) fn in_ci() -> bool {
    std::env::var("CI").is_ok_and(|ci| !ci.is_empty() && ci != "false")
}

/// This machine, as rustc calls it.
pub(crate) fn host() -> Result<String> {
    let said = process::output(Command::new("rustc").arg("-vV").current_dir(workspace::root()))?;
    let host = said.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned)
        .context("rustc does not say what machine this is")
}

/// This machine, as Lambda calls it.
pub(crate) fn architecture() -> &'static str {
    if cfg!(target_arch = "aarch64") {
        "arm64"
    } else {
        "x86_64"
    }
}
