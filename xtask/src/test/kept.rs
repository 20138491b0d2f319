//! Single end-to-end tests, on a stack that stays for the next run: then only what changed is built and deployed.
//!
//! The stack has a folder of its own for each emulator, and a port of its own. The stacks on which everything is tested know
//! nothing of it.

use super::cargo::{compile, conformance, end_to_end, has, names, run_only};
use super::count::Count;
use super::missing::cannot_run;
use super::stacks::{self, NEEDS_CEPH};
use crate::build;
use crate::emulator::{Emulator, Kind};
use crate::{ceph, ui, workspace};
use anyhow::{Context, Result, bail, ensure};
use std::fs::{self, File};
use std::path::PathBuf;

/// Runs the tests that have this in their names.
pub(super) fn run(kind: Kind, filter: &str) -> Result<Count> {
    if let Some(why) = cannot_run(kind) {
        bail!("{why}");
    }
    let tests = if filter.contains("conformance") {
        conformance()
    } else {
        end_to_end()?
    };
    compile(&[&tests])?;
    let mut chosen = names(&tests)?;
    chosen.retain(|name| name.contains(filter));
    ensure!(
        !chosen.is_empty(),
        "no end-to-end test has {filter:?} in its name"
    );
    build::cli()?;

    let _alone = only_one_at_a_time(kind)?;
    let state = folder(kind);
    if Emulator::new(&state, kind).running().is_none() {
        // What tests left in one that was stopped or killed nobody misses.
        clear(kind)?;
    }
    fs::create_dir_all(&state)?;
    let functions = build::one_program::build(&state)?;
    let wants_ceph = chosen.iter().any(|name| name.contains(NEEDS_CEPH));
    let ceph = if wants_ceph || ceph::running(&state) > 0 {
        stacks::start_ceph(&state)?
    } else {
        None
    };
    let place = stacks::start(&state, kind, &functions, ceph.as_ref())?;
    let title = format!("Running {} tests on {}", chosen.len(), kind.name());
    let mut count = ui::step(&title, || run_only(filter, &tests, &place))?;
    let left_out = chosen.iter().filter(|name| has(name, &place.left_out));
    count.skipped = left_out.count() as u64;
    ui::line(&format!(
        "The stack stays for the next run, in {}. Stop it: cargo xtask test --stop",
        state.display()
    ));
    Ok(count)
}

/// Stops the stacks that stayed, and removes them.
pub(crate) fn stop() -> Result<()> {
    let mut stopped = false;
    for kind in Kind::ALL {
        if folder(kind).exists() {
            ui::step(&format!("Stopping the test stack on {}", kind.name()), || {
                let _alone = only_one_at_a_time(kind)?;
                clear(kind)
            })?;
            stopped = true;
        }
    }
    if !stopped {
        ui::line("No test stack stayed.");
    }
    Ok(())
}

fn folders() -> PathBuf {
    workspace::target().join("test-kept")
}

fn folder(kind: Kind) -> PathBuf {
    folders().join(kind.word())
}

fn clear(kind: Kind) -> Result<()> {
    let state = folder(kind);
    if state.exists() {
        stacks::halt(&state)?;
        stacks::remove(&state)?;
    }
    Ok(())
}

/// Until this is dropped, others wait here.
fn only_one_at_a_time(kind: Kind) -> Result<File> {
    fs::create_dir_all(folders())?;
    let path = folders().join(format!("{}.lock", kind.word()));
    let file = File::create(&path)?;
    file.lock()
        .with_context(|| format!("cannot lock {}", path.display()))?;
    Ok(file)
}
