//! `cargo xtask bench replicate`: Longshore's workers against `rclone copy`, from the same bucket to the same Ceph, in
//! turns, and one worker against four.
//!
//! One module per concern: `stack` is what is deployed, `source` the files to copy, `books` what the table says of them;
//! `worker` is one worker's process, `mapping` feeds workers from the queues, `rclone` is the other contestant; `contest`
//! lets them copy in turns, `target` verifies what arrived, `relay` makes connections slow or counts calls, `usage` tells
//! what processes used, `report` says what came out. `docs/benchmarks.md` explains how to read it.

#![allow(clippy::disallowed_methods, reason = "nothing hands it another time")]

mod args;
mod aws;
mod books;
mod console;
mod contest;
mod contestant;
mod mapping;
mod rclone;
mod relay;
mod report;
mod source;
mod stack;
mod target;
mod usage;
mod worker;

use anyhow::{Context, Result};
use args::Args;
use clap::Parser;
use console::say;
use contest::Ground;
use contestant::Contestant;
use rclone::Rclone;
use report::Report;
use serde_json::json;
use stack::{Ceph, Stack};
use std::fs;
use std::process::ExitCode;

/// Calls are counted on so many files at most.
const SAMPLE: usize = 100;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run(&Args::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("\nerror: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

async fn run(args: &Args) -> Result<()> {
    let report = measure(args).await?;
    let text = serde_json::to_string_pretty(&report.json())? + "\n";
    fs::write(&args.out, text).with_context(|| format!("cannot write {}", args.out.display()))?;
    say(&report.text());
    say(&format!("All numbers: {}", args.out.display()));
    Ok(())
}

async fn measure(args: &Args) -> Result<Report> {
    let ground = prepare(args).await?;
    let everybody = [Contestant::Workers(1), Contestant::Rclone, Contestant::Workers(4)];
    let mut report = Report {
        contests: Vec::new(),
        limited: None,
        calls: Vec::new(),
        about: json!({
            "processors": std::thread::available_parallelism()?.get(),
            "rounds": args.rounds,
            "rclone_transfers": args.transfers,
            "bytes_per_second_and_connection": args.per_connection,
        }),
    };
    if args.large > 0 {
        let name = format!("One file of {}", shown(args.large));
        let files = ground.files(&name, &[args.large]).await?;
        report
            .contests
            .push(ground.contest(&name, &files, &everybody, None).await?);
    }
    if args.small > 0 {
        let name = format!("{} files of {}", args.small, shown(args.small_size));
        let files = ground.files(&name, &vec![args.small_size; args.small]).await?;
        report.calls = ground.count_calls(&files.first(SAMPLE)).await?;
        report
            .contests
            .push(ground.contest(&name, &files, &everybody, None).await?);
    }
    if args.limited > 0 {
        let rate = Some(args.per_connection);
        let file = format!("One file of {}", shown(args.limited));
        let name = format!("{file}, {}/s for each connection", shown(args.per_connection));
        let files = ground.files(&file, &[args.limited]).await?;
        report.limited = Some(ground.contest(&name, &files, &everybody, rate).await?);
    }
    Ok(report)
}

async fn prepare(args: &Args) -> Result<Ground> {
    let stack = Stack::take_over(args).await?;
    let ceph = Ceph::read(&args.ceph, &stack.region)?;
    contest::ensure_answers(&stack.aws, &stack.bucket).await?;
    contest::ensure_answers(&ceph.place, &ceph.bucket).await?;
    for mapping in &stack.mappings {
        say(&format!(
            "    {} in batches of {}",
            mapping.queue_arn, mapping.batch_size
        ));
    }
    let logs = args.out.parent().context("the results need a folder")?;
    Ok(Ground {
        stack,
        ceph,
        bootstrap: args.bootstrap.clone(),
        rclone: Rclone {
            program: args.rclone.clone(),
            transfers: args.transfers.get(),
            log: logs.join("rclone.log"),
        },
        worker_log: logs.join("workers.log"),
        rounds: args.rounds.get(),
    })
}

/// `10 KiB`, `2 GiB`.
fn shown(size: u64) -> String {
    let units = ["bytes", "KiB", "MiB", "GiB"];
    let mut number = size;
    let mut unit = 0;
    while number >= 1024 && number.is_multiple_of(1024) && unit + 1 < units.len() {
        number /= 1024;
        unit += 1;
    }
    format!("{number} {}", units[unit])
}
