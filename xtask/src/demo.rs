//! The main job, once for real, through the command line that a person uses: sign up, upload, replicate, list,
//! download, compare. A line each.

use crate::{process, tools, ui, workspace};
use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// A replica of a few megabytes takes seconds; the sweep would revive a lost message within two minutes.
const TIMEOUT: Duration = Duration::from_mins(3);
const FILE: &str = "longshore-demo.bin";

pub(crate) struct Demo<'a> {
    /// Where files and the command line's settings are.
    pub(crate) folder: PathBuf,
    pub(crate) api: &'a str,
}

/// What is remembered from one `up` to the next.
pub(crate) struct Account {
    pub(crate) username: String,
    pub(crate) password: String,
    /// What it is made by, where that is needed.
    pub(crate) invitation: Option<String>,
}

/// Runs it. `about` is the `stack.json`.
pub(crate) fn run(state: &Path, about: &Value) -> Result<()> {
    let demo = Demo {
        folder: state.join("demo"),
        api: tools::text(about, "api_url")?,
    };
    fs::create_dir_all(&demo.folder)?;
    ui::line("==> The main job, once for real");
    let account = demo.sign_in()?;
    // A new name each time: somebody may have removed the last one, or still be looking at it.
    let folder = format!("/demo-{}", seconds_now());
    let path = format!("{folder}/{FILE}");
    let original = demo.commit_file()?;
    let size = fs::metadata(&original)?.len();
    let words = format!("uploaded {} in verified parts to {path}", ui::size(size));
    timed(&words, || {
        demo.cli(
            &account,
            &["upload", "--to", &folder, &original.to_string_lossy()],
        )
    })?;
    demo.wait_for_replicas(&account, &path, true)?;
    timed(&format!("listed {folder}, and it is there"), || {
        let listed = demo.cli(&account, &["ls", &folder])?;
        let names: Vec<&str> = items(&listed["items"])
            .filter_map(|node| node["name"].as_str())
            .collect();
        ensure!(names == [FILE], "the folder has {names:?}, not only {FILE}");
        Ok(())
    })?;
    let copy = demo.folder.join("downloaded.bin");
    timed("downloaded it from the primary store", || {
        demo.cli(
            &account,
            &["download", &path, "--force", "--output", &copy.to_string_lossy()],
        )
    })?;
    timed("compared the bytes: the same", || ensure_same(&original, &copy))?;
    fs::remove_file(&copy)?;
    fs::remove_file(&original)?;
    demo.remove_last(&account, &folder)
}

