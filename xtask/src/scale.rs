//! `cargo xtask scale`: a million uploads in an hour, in the simulation (`crates/simulation/src/scale.rs`).

use crate::{build, process, ui, workspace};
use anyhow::Result;
use std::process::Command;

/// Lives it with the arguments given, and prints what was seen.
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    let place = workspace::target().join("simulate/scale");
    ui::step("Building the simulation", || {
        build::put(&build::program("simulation", "scale")?, &place)
    })?;
    process::run(Command::new(place).args(arguments).current_dir(workspace::root()))
}
