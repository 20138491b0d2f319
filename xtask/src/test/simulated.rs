//! Random worlds, as one test.

use super::count::Count;
use crate::{process, simulate, ui};
use anyhow::Result;
use std::process::Command;

/// For how many seconds.
const SECONDS: &str = "60";

/// Lives worlds that nobody has lived before.
pub(super) fn worlds() -> Result<Count> {
    let program = simulate::build()?;
    let title = format!("Living random worlds for {SECONDS} s");
    let lived = ui::step(&title, || {
        process::run(Command::new(program).args(["--seconds", SECONDS]))
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
