//! The programs of `crates/simulation`: random worlds, what files cost, a million uploads in an hour.

use crate::{build, process, ui, workspace};
use anyhow::Result;
use std::path::PathBuf;
use std::process::Command;

/// Runs a program with the arguments given.
pub(crate) fn run(name: &str, arguments: &[String]) -> Result<()> {
    process::run(
        Command::new(build(name)?)
            .args(arguments)
            .current_dir(workspace::root()),
    )
}

/// Builds a program. It has a place of its own: cargo-lambda takes what is beside the functions for one.
pub(crate) fn build(name: &str) -> Result<PathBuf> {
    ui::step("Building the simulation", || {
        let place = workspace::target().join("simulate/programs").join(name);
        build::put(&build::program("simulation", name)?, &place)?;
        Ok(place)
    })
}
