//! `cargo xtask targets`: the targets secret of a stack, here or on AWS. docs/targets.md describes the document.

#[cfg(test)]
mod documented;

use crate::emulator::Emulator;
use crate::{process, stack, tools, ui, venv, workspace};
use anyhow::{Context, Result, bail, ensure};
use clap::{Args, Subcommand};
use domain::name::Name;
use domain::targets::{Config, Target};
use serde_json::json;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What is to be done.
#[derive(Debug, Subcommand)]
pub(crate) enum Targets {
    /// Only look whether a document is right
    Check {
        #[arg(value_name = "FILE")]
        document: PathBuf,
    },
    /// Put a document into a stack, and tell its functions
    Set(Set),
}

#[derive(Debug, Args, PartialEq, Eq)]
pub(crate) struct Set {
    #[arg(value_name = "FILE")]
    pub(crate) document: PathBuf,
    /// A stack on AWS; otherwise the one that runs here
    #[arg(long, value_name = "NAME")]
    pub(crate) stack: Option<String>,
    /// Also if the document leaves out a target that has copies
    #[arg(long)]
    pub(crate) retire: bool,
}

pub(crate) fn run(state: &Path, what: &Targets) -> Result<()> {
    match what {
        Targets::Check { document } => {
            say(&read(document)?.1);
            Ok(())
        }
        Targets::Set(set) => put(state, set),
    }
}

