//! `longshore`: upload, list and download files from a terminal or a script.
//!
//! `docs/cli.md` has the commands and exit codes.

#![allow(
    clippy::disallowed_methods,
    reason = "it runs on people's machines: nothing hands it another time"
)]

mod args;
mod commands;
mod config;
mod destination;
mod exit;
mod human;
mod output;
mod progress;
mod signals;

use args::Arguments;
use clap::Parser;
use commands::Context;
use exit::{Exit, Failure};
use signals::Signals;
use std::process::ExitCode;
use std::time::Duration;

/// How long an interrupted command may take to end: longer than an exchange of tokens, which may be repeated for minutes.
const LONGEST_END: Duration = Duration::from_secs(20);

fn main() -> ExitCode {
    match Arguments::try_parse() {
        Ok(arguments) => output::ended(work(&arguments), arguments.json),
        Err(help) => output::help(&help),
    }
}

fn work(arguments: &Arguments) -> Result<(), Failure> {
    let mut context = Context::new(arguments);
    context.ask(&arguments.command)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::failed(format!("cannot start: {error}")))?;
    let ended = runtime.block_on(run(&context, arguments));
    // Blocking reads may still be under way; nobody waits for them.
    runtime.shutdown_background();
    ended
}

/// A result that nobody reads holds this program up where it cannot hear of a signal.
async fn end_at_last(mut signals: Signals) {
    signals.next().await;
    tokio::time::sleep(LONGEST_END).await;
    std::process::exit(Exit::Interrupted as i32);
}

async fn run(context: &Context, arguments: &Arguments) -> Result<(), Failure> {
    // Before the first call, so that none is cut off.
    let mut signals = Signals::listen();
    tokio::spawn(end_at_last(Signals::listen()));
    let ended = tokio::select! {
        ended = commands::run(context, &arguments.command) => ended,
        () = signals.next() => Err(Failure::interrupted(commands::how_to_go_on(context, &arguments.command))),
    };
    context.settled().await;
    context.display.end();
    ended
}
