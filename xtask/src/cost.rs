//! `cargo xtask cost`: what files cost on AWS, counted in the simulation (`crates/simulation/src/cost.rs`).

use crate::{build, process, ui, workspace};
use anyhow::Result;
use std::process::Command;

/// Counts, and prints the tables of docs/costs.md.
pub(crate) fn run() -> Result<()> {
    let place = workspace::target().join("simulate/cost");
    ui::step("Building the simulation", || {
        build::put(&build::program("simulation", "cost")?, &place)
    })?;
    process::run(Command::new(place).current_dir(workspace::root()))
}
