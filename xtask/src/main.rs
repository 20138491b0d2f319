//! What the project is run, tested and deployed with: `cargo xtask <command>`.
//!
//! One module per concern. `stack` puts a stack on this machine together from `venv` (Python and its packages),
//! `build` (functions and CLI), `emulator` (of AWS), `ceph`, `oss` and `target` (where replicas go); `demo` runs the main job
//! on it, `test` everything else; `events` prepares a stack for functions that are invoked one by one; `targets` changes
//! where replicas go; `bench` measures; `simulate` lives random worlds in one process; `cost` counts what files cost on AWS; `scale` lives an hour with a
//! million uploads; `fuzz` asks the API whatever its document says; `lint` checks
//! source files, dependencies, template and workflows; `invite` has accounts made; `deploy`, `release` and
//! `smoke` go to AWS, with `sam`.

#![allow(
    clippy::disallowed_methods,
    reason = "a tool for developers: nothing hands it another time"
)]

mod args;
mod bench;
mod build;
mod ceph;
mod demo;
mod deploy;
mod emulator;
mod events;
mod fuzz;
#[cfg(test)]
mod generated;
mod invite;
mod lint;
mod oss;
mod process;
mod python;
mod release;
mod sam;
mod settings;
mod simulate;
mod smoke;
mod stack;
mod target;
mod targets;
#[cfg(test)]
mod template;
mod test;
mod tools;
mod ui;
mod venv;
mod workspace;

use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    match run(args::Invocation::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            ui::failure(&error);
            ExitCode::FAILURE
        }
    }
}

fn run(invocation: args::Invocation) -> anyhow::Result<()> {
    use args::{Bench, Ceph, Command, EmulatorCommand, Oss};
    use emulator::Emulator;
    let state = invocation.state;
    match invocation.command {
        Command::Build => build::run(),
        Command::Up(up) => stack::up(&state, up.choice()),
        Command::Down => stack::down(&state),
        Command::Status => stack::status(&state),
        Command::Events => events::put(&state),
        Command::Ceph(Ceph::Up) => ceph::up(&state).map(|_| ()),
        Command::Ceph(Ceph::Start) => ceph::start(&state).map(|_| ()),
        Command::Ceph(Ceph::Kill { daemon }) => ceph::kill(&state, daemon),
        Command::Ceph(Ceph::Down) => ceph::down(&state),
        Command::Oss(Oss::Start) => oss::start_server(&state).map(|_| ()),
        Command::Oss(Oss::Stop) => oss::stop_server(&state).map(|_| ()),
        Command::Emulator(EmulatorCommand::Kill) => Emulator::kill(&state),
        Command::Emulator(EmulatorCommand::Start) => Emulator::start_again(&state),
        Command::Test(what) => test::run(&what),
        Command::Fuzz { examples } => fuzz::run(&state, examples),
        Command::Simulate { arguments } => simulate::run("simulate", &arguments),
        Command::Cost => simulate::run("cost", &[]),
        Command::Scale { arguments } => simulate::run("scale", &arguments),
        Command::Lint => lint::run(),
        Command::Bench(Bench::Replicate { arguments }) => bench::replicate(&arguments),
        Command::Targets(what) => targets::run(&state, &what),
        Command::Deploy { arguments } => deploy::run(&arguments),
        Command::Invite(what) => invite::run(&state, &what),
        Command::Smoke { api, stack } => smoke::run(&api, stack.as_deref()),
        Command::Release(what) => release::run(&what),
    }
}