/// A stack that is meant: its name, and where it is if AWS's settings in the environment do not say it.
pub(crate) struct StackRef {
    name: String,
    environment: Vec<(&'static str, String)>,
}

impl StackRef {
    /// Wherever AWS's settings in the environment lead, or these instead of them.
    pub(crate) fn on_aws(name: &str, environment: Vec<(&'static str, String)>) -> Self {
        let name = name.to_owned();
        Self { name, environment }
    }

    /// The stack's name.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The stack of a state folder.
    pub(crate) fn here(state: &Path) -> Result<Self> {
        let running = Emulator::any_running(state).is_some() && stack::about_file(state).exists();
        ensure!(
            running,
            "no stack runs in {}. Start one (cargo xtask up), or say which one on AWS is meant: --stack <name>",
            state.display()
        );
        let about = tools::read_json(&stack::about_file(state))?;
        let environment = vec![
            ("AWS_ENDPOINT_URL", tools::text(&about, "endpoint")?.to_owned()),
            ("AWS_DEFAULT_REGION", tools::text(&about, "region")?.to_owned()),
            ("AWS_ACCESS_KEY_ID", "test".to_owned()),
            ("AWS_SECRET_ACCESS_KEY", "test".to_owned()),
        ];
        Ok(Self::on_aws(stack::NAME, environment))
    }

    /// What is in the secret now.
    pub(crate) fn document(&self) -> Result<String> {
        process::output(&mut self.script("get")?)
    }

    fn script(&self, what: &str) -> Result<Command> {
        let mut command = self.command("targets.py")?;
        command.arg(what);
        Ok(command)
    }

    /// A script of `infra/` that is about the stack.
    pub(crate) fn command(&self, script: &str) -> Result<Command> {
        let mut command = Command::new(venv::embedded()?.python());
        command
            .arg(workspace::root().join("infra").join(script))
            .args(["--stack", &self.name])
            .envs(self.environment.iter().map(|(name, value)| (name, value)));
        Ok(command)
    }
}

fn put(state: &Path, set: &Set) -> Result<()> {
    let (text, config) = read(&set.document)?;
    let place = match &set.stack {
        Some(name) => StackRef::on_aws(name, Vec::new()),
        None => StackRef::here(state)?,
    };
    ui::step(
        &format!("Writing the targets of the stack {}", place.name),
        || {
            if !set.retire {
                refuse_to_forget(&place.document()?, &config)?;
            }
            // What was checked is what is written, whatever becomes of the file meanwhile.
            let checked = CheckedFile::write(&text)?;
            process::output(place.script("put")?.arg("--document").arg(&checked.0)).map(|_| ())
        },
    )?;
    say(&config);
    if set.stack.is_none() {
        remember(state, &config)?;
    }
    ui::line("The functions know it now; a worker that runs already, within half a minute.");
    Ok(())
}

fn read(file: &Path) -> Result<(String, Config)> {
    let text = fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    let config = Config::parse(&text).with_context(|| format!("{} cannot be used", file.display()))?;
    Ok((text, config))
}

/// A target that is just left out keeps what it has, and nobody knows of it any more. Seldom is that what is wanted.
fn refuse_to_forget(current: &str, new: &Config) -> Result<()> {
    // What is there may be damaged: then this is the way to mend it.
    let Ok(current) = Config::parse(current) else {
        return Ok(());
    };
    let forgotten: Vec<&str> = current
        .targets
        .iter()
        .filter(|target| !target.draining && new.target(&target.name).is_none())
        .map(|target| target.name.as_str())
        .collect();
    if !forgotten.is_empty() {
        bail!(
            "the document leaves out {}, where copies may be. To have them removed, keep the target in it with \
             \"draining\": true until it is empty; to forget them, say --retire",
            forgotten.join(", ")
        );
    }
    Ok(())
}

/// A file that nobody else may read, for as long as it is needed.
struct CheckedFile(PathBuf);

impl CheckedFile {
    fn write(text: &str) -> Result<Self> {
        use std::io::Write as _;
        use std::os::unix::fs::OpenOptionsExt as _;
        let path = std::env::temp_dir().join(format!("longshore-targets-{}", tools::random_hex()?));
        let mut options = fs::File::options();
        options.write(true).create_new(true).mode(0o600);
        let mut file = options
            .open(&path)
            .with_context(|| format!("cannot write {}", path.display()))?;
        let checked = Self(path);
        file.write_all(text.as_bytes())?;
        Ok(checked)
    }
}

impl Drop for CheckedFile {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

/// Has `stack.json`, which says where everything is, say so of these targets.
fn remember(state: &Path, config: &Config) -> Result<()> {
    let file = stack::about_file(state);
    let mut about = tools::read_json(&file)?;
    about["targets"] = config
        .targets
        .iter()
        .map(|target| {
            json!({
                "name": target.name, "kind": target.kind.as_str(), "endpoint": target.endpoint,
                "bucket": target.bucket, "prefix": target.prefix,
            })
        })
        .collect();
    tools::write_json(&file, &about)
}

fn say(config: &Config) {
    if config.targets.is_empty() {
        ui::detail("no targets: nothing is replicated");
    }
    for target in &config.targets {
        ui::detail(&in_words(target));
    }
    for (number, policy) in (1..).zip(&config.policies) {
        let account = policy.account.as_ref().map_or_else(
            || "of everybody".to_owned(),
            |id| format!("of account {}", id.as_str()),
        );
        let folder: Vec<&str> = policy.folder.iter().map(Name::as_str).collect();
        let targets = if policy.targets.is_empty() {
            "nowhere".to_owned()
        } else {
            policy.targets.join(", ")
        };
        ui::detail(&format!(
            "policy {number}: files {account} below /{} go to {targets}",
            folder.join("/")
        ));
    }
}

fn in_words(target: &Target) -> String {
    let kind = target.kind.as_str();
    let mut words = vec![format!(
        "{} ({kind}): {}/{}",
        target.name, target.endpoint, target.bucket
    )];
    if !target.prefix.is_empty() {
        words.push(format!("keys begin with {}", target.prefix));
    }
    if let Some(workers) = target.max_workers {
        words.push(format!("at most {workers} workers"));
    }
    if let Some(rate) = target.max_bytes_per_second {
        words.push(format!("at most {}/s from each worker", ui::size(rate)));
    }
    if target.only_by_policy {
        words.push("only by policy".to_owned());
    }
    if target.draining {
        words.push("draining".to_owned());
    }
    words.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    fn document(names: &[(&str, bool)]) -> String {
        let target = |(name, draining): &(&str, bool)| {
            json!({
                "name": name, "kind": "ceph", "endpoint": "http://h", "bucket": name, "access_key_id": "i",
                "secret_access_key": "s", "draining": draining,
            })
        };
        json!({ "targets": names.iter().map(target).collect::<Vec<Value>>() }).to_string()
    }

    #[test]
    fn a_target_is_not_forgotten_by_leaving_it_out() {
        let new = Config::parse(&document(&[("new", false)])).unwrap();
        let error = refuse_to_forget(&document(&[("old", false), ("new", false)]), &new).unwrap_err();
        assert!(error.to_string().contains("leaves out old,"), "{error}");
        refuse_to_forget(&document(&[("old", true), ("new", false)]), &new).unwrap();
        refuse_to_forget(&document(&[]), &new).unwrap();
        refuse_to_forget("damaged", &new).unwrap();
    }

    #[test]
    fn the_file_with_keys_is_nobody_elses_and_goes() {
        use std::os::unix::fs::PermissionsExt as _;
        let file = CheckedFile::write("keys").unwrap();
        let path = file.0.clone();
        assert_eq!(fs::read_to_string(&path).unwrap(), "keys");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        drop(file);
        assert!(!path.exists());
    }
}
