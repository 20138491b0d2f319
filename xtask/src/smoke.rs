//! `cargo xtask smoke`: the main job once against any deployment, through the command line, leaving no file behind.
//!
//! It asks for nothing but the API's address, so it makes an account of its own each time.

use crate::demo::{self, Account, Demo, timed};
use crate::{tools, ui, workspace};
use anyhow::{Context, Result, ensure};
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// Three parts, the last one short.
const SIZE: u64 = 20 * 1024 * 1024 + 1;
const FILE: &str = "smoke.bin";
const FOLDER: &str = "/smoke";

pub(crate) fn run(api: &str) -> Result<()> {
    let cli = workspace::cli();
    ensure!(
        cli.is_file(),
        "{} is missing: build it first (cargo xtask build)",
        cli.display()
    );
    let folder = workspace::target().join(format!("smoke-{}", std::process::id()));
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    ui::line(&format!("==> The main job, once for real, at {api}"));
    let demo = Demo {
        folder: folder.clone(),
        api: api.trim_end_matches('/'),
    };
    let done = main_job(&demo);
    fs::remove_dir_all(&folder)?;
    done
}

fn main_job(demo: &Demo<'_>) -> Result<()> {
    let account = Account {
        username: format!("smoke-{}-{}", demo::seconds_now(), std::process::id()),
        password: tools::random_hex()?,
    };
    let original = make_file(demo)?;
    let path = format!("{FOLDER}/{FILE}");
    timed(&format!("signed up as {}", account.username), || {
        demo.cli(&account, &["signup", &account.username])
    })?;
    timed(
        &format!("uploaded {} in verified parts to {path}", ui::size(SIZE)),
        || demo.cli(&account, &["upload", "--to", FOLDER, &original.to_string_lossy()]),
    )?;
    // Whatever comes out of the rest, the bytes are not left there.
    let rest = look_at(demo, &account, &original, &path);
    let removed = timed("removed it", || {
        demo.cli(&account, &["rm", &path])?;
        demo.cli(&account, &["rm", FOLDER])
    });
    rest?;
    removed?;
    let left = demo.cli(&account, &["ls"])?;
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
fn make_file(demo: &Demo<'_>) -> Result<PathBuf> {
    let path = demo.folder.join(FILE);
    let mut random = File::open("/dev/urandom")?.take(SIZE);
    io::copy(&mut random, &mut File::create(&path)?)?;
    Ok(path)
}
