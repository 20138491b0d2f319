//! `cargo xtask smoke`: the main job once against any deployment, through the command line, leaving neither file nor account
//! behind.
//!
//! It makes an account of its own each time. Where accounts are made by invitation it has to know the stack, to ask it for one.

use crate::demo::{self, Account, Demo, timed};
use crate::targets::StackRef;
use crate::{deploy, invite, tools, ui, workspace};
use anyhow::{Context, Result, ensure};
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// Three parts, the last one short.
const SIZE: u64 = 20 * 1024 * 1024 + 1;
const FILE: &str = "smoke.bin";
const FOLDER: &str = "/smoke";

pub(crate) fn run(api: &str, stack: Option<&str>) -> Result<()> {
    let cli = workspace::cli();
    ensure!(
        cli.is_file(),
        "{} is missing: build it first (cargo xtask build)",
        cli.display()
    );
    let username = format!("smoke-{}-{}", demo::seconds_now(), std::process::id());
    let invitation = match stack {
        Some(stack) => {
            let place = StackRef::on_aws(stack, Vec::new());
            deploy::check_format(&place)?;
            invite::code(&place, &username)
                .with_context(|| format!("cannot get an invitation from the stack {stack}"))?
        }
        None => None,
    };
    let account = Account {
        username,
        password: tools::random_hex()?,
        invitation,
    };
    let folder = workspace::target().join(format!("smoke-{}", std::process::id()));
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    ui::line(&format!("==> The main job, once for real, at {api}"));
    let demo = Demo {
        folder: folder.clone(),
        api: api.trim_end_matches('/'),
    };
    let done = with_account(&demo, &account, stack.is_some());
    fs::remove_dir_all(&folder)?;
    done
}

/// The main job with an account that does not outlive it, whatever comes out.
fn with_account(demo: &Demo<'_>, account: &Account, knows_the_stack: bool) -> Result<()> {
    timed(&format!("signed up as {}", account.username), || {
        demo.cli(account, &["signup", &account.username])
            .map_err(|error| {
                if error.to_string().contains("invitation_required") && !knows_the_stack {
                    error.context("say which stack to ask for an invitation: --stack <name>")
                } else {
                    error
                }
            })
    })?;
    let done = main_job(demo, account);
    let deleted = timed("deleted the account", || {
        // After a roll-back the command line is that of an older release, which knows no `--yes` and asks nothing.
        demo.cli(account, &["delete-account", "--yes"])
            .or_else(|error| demo.cli(account, &["delete-account"]).map_err(|_| error))
    });
    match (done, deleted) {
        (Err(error), Err(left)) => Err(error.context(format!("and the account stays: {left:#}"))),
        (done, deleted) => done.and(deleted.map(|_| ())),
    }
}

fn main_job(demo: &Demo<'_>, account: &Account) -> Result<()> {
    let original = commit_file(demo)?;
    let path = format!("{FOLDER}/{FILE}");
    timed(
        &format!("uploaded {} in verified parts to {path}", ui::size(SIZE)),
        || demo.cli(account, &["upload", "--to", FOLDER, &original.to_string_lossy()]),
    )?;
    look_at(demo, account, &original, &path)?;
    timed("removed it", || {
        demo.cli(account, &["rm", &path])?;
        demo.cli(account, &["rm", FOLDER])
    })?;
    let left = demo.cli(account, &["ls"])?;
    ensure!(
        demo::items(&left["items"]).next().is_none(),
        "the account is not empty after the removal: {left}"
    );
    Ok(())
}

fn look_at(demo: &Demo<'_>, account: &Account, original: &Path, path: &str) -> Result<()> {
    demo.wait_for_replicas(account, path, false)?;
    let copy = demo.folder.join("downloaded.bin");
    timed("downloaded it from the primary store", || {
        demo.cli(account, &["download", path, "--output", &copy.to_string_lossy()])
    })?;
    timed("compared the bytes: the same", || {
        demo::ensure_same(original, &copy)
    })
}

/// Random bytes: nobody has them yet, so they are really sent.
fn commit_file(demo: &Demo<'_>) -> Result<PathBuf> {
    let path = demo.folder.join(FILE);
    let mut random = File::open("/dev/urandom")?.take(SIZE);
    io::copy(&mut random, &mut File::create(&path)?)?;
    Ok(path)
}
