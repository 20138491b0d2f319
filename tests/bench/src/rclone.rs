//! rclone, copying the same objects from the same bucket to the same Ceph.

use crate::usage::{self, Cpu};
use anyhow::{Context, Result, ensure};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};
use tokio::process::Command;

/// How often to look at what it uses. Its peak cannot be asked for any more when it has ended.
const LOOK: Duration = Duration::from_millis(20);

/// A store as rclone knows it.
pub(crate) struct Remote<'a> {
    pub(crate) provider: &'a str,
    pub(crate) endpoint: &'a str,
    pub(crate) region: &'a str,
    pub(crate) key_id: &'a str,
    pub(crate) secret: &'a str,
}

pub(crate) struct Rclone {
    pub(crate) program: PathBuf,
    pub(crate) transfers: u32,
    pub(crate) log: PathBuf,
}

/// What a run of it took.
pub(crate) struct Took {
    pub(crate) time: Duration,
    pub(crate) peak_memory_kib: u64,
    pub(crate) cpu: Cpu,
}

impl Rclone {
    /// Copies the objects that `list` names, from a bucket or a folder of it to another.
    pub(crate) async fn copy(
        &self,
        from: (&Remote<'_>, &str),
        to: (&Remote<'_>, &str),
        keys: &[&str],
        part_size: u64,
    ) -> Result<Took> {
        let list = self.log.with_extension("list");
        fs::write(&list, keys.join("\n") + "\n")?;
        let log = File::options().create(true).append(true).open(&self.log)?;
        let mut command = Command::new(&self.program);
        command
            .args(["copy", &format!("source:{}", from.1), &format!("target:{}", to.1)])
            .arg("--files-from-raw")
            .arg(&list)
            .args(flags(self.transfers, part_size))
            .env_clear()
            .envs(remote("SOURCE", from.0))
            .envs(remote("TARGET", to.0))
            // None of its own configuration.
            .env("RCLONE_CONFIG", "/dev/null")
            .env("HOME", self.log.parent().unwrap_or(Path::new("/")))
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .kill_on_drop(true);
        let began = Instant::now();
        let mut process = command.spawn().context("cannot start rclone")?;
        let pid = process.id().context("rclone ended at once")?;
        let mut took = Took {
            time: Duration::ZERO,
            peak_memory_kib: 0,
            cpu: Cpu::default(),
        };
        let status = loop {
            tokio::select! {
                status = process.wait() => break status?,
                () = tokio::time::sleep(LOOK) => {
                    took.peak_memory_kib = usage::peak_memory(pid).unwrap_or(0).max(took.peak_memory_kib);
                    let cpu = Cpu::of(&[pid]);
                    if cpu.0 > took.cpu.0 {
                        took.cpu = cpu;
                    }
                }
            }
        };
        took.time = began.elapsed();
        ensure!(
            status.success(),
            "rclone failed ({status}), see {}",
            self.log.display()
        );
        Ok(took)
    }
}

/// As many streams as a worker has, and parts of the same size; everything else is the default, or saves rclone work:
/// it does not list the target, nor ask whether the bucket exists.
fn flags(transfers: u32, part_size: u64) -> Vec<String> {
    let transfers = transfers.to_string();
    let part_size = format!("{part_size}B");
    [
        ["--transfers", &transfers],
        ["--checkers", &transfers],
        ["--s3-chunk-size", &part_size],
        ["--s3-upload-concurrency", "4"],
        ["--multi-thread-streams", "4"],
        ["--retries", "1"],
        ["--stats", "0"],
        ["--log-level", "NOTICE"],
    ]
    .concat()
    .into_iter()
    .chain(["--s3-no-check-bucket", "--no-traverse"])
    .map(str::to_owned)
    .collect()
}

fn remote(name: &str, remote: &Remote) -> Vec<(String, String)> {
    let settings = [
        ("TYPE", "s3"),
        ("PROVIDER", remote.provider),
        ("ENDPOINT", remote.endpoint),
        ("REGION", remote.region),
        ("ACCESS_KEY_ID", remote.key_id),
        ("SECRET_ACCESS_KEY", remote.secret),
        ("FORCE_PATH_STYLE", "true"),
    ];
    settings
        .map(|(key, value)| (format!("RCLONE_CONFIG_{name}_{key}"), value.to_owned()))
        .into()
}
