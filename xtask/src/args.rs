//! The command line's shape.

use crate::ceph::Daemon;
use crate::workspace;
use anyhow::{Context, Result, bail};
use std::env;
use std::path::PathBuf;

pub(crate) const HELP: &str = "\
Usage: cargo xtask [--state <dir>] <command>

  up [--ceph | --no-ceph] [--port <n>]
                start the embedded stack, run the main job on it once, say where it is; --ceph replicates to a real
                Ceph (Debian, Ubuntu). Choices are kept for the next time.
  down          stop it; its data stays
  status        say what runs, and where
  test          everything that can be checked, on a stack of its own
  build         only the functions and the command line
  deploy [..]   build for AWS and `sam deploy`, with the arguments given
  ceph up|down|start|kill [gateway|osd|mon]
                only Ceph: `start` starts what does not run, `kill` is kill -9

Environment:
  LONGSHORE_STATE  where data, logs and settings are kept, like --state [default: .longshore]
  LONGSHORE_PORT   the emulator's port, like --port [default: that of the last time, or 4566]";

/// What was asked for.
pub(crate) struct Invocation {
    pub(crate) state: PathBuf,
    pub(crate) command: Command,
}

pub(crate) enum Command {
    Help,
    Build,
    Up(Choice),
    Down,
    Status,
    Ceph(Ceph),
    Test,
    Deploy(Vec<String>),
}

/// What `up` was told. What it was not told stays as it was the last time.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Choice {
    pub(crate) port: Option<u16>,
    pub(crate) ceph: Option<bool>,
}

pub(crate) enum Ceph {
    Up,
    Start,
    Kill(Daemon),
    Down,
}

pub(crate) fn parse(arguments: &[String]) -> Result<Invocation> {
    let mut rest = arguments.iter().map(String::as_str).peekable();
    let mut state = env::var_os("LONGSHORE_STATE")
        .filter(|value| !value.is_empty())
        .map(PathBuf::from);
    if rest.next_if_eq(&"--state").is_some() {
        state = Some(rest.next().context("--state needs a folder")?.into());
    }
    let command = match rest.next() {
        None | Some("help" | "--help" | "-h") => Command::Help,
        Some("build") => Command::Build,
        Some("up") => Command::Up(choice(&mut rest)?),
        Some("down") => Command::Down,
        Some("status") => Command::Status,
        Some("ceph") => Command::Ceph(ceph(&mut rest)?),
        Some("test") => Command::Test,
        Some("deploy") => Command::Deploy(rest.by_ref().map(str::to_owned).collect()),
        Some(other) => bail!("there is no command {other:?}\n\n{HELP}"),
    };
    if let Some(extra) = rest.next() {
        bail!("{extra:?} is too much\n\n{HELP}");
    }
    let state = state.unwrap_or_else(|| workspace::root().join(".longshore"));
    Ok(Invocation {
        state: std::path::absolute(state)?,
        command,
    })
}

fn choice<'a>(rest: &mut impl Iterator<Item = &'a str>) -> Result<Choice> {
    let number = |text: &str| {
        text.parse::<u16>()
            .with_context(|| format!("{text:?} is not a port"))
    };
    let mut choice = Choice::default();
    if let Ok(port) = env::var("LONGSHORE_PORT") {
        choice.port = Some(number(&port)?);
    }
    while let Some(flag) = rest.next() {
        match flag {
            "--ceph" => choice.ceph = Some(true),
            "--no-ceph" => choice.ceph = Some(false),
            "--port" => choice.port = Some(number(rest.next().context("--port needs a number")?)?),
            other => bail!("up has no {other:?}\n\n{HELP}"),
        }
    }
    Ok(choice)
}

fn ceph<'a>(rest: &mut impl Iterator<Item = &'a str>) -> Result<Ceph> {
    Ok(match rest.next() {
        Some("up") => Ceph::Up,
        Some("start") => Ceph::Start,
        Some("down") => Ceph::Down,
        Some("kill") => Ceph::Kill(match rest.next() {
            None | Some("gateway") => Daemon::Gateway,
            Some("osd") => Daemon::Osd,
            Some("mon") => Daemon::Mon,
            Some(other) => bail!("Ceph here has a gateway, an osd and a mon, but no {other:?}"),
        }),
        _ => bail!("ceph needs one of up, start, kill, down"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Invocation> {
        parse(&line.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn up_takes_its_choices() {
        let Command::Up(choice) = parsed("--state /s up --ceph --port 4600").unwrap().command else {
            panic!("not up");
        };
        assert_eq!(
            choice,
            Choice {
                port: Some(4600),
                ceph: Some(true)
            }
        );
    }

    #[test]
    fn the_state_folder_can_be_chosen() {
        assert_eq!(parsed("--state /s down").unwrap().state, PathBuf::from("/s"));
    }

    #[test]
    fn what_is_wrong_is_refused() {
        for line in [
            "fly",
            "up --port x",
            "up --port 70000",
            "up --fast",
            "down now",
            "ceph",
            "ceph kill mds",
            "--state",
        ] {
            assert!(parsed(line).is_err(), "{line}");
        }
    }
}
