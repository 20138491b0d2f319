//! What cannot be had on this machine, so that tests are left out. In CI that is an error.

use crate::emulator::Kind;
use crate::{build, venv};
use anyhow::{Result, bail};

/// Why there can be no such emulator here.
pub(super) fn cannot_run(kind: Kind) -> Option<String> {
    match kind {
        Kind::MiniStack => None,
        Kind::LocalStack => venv::no_localstack(),
    }
}

pub(super) fn refuse_in_ci(why: &str) -> Result<()> {
    if build::in_ci() {
        bail!("CI skips nothing, and {why}");
    }
    Ok(())
}
