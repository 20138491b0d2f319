//! `cargo xtask simulate`: random worlds in one process (`crates/simulation`).

use crate::{build, process, ui, workspace};
use anyhow::Result;
use std::path::PathBuf;
use std::process::Command;

/// Lives worlds with the arguments given.
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    process::run(
        Command::new(build()?)
            .args(arguments)
            .current_dir(workspace::root()),
    )
}

/// The program, beside its traces.
pub(crate) fn build() -> Result<PathBuf> {
    ui::step("Building the simulation", || {
        let place = workspace::target().join("simulate/program");
        build::put(&build::program("simulation", "simulate")?, &place)?;
        Ok(place)
    })
}
