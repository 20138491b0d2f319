//! Lives random worlds, one seed after the other, until the time is over or one is broken.

#![allow(clippy::print_stdout, reason = "it is a program for a terminal")]

mod conditions;

use clap::Parser;
use simulation::on_all_cores;
use simulation::random::{Life, Plan, live, shrink};
use std::fmt::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// Lives random worlds.
#[derive(Parser)]
struct Arguments {
    /// For how many seconds worlds are lived
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// The first seed; with `--worlds 1` the only one. By default another one each time
    #[arg(long)]
    seed: Option<u64>,
    /// How many worlds are lived at most
    #[arg(long, default_value_t = usize::MAX)]
    worlds: usize,
    /// Instead: for so many seconds look for worlds in which a condition of a write is false; then live these without it, and say
    /// which conditions no world is broken without
    #[arg(long)]
    conditions: bool,
    /// Where the trace of a broken world is written
    #[arg(long, default_value = "target/simulate")]
    traces: PathBuf,
}

/// What was done so far.
#[derive(Default)]
struct Done {
    worlds: AtomicUsize,
    calls: AtomicUsize,
    large: AtomicUsize,
    faults: AtomicUsize,
    broken: AtomicBool,
}

#[expect(clippy::disallowed_methods, reason = "here real time counts")]
fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let started = Instant::now();
    let first = arguments
        .seed
        .unwrap_or_else(|| u64::from(std::process::id()) * 1_000_000);
    if arguments.conditions {
        conditions::look(first, Duration::from_secs(arguments.seconds));
        return ExitCode::SUCCESS;
    }
    let (next, done) = (AtomicU64::new(first), Done::default());
    on_all_cores(|| {
        while !done.broken.load(Ordering::Relaxed)
            && started.elapsed() < Duration::from_secs(arguments.seconds)
        {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed - first >= arguments.worlds as u64 {
                return;
            }
            one(seed, &done, &arguments.traces);
        }
    });
    let of = |count: &AtomicUsize| count.load(Ordering::Relaxed);
    println!(
        "{} worlds from seed {first} on in {} s: {} calls, {} faults; {} worlds of 1,000 or more calls",
        of(&done.worlds),
        started.elapsed().as_secs(),
        of(&done.calls),
        of(&done.faults),
        of(&done.large),
    );
    if done.broken.load(Ordering::Relaxed) {
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

fn one(seed: u64, done: &Done, traces: &PathBuf) {
    let plan = Plan::of(seed);
    let life = live(&plan);
    done.worlds.fetch_add(1, Ordering::Relaxed);
    done.calls.fetch_add(life.calls.len(), Ordering::Relaxed);
    done.faults.fetch_add(life.faults.len(), Ordering::Relaxed);
    done.large
        .fetch_add(usize::from(life.calls.len() >= 1000), Ordering::Relaxed);
    if life.broken.is_empty() || done.broken.swap(true, Ordering::Relaxed) {
        return;
    }
    println!(
        "{}\nlooking for a smaller world that is broken, too",
        summary(&plan, &life)
    );
    let (plan, life) = shrink(&plan, life);
    let trace = traces.join(format!("{seed}.txt"));
    let written = std::fs::create_dir_all(traces).and_then(|()| std::fs::write(&trace, text(&plan, &life)));
    println!("{}", summary(&plan, &life));
    match written {
        Ok(()) => println!("everything that happened: {}", trace.display()),
        Err(error) => println!("cannot write {}: {error}", trace.display()),
    }
    println!("again: cargo xtask simulate --seed {seed} --worlds 1");
}

/// What is wrong, and what is needed for it.
fn summary(plan: &Plan, life: &Life) -> String {
    let mut text = format!(
        "seed {}, {} clients of {} steps each, with {} faults:\n",
        plan.seed,
        plan.clients,
        plan.steps,
        life.faults.len()
    );
    for fault in &life.faults {
        let _ = writeln!(text, "  {fault}");
    }
    for broken in &life.broken {
        let _ = writeln!(text, "BROKEN: {broken}");
    }
    text
}

fn text(plan: &Plan, life: &Life) -> String {
    let mut lines = life.steps.clone();
    lines.extend(life.calls.iter().map(ToString::to_string));
    // All begin with the time.
    lines.sort_by(|one, other| one.split(' ').next().cmp(&other.split(' ').next()));
    format!("{}\n{}\n", summary(plan, life), lines.join("\n"))
}
