//! Stacks for tests: one emulator after the other, with one Ceph. Nothing of them stays when all is well.

use super::missing::refuse_in_ci;
use super::test_stack::TestStack;
use crate::ceph::{self, Availability};
use crate::emulator::{Emulator, Kind};
use crate::{stack, target, tools, ui, venv, workspace};
use anyhow::{Context, Result};
use serde_json::{Value, json};
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

/// What tests that need a real Ceph have in their names.
pub(super) const NEEDS_CEPH: &str = "real_ceph";

/// What tests that need moto, which comes with LocalStack, have in their names.
const NEEDS_MOTO: &str = "conformance_of_moto";

/// Where to look for a port for the emulator: beyond those of a running stack, below those that connections get.
const FIRST_PORT: u16 = 14_566;

pub(super) struct TestStacks {
    state: PathBuf,
    /// The target at the real Ceph.
    ceph: Option<Value>,
    stopped: bool,
}

impl TestStacks {
    pub(super) fn new() -> Result<Self> {
        let folder = workspace::target().join("test-stacks");
        clear_leftovers(&folder);
        let state = folder.join(std::process::id().to_string());
        fs::create_dir_all(&state)?;
        let mut stacks = Self {
            state,
            ceph: None,
            stopped: false,
        };
        stacks.ceph = start_ceph(&stacks.state)?;
        Ok(stacks)
    }

    /// Starts an emulator and deploys to it.
    pub(super) fn start(&self, kind: Kind) -> Result<TestStack> {
        start(&self.state, kind, &workspace::bootstraps(), self.ceph.as_ref())
    }

    pub(super) fn stop_emulator(&self) -> Result<()> {
        if let Some((emulator, _)) = Emulator::any_running(&self.state) {
            ui::step(&format!("Stopping {}", emulator.kind.name()), || emulator.stop())?;
        }
        Ok(())
    }

    /// Stops everything, and removes it unless somebody wants to look at it.
    pub(super) fn finish(mut self, remove_it: bool) -> Result<()> {
        self.stopped = true;
        halt(&self.state)?;
        if remove_it {
            remove(&self.state)?;
        } else {
            ui::detail(&format!("logs and data are kept in {}", self.state.display()));
        }
        Ok(())
    }
}

impl Drop for TestStacks {
    /// On the way out of an error: what was started is stopped, and the logs stay.
    fn drop(&mut self) {
        if !self.stopped {
            let _ = halt(&self.state);
            ui::detail(&format!("logs and data are kept in {}", self.state.display()));
        }
    }
}

/// Starts Ceph, and returns the target there; nothing where there can be no Ceph.
pub(super) fn start_ceph(state: &Path) -> Result<Option<Value>> {
    match ceph::available()? {
        Availability::Ready => Ok(Some(target::ceph(&ceph::start(state)?)?)),
        Availability::Missing(why) => {
            refuse_in_ci(&why)?;
            ui::line(&format!(
                "\n!!! NO REAL CEPH: {why}\n!!! The tests that need it are left out.\n"
            ));
            Ok(None)
        }
    }
}

/// Starts an emulator unless it runs, and deploys to it what changed. Each function is a `<name>/bootstrap` in `functions`.
pub(super) fn start(state: &Path, kind: Kind, functions: &Path, ceph: Option<&Value>) -> Result<TestStack> {
    let emulator = Emulator::new(state, kind);
    let port = emulator
        .running()
        .map_or_else(|| tools::free_port(FIRST_PORT), Ok)?;
    ui::step(&format!("Starting {}", kind.name()), || {
        emulator.start(port, false)
    })?;
    let roles = emulator.roles_file().to_string_lossy().into_owned();
    let copies = format!("{roles}.copies");
    let this_program = std::env::current_exe()?;
    // Add `kill` or `start`, and run.
    let control = json!([this_program, "--state", state, "emulator"]);
    let target = ceph.cloned().unwrap_or_else(|| target::local(port));
    stack::deploy(state, kind, port, functions, &[target], &stack::SHORT_LIVED)?;
    let mut left_out = Vec::new();
    if ceph.is_none() {
        left_out.push(NEEDS_CEPH);
    }
    if venv::no_localstack().is_some() {
        left_out.push(NEEDS_MOTO);
    }
    Ok(TestStack {
        stack: stack::about_file(state),
        ceph: ceph.map(|_| ceph::about_file(state)),
        left_out,
        run_elsewhere: Vec::new(),
        environment: vec![
            (
                "LONGSHORE_FUNCTIONS".to_owned(),
                functions.to_string_lossy().into_owned(),
            ),
            ("LONGSHORE_EMULATOR_CONTROL".to_owned(), control.to_string()),
            ("LONGSHORE_ROLES_FILE".to_owned(), roles),
            ("LONGSHORE_ROLE_COPIES".to_owned(), copies),
        ],
    })
}

/// Stops what runs in a state folder.
pub(super) fn halt(state: &Path) -> Result<()> {
    let ceph = ceph::down(state);
    let stopped = Kind::ALL.map(|kind| Emulator::new(state, kind).stop());
    stopped.into_iter().collect::<Result<Vec<_>>>()?;
    ceph
}

pub(super) fn remove(folder: &Path) -> Result<()> {
    fs::remove_dir_all(folder).with_context(|| format!("cannot remove {}", folder.display()))
}

/// Whether the run that a folder is named after still goes on.
pub(super) fn under_way(process: &OsStr) -> bool {
    let owner = Path::new("/proc").join(process);
    fs::read_to_string(owner.join("cmdline")).is_ok_and(|line| line.contains("xtask"))
}

/// Stops and removes what earlier runs left, if they were interrupted. Those under way are left alone.
fn clear_leftovers(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let state = entry.path();
        if !under_way(&entry.file_name()) {
            let _ = halt(&state);
            let _ = fs::remove_dir_all(&state);
        }
    }
}