impl Demo<'_> {
    /// Signs in with the account of the last time, or signs up with a new one: the data may be gone, the account with it.
    fn sign_in(&self) -> Result<Account> {
        let file = self.folder.join("account.json");
        if let Ok(kept) = tools::read_json(&file) {
            let account = Account {
                username: tools::text(&kept, "username")?.to_owned(),
                password: tools::text(&kept, "password")?.to_owned(),
                invitation: None,
            };
            let words = format!("signed in as {}, the account of the last time", account.username);
            if timed(&words, || self.cli(&account, &["login", &account.username])).is_ok() {
                return Ok(account);
            }
            ui::detail("the account of the last time is not there any more");
        }
        let account = Account {
            username: format!("demo-{}", seconds_now()),
            password: tools::random_hex()?,
            invitation: None,
        };
        timed(&format!("signed up as {}", account.username), || {
            self.cli(&account, &["signup", &account.username])
        })?;
        tools::write_json(
            &file,
            &json!({ "username": account.username, "password": account.password }),
        )?;
        Ok(account)
    }

    /// Real bytes in more than one part: the command line, three times over, and something at the end that makes them
    /// new, for bytes that the account already has would not be sent.
    fn commit_file(&self) -> Result<PathBuf> {
        const TIMES: usize = 3;
        let path = self.folder.join(FILE);
        let mut file = File::create(&path)?;
        for _ in 0..TIMES {
            io::copy(&mut File::open(workspace::cli())?, &mut file)?;
        }
        let now = SystemTime::now().duration_since(UNIX_EPOCH)?;
        file.write_all(now.as_nanos().to_string().as_bytes())?;
        Ok(path)
    }

    /// Waits for all the replicas there are; `expected` says that none at all is a fault.
    pub(crate) fn wait_for_replicas(&self, account: &Account, path: &str, expected: bool) -> Result<()> {
        let started = Instant::now();
        loop {
            let status = self.cli(account, &["status", path])?;
            let replicas: Vec<&Value> = items(&status["node"]["replicas"]).collect();
            ensure!(
                !replicas.is_empty() || !expected,
                "the file has no replicas: {status}"
            );
            let text = |replica: &Value, key: &str| replica[key].as_str().unwrap_or("?").to_owned();
            let waiting = replicas.iter().find(|replica| replica["state"] != "available");
            if replicas.is_empty() {
                ui::detail("nothing is replicated: no targets are configured there");
            }
            let Some(waiting) = waiting else {
                for replica in replicas {
                    let words = format!("replicated to {}, and verified there", text(replica, "target"));
                    say(&words, started.elapsed());
                }
                return Ok(());
            };
            if waiting["state"] == "failed" || started.elapsed() > TIMEOUT {
                bail!(
                    "the replica at {} is {}: {waiting}",
                    text(waiting, "target"),
                    text(waiting, "state")
                );
            }
            std::thread::sleep(Duration::from_millis(200));
        }
    }

    /// Removes the file of the last time, which has served, so that they do not pile up.
    fn remove_last(&self, account: &Account, folder: &str) -> Result<()> {
        let memory = self.folder.join("last-folder");
        if let Ok(last) = fs::read_to_string(&memory) {
            let file = format!("{last}/{FILE}");
            // It may have been removed by hand, which is no failure of ours.
            let removed = self
                .cli(account, &["rm", &file])
                .and_then(|_| self.cli(account, &["rm", &last]));
            if removed.is_ok() {
                ui::detail(&format!("removed {last}, the file of the last time"));
            }
        }
        fs::write(memory, folder).context("cannot remember the demonstration's folder")
    }

    /// Runs the command line and returns what it prints.
    pub(crate) fn cli(&self, account: &Account, arguments: &[&str]) -> Result<Value> {
        let mut command = Command::new(workspace::cli());
        command
            .args(["--json", "--quiet"])
            .args(arguments)
            // Somebody's token would act for them here, and would be sent there.
            .env_remove("LONGSHORE_TOKEN")
            .env("LONGSHORE_API", self.api)
            .env("LONGSHORE_CONFIG_DIR", self.folder.join("cli"))
            .env("LONGSHORE_PASSWORD", &account.password)
            .env(
                "LONGSHORE_INVITATION",
                account.invitation.as_deref().unwrap_or_default(),
            );
        let said = process::output(&mut command)?;
        match said.lines().last() {
            Some(line) => serde_json::from_str(line).with_context(|| format!("not JSON: {line}")),
            None => Ok(Value::Null),
        }
    }
}

pub(crate) fn items(list: &Value) -> impl Iterator<Item = &Value> {
    list.as_array().into_iter().flatten()
}

pub(crate) fn ensure_same(original: &Path, copy: &Path) -> Result<()> {
    let (mut left, mut right) = (Vec::new(), Vec::new());
    File::open(original)?.read_to_end(&mut left)?;
    File::open(copy)?.read_to_end(&mut right)?;
    ensure!(
        left == right,
        "{} and {} differ",
        original.display(),
        copy.display()
    );
    Ok(())
}

pub(crate) fn timed<T>(words: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    let started = Instant::now();
    let result = work()?;
    say(words, started.elapsed());
    Ok(result)
}

fn say(words: &str, time: Duration) {
    ui::detail(&format!("{words} ({} ms)", time.as_millis()));
}

pub(crate) fn seconds_now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |time| time.as_secs())
}
