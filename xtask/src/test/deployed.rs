//! A stack that is deployed already, on AWS or on an emulator: found by the URL of its API. What the tests make there is removed.

mod demands;

use super::stacks::under_way;
use super::test_stack::TestStack;
use crate::{process, tools, ui, venv, workspace};
use anyhow::{Context, Result};
use std::fs;
use std::path::PathBuf;
use std::process::Command;

/// Tests that stand between the functions or the command line and AWS, which TLS and signatures are there to prevent, or
/// whose targets are on this machine; as parts of their names.
const STAND_BETWEEN: [&str; 24] = [
    "chaos::",
    "circuits::",
    "corruption::",
    "even_at_the_finest_level",
    "failover::",
    "faults::",
    "forging::configured::",
    "holes::",
    "interrupted::",
    "metrics::",
    "oss_target::",
    "our_side::",
    "public_endpoint::",
    "reconcile::",
    "redrive::",
    "remote_calls::",
    "signing_in_costs",
    "signs_too_late",
    "sweep::",
    "target_config::",
    "targets::",
    "text_that_is_not_utf8",
    "the_signing_key",
    "throttling::",
];

pub(super) struct Deployed {
    /// Where it is written down what is deployed, and which accounts the tests made.
    folder: PathBuf,
    environment: Vec<(String, String)>,
    emulated: bool,
}

impl Deployed {
    /// Finds out what belongs to the API at this URL.
    pub(super) fn find(url: &str) -> Result<Self> {
        let mut deployed = Self {
            folder: folders().join(std::process::id().to_string()),
            environment: Vec::new(),
            emulated: false,
        };
        fs::create_dir_all(&deployed.folder)?;
        // Without this file nobody knows any more what there is to remove.
        fs::write(deployed.accounts(), "")?;
        ui::step(&format!("Looking for the stack of {url}"), || {
            let said = process::output(
                deployed
                    .script("find_stack.py")?
                    .args(["--url", url])
                    .arg("--out")
                    .arg(deployed.stack()),
            )?;
            // The credentials that boto3 found, wherever it did: the tests sign requests with them.
            for line in said.lines() {
                let (name, value) = line
                    .split_once('=')
                    .context("find_stack.py said something else")?;
                deployed.environment.push((name.to_owned(), value.to_owned()));
            }
            Ok(())
        })?;
        let about = tools::read_json(&deployed.stack())?;
        deployed.emulated = about["emulator"].is_string();
        if let Err(error) = demands::check(&about["parameters"], deployed.emulated) {
            // Nothing was made there.
            fs::remove_dir_all(&deployed.folder)?;
            return Err(error);
        }
        let accounts = deployed.accounts().to_string_lossy().into_owned();
        deployed
            .environment
            .push(("LONGSHORE_ACCOUNTS".to_owned(), accounts));
        Ok(deployed)
    }

    /// Removes what earlier runs on the same stack left, if they were interrupted. Those under way are left alone.
    pub(super) fn clean_up_after_earlier_runs(&self) -> Result<()> {
        let here = tools::read_json(&self.stack())?;
        for entry in fs::read_dir(folders())?.flatten() {
            let earlier = Self {
                folder: entry.path(),
                environment: self.environment.clone(),
                emulated: self.emulated,
            };
            let same = tools::read_json(&earlier.stack()).is_ok_and(|there| there["table"] == here["table"]);
            if same && earlier.folder != self.folder && !under_way(&entry.file_name()) {
                earlier.clean_up()?;
            }
        }
        Ok(())
    }

    pub(super) fn place(&self) -> TestStack {
        // Without a Ceph of its own, without the sample world, which may be in use there, without anybody who wrote down
        // what roles did, and without killing it.
        let mut left_out = vec!["real_ceph", "emulated", "privileges::", "survival::"];
        if !self.emulated {
            left_out.extend(STAND_BETWEEN);
        }
        TestStack {
            stack: self.stack(),
            ceph: None,
            left_out,
            run_elsewhere: Vec::new(),
            environment: self.environment.clone(),
        }
    }

    /// Removes every account that the tests made, and all that belongs to it.
    pub(super) fn clean_up(self) -> Result<()> {
        ui::step("Removing what the tests made", || {
            let mut command = self.script("clean_up.py")?;
            command.arg("--stack").arg(self.stack());
            command.arg("--accounts").arg(self.accounts());
            process::run(&mut command)
        })?;
        fs::remove_dir_all(&self.folder).with_context(|| format!("cannot remove {}", self.folder.display()))
    }

    fn script(&self, name: &str) -> Result<Command> {
        let mut command = Command::new(venv::embedded()?.python());
        command
            .arg(workspace::root().join("tests/tools").join(name))
            .envs(self.environment.clone());
        Ok(command)
    }

    fn stack(&self) -> PathBuf {
        self.folder.join("stack.json")
    }

    /// One line for each account: its name.
    fn accounts(&self) -> PathBuf {
        self.folder.join("accounts")
    }
}

/// One folder for each run, named by its process.
fn folders() -> PathBuf {
    workspace::target().join("test-deployed")
}
