//! Ceph's programs, from the distribution's packages.

use crate::{process, ui};
use anyhow::Result;
use std::env;
use std::path::Path;
use std::process::Command;

const PROGRAMS: [&str; 6] = [
    "ceph",
    "ceph-mon",
    "ceph-osd",
    "monmaptool",
    "radosgw",
    "radosgw-admin",
];
const PACKAGES: [&str; 3] = ["ceph-mon", "ceph-osd", "radosgw"];

/// Whether Ceph can be started here.
pub(crate) enum Availability {
    Ready,
    /// Why not, and what to do about it.
    Missing(String),
}

/// Installs what is missing, if this machine and this user can.
pub(crate) fn ensure() -> Result<Availability> {
    if missing().is_empty() {
        return Ok(Availability::Ready);
    }
    let packages = PACKAGES.join(" ");
    if !exists("apt-get") {
        return Ok(Availability::Missing(format!(
            "Ceph is not installed ({} is missing), and without apt-get this program cannot install it. \
             Install your system's packages for {packages}",
            missing().join(", ")
        )));
    }
    let prefix: &[&str] = if is_root()? {
        &[]
    } else if exists("sudo") {
        &["sudo"]
    } else {
        return Ok(Availability::Missing(format!(
            "Ceph is not installed, and installing it takes root. As root: \
             apt-get install --no-install-recommends {packages}"
        )));
    };
    let installed = ui::step("Installing Ceph (about 70 MB to fetch, 260 MB on disk)", || {
        process::run(&mut apt(prefix, &["update", "--quiet"]))?;
        let mut install = apt(
            prefix,
            &["install", "--yes", "--quiet", "--no-install-recommends"],
        );
        // Half the time; a power cut in this minute is the only risk.
        process::run(
            install
                .args(["-o", "DPkg::Options::=--force-unsafe-io"])
                .args(PACKAGES),
        )
    });
    Ok(match installed {
        Ok(()) if missing().is_empty() => Availability::Ready,
        Ok(()) => Availability::Missing(format!(
            "the packages {packages} came without {}",
            missing().join(", ")
        )),
        Err(error) => Availability::Missing(format!("Ceph could not be installed: {error}")),
    })
}

fn apt(prefix: &[&str], arguments: &[&str]) -> Command {
    let words: Vec<&str> = prefix
        .iter()
        .chain(&["env", "DEBIAN_FRONTEND=noninteractive", "apt-get"])
        .chain(arguments)
        .copied()
        .collect();
    let mut command = Command::new(words[0]);
    command.args(&words[1..]);
    command
}

fn missing() -> Vec<&'static str> {
    PROGRAMS.into_iter().filter(|program| !exists(program)).collect()
}

fn exists(program: &str) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).any(|folder| Path::new(&folder).join(program).is_file())
}

fn is_root() -> Result<bool> {
    Ok(process::output(Command::new("id").arg("-u"))?.trim() == "0")
}
