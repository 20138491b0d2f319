//! `longshore`: upload, list and download files from a terminal or a script.
//!
//! Exit codes, also in `longshore --help`: 0 done, 1 failed, 2 wrong usage, 3 not signed in, 4 not found,
//! 5 conflict, 6 quota exceeded, 7 API or store out of reach, 8 content mismatch, 130 interrupted.

mod args;
mod commands;
mod config;
mod exit;
mod human;
mod output;
mod progress;

use args::Arguments;
use clap::Parser;
use commands::Context;
use commands::account::Passwords;
use exit::Failure;
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let json = arguments.json;
    let passwords = match commands::account::ask_passwords(&arguments.command) {
        Ok(passwords) => passwords,
        Err(failure) => return output::failure(&failure, json),
    };
    let done = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = match done {
        Ok(runtime) => runtime,
        Err(error) => return output::failure(&Failure::failed(format!("cannot start: {error}")), json),
    };
    let ended = runtime.block_on(run(&arguments, passwords));
    // Blocking reads may still be under way; nobody waits for them.
    runtime.shutdown_background();
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => output::failure(&failure, json),
    }
}

async fn run(arguments: &Arguments, passwords: Passwords) -> Result<(), Failure> {
    let context = Context::new(arguments, passwords);
    let ended = tokio::select! {
        ended = commands::run(&context, &arguments.command) => ended,
        () = interrupted() => Err(Failure::interrupted(commands::how_to_go_on(&context, &arguments.command))),
    };
    context.settled().await;
    context.display.end();
    ended
}

/// Waits for Ctrl-C. Where that cannot be noticed the system ends the process, which loses nothing either.
async fn interrupted() {
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}
