//! `cargo xtask events`: puts the sample world that the events in `events/` are about into a running stack, and writes
//! the environment in which functions see it when a person invokes them one by one.

#[cfg(test)]
pub(crate) mod agreement;

use crate::emulator::Emulator;
use crate::{build, process, stack, ui, venv, workspace};
use anyhow::{Result, bail};
use std::path::Path;
use std::process::Command;

/// What the hints at the end are about.
const EXAMPLE: &str = "upload-get";

pub(crate) fn put(state: &Path) -> Result<()> {
    let about = stack::about_file(state);
    if Emulator::any_running(state).is_none() || !about.exists() {
        bail!("no stack runs in {}. Start one: cargo xtask up", state.display());
    }
    let venv = venv::embedded()?;
    let out = state.join("events");
    ui::step("Putting the sample world into the stack", || {
        process::run(
            Command::new(venv.python())
                .arg(workspace::root().join("events/sample/put.py"))
                .arg("--stack")
                .arg(&about)
                .arg("--out")
                .arg(&out),
        )
    })?;
    say_what_next(&out)
}

fn say_what_next(out: &Path) -> Result<()> {
    let out = out.strip_prefix(std::env::current_dir()?).unwrap_or(out);
    ui::line(&format!(
        "
The events in events/ are about this world. Run it again to have it as it was. To invoke a function:

    export PATH=\"$PATH:{venv}\"
    cargo lambda watch --invoke-address 127.0.0.1 --env-file {out}/env \\
        --release --target {host} --package functions

and in another terminal, with the same PATH:

    cargo lambda invoke {EXAMPLE} --invoke-address 127.0.0.1 --data-file events/{EXAMPLE}/success.json

events/{EXAMPLE}/success.expected.json is what it answers; events/README.md has more, also about sam local invoke.",
        venv = workspace::root().join(".longshore/venv/bin").display(),
        out = out.display(),
        host = build::host()?,
    ));
    Ok(())
}
