//! Random worlds, as one test.

use super::count::Count;
use crate::{process, simulate, ui};
use anyhow::Result;
use std::process::Command;

/// For how many seconds.
const SECONDS: &str = "60";
/// From the same seed each time: a change is judged by worlds that held before it. `cargo xtask simulate` lives others.
const FIRST: &str = "5000";

/// Lives worlds that held the last time.
pub(super) fn worlds() -> Result<Count> {
    let program = simulate::build("simulate")?;
    let title = format!("Living random worlds for {SECONDS} s");
    let lived = ui::step(&title, || {
        process::run(Command::new(program).args(["--seconds", SECONDS, "--seed", FIRST]))
    });
    if let Err(error) = &lived {
        ui::detail(&error.to_string());
    }
    let failed = lived.is_err();
    Ok(Count {
        passed: (!failed).into(),
        failed: failed.into(),
        skipped: 0,
    })
}
