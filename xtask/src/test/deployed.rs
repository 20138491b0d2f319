//! A stack that is deployed already, on AWS or on an emulator: found by the URL of its API, left as it was.

use super::Place;
use crate::{process, tools, ui, venv, workspace};
use anyhow::{Context, Result};
use std::fs;
use std::path::PathBuf;
use std::process::Command;

pub(super) struct Deployed {
    /// Where it is written down what is deployed, and which accounts the tests made.
    folder: PathBuf,
    environment: Vec<(String, String)>,
    emulated: bool,
}

impl Deployed {
    /// Finds out what belongs to the API at this URL.
    pub(super) fn find(url: &str) -> Result<Self> {
        let folder = workspace::target()
            .join("test-stacks")
            .join(format!("deployed-{}", std::process::id()));
        fs::create_dir_all(&folder)?;
        let mut deployed = Self {
            folder,
            environment: Vec::new(),
            emulated: false,
        };
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
        deployed.emulated = tools::read_json(&deployed.stack())?["emulator"].is_string();
        let accounts = deployed.accounts().to_string_lossy().into_owned();
        deployed
            .environment
            .push(("LONGSHORE_ACCOUNTS".to_owned(), accounts));
        Ok(deployed)
    }

    pub(super) fn place(&self) -> Place {
        Place {
            stack: self.stack(),
            ceph: None,
            emulated: self.emulated,
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
