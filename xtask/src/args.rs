//! The command line's shape.

use crate::ceph::Daemon;
use crate::emulator::Kind;
use crate::invite::{self, Invite};
use crate::release::{self, Release};
use crate::targets::{Set, Targets};
use crate::workspace;
use anyhow::{Context, Result, bail};
use std::env;
use std::path::PathBuf;

pub(crate) const HELP: &str = "\
Usage: cargo xtask [--state <dir>] <command>

  up [--on ministack|localstack] [--docker | --no-docker] [--ceph | --no-ceph] [--oss | --no-oss] [--port <n>]
                start a stack on this machine, run the main job on it once, say where it is; --docker runs LocalStack
                in a container (it does, too, where there is no fitting Python); --ceph replicates to a real Ceph
                (Debian, Ubuntu, or beside LocalStack's container), --oss also to a server that speaks OSS. Choices
                are kept for the next time, which says so.
  down          stop it; MiniStack keeps its data
  status        say what runs, and where
  events        put the world that events/ is about into the running stack, to invoke functions one by one
  test          everything that can be checked, on stacks of its own
  test --on ministack|localstack|<api url>
                only the end-to-end tests, and only there; what is at a URL has the functions of this checkout, and
                its AWS credentials are in the environment, as for any AWS tool
  test <part of a name> [--on ..]
                only the end-to-end tests with this in their names, on MiniStack or there. The emulator's stack stays:
                the next run builds and deploys only what changed
  test --stop   stop the stacks that stayed
  fuzz [<n>]    ask the API of the running stack n things of each endpoint, as its OpenAPI document has them, with
                schemathesis [default: 1000, which are more than 20,000 altogether]
  lint          only the checks of dependencies, template and workflows: cargo-deny, sam, cfn-lint, checkov, actionlint, zizmor
  build         only the functions and the command line
  bench replicate [--help | ..]
                measure replication beside rclone, from MiniStack to a real Ceph, on a stack of its own
  targets check <file>
  targets set <file> [--stack <name>] [--retire]
                check a document of replica targets, as docs/targets.md describes it; put it into the running stack,
                or one on AWS, and tell the functions. --retire: also if it leaves out a target that has copies
  deploy [..]   `sam build` for AWS and `sam deploy`, with the arguments given; then check the targets that are there
  invite [--for <note>] [--days <n>] [--stack <name>]
  invite --password-of <username> [--for <note>] [--days <n>] [--stack <name>]
  invite --list | --revoke <id> [--stack <name>]
                make a code that is good once, in the running stack or one on AWS: for an account, or for a new password;
                list those there are; take one back
  smoke <api url> [--stack <name>]
                run the main job once, there, and leave neither file nor account. Where accounts are made by invitation,
                the stack is asked for one
  release package <version> [arm64|x86_64]
  release deploy <archive> <environment>
  release deployed <environment>
                build a release; put one into an environment of samconfig.toml, also an older one to roll back; say
                which is there
  ceph up|down|start|kill [gateway|osd|mon]
                only Ceph: `start` starts what does not run, `kill` is kill -9
  oss start|stop
                only the server that speaks OSS

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
    Events,
    Ceph(Ceph),
    Oss(Oss),
    Test(Test),
    Fuzz(Option<u32>),
    Lint,
    Bench(Vec<String>),
    Targets(Targets),
    Deploy(Vec<String>),
    Invite(Invite),
    Smoke { api: String, stack: Option<String> },
    Release(Release),
}

/// What `up` was told. What it was not told stays as it was the last time.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Choice {
    pub(crate) on: Option<Kind>,
    pub(crate) docker: Option<bool>,
    pub(crate) port: Option<u16>,
    pub(crate) ceph: Option<bool>,
    pub(crate) oss: Option<bool>,
}

/// What to test.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Test {
    /// Everything; at one place, only the end-to-end tests.
    All(Option<On>),
    /// The end-to-end tests with this in their names.
    Matching(String, On),
    /// Nothing more: the stacks that stayed are stopped.
    Stop,
}

/// Where to test.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum On {
    Emulator(Kind),
    Deployed(String),
}

pub(crate) enum Ceph {
    Up,
    Start,
    Kill(Daemon),
    Down,
}

pub(crate) enum Oss {
    Start,
    Stop,
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
        Some("events") => Command::Events,
        Some("ceph") => Command::Ceph(ceph(&mut rest)?),
        Some("oss") => Command::Oss(match rest.next() {
            Some("start") => Oss::Start,
            Some("stop") => Oss::Stop,
            _ => bail!("oss needs one of start, stop"),
        }),
        Some("test") => Command::Test(test(&mut rest)?),
        Some("fuzz") => {
            let number = |text: &str| {
                text.parse()
                    .with_context(|| format!("fuzz needs a number of examples, not {text:?}"))
            };
            Command::Fuzz(rest.next().map(number).transpose()?)
        }
        Some("lint") => Command::Lint,
        Some("bench") if rest.next_if_eq(&"replicate").is_some() => {
            Command::Bench(rest.by_ref().map(str::to_owned).collect())
        }
        Some("bench") => bail!("there is one benchmark: bench replicate"),
        Some("invite") => Command::Invite(invite::parse(&mut rest)?),
        Some("smoke") => Command::Smoke {
            api: rest.next().context("smoke needs the API's URL")?.to_owned(),
            stack: match rest.next_if_eq(&"--stack") {
                Some(_) => Some(rest.next().context("--stack needs a name")?.to_owned()),
                None => None,
            },
        },
        Some("release") => Command::Release(release::parse(&mut rest)?),
        Some("targets") => Command::Targets(targets(&mut rest)?),
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
            "--docker" => choice.docker = Some(true),
            "--no-docker" => choice.docker = Some(false),
            "--ceph" => choice.ceph = Some(true),
            "--no-ceph" => choice.ceph = Some(false),
            "--oss" => choice.oss = Some(true),
            "--no-oss" => choice.oss = Some(false),
            "--on" => choice.on = Some(kind(rest.next().unwrap_or_default())?),
            "--port" => choice.port = Some(number(rest.next().context("--port needs a number")?)?),
            other => bail!("up has no {other:?}\n\n{HELP}"),
        }
    }
    Ok(choice)
}

fn kind(word: &str) -> Result<Kind> {
    let found = Kind::ALL.into_iter().find(|kind| kind.word() == word);
    found.with_context(|| format!("--on needs ministack or localstack, not {word:?}"))
}

fn test<'a>(rest: &mut impl Iterator<Item = &'a str>) -> Result<Test> {
    let (mut filter, mut on) = (None, None);
    while let Some(word) = rest.next() {
        match word {
            "--stop" if filter.is_none() && on.is_none() => return Ok(Test::Stop),
            "--on" if on.is_none() => on = Some(place(rest.next().unwrap_or_default())?),
            word if !word.starts_with('-') && filter.is_none() => filter = Some(word.to_owned()),
            other => bail!("test has no {other:?}\n\n{HELP}"),
        }
    }
    Ok(match filter {
        Some(filter) => Test::Matching(filter, on.unwrap_or(On::Emulator(Kind::MiniStack))),
        None => Test::All(on),
    })
}

fn place(word: &str) -> Result<On> {
    if word.starts_with("http://") || word.starts_with("https://") {
        return Ok(On::Deployed(word.trim_end_matches('/').to_owned()));
    }
    let found = Kind::ALL.into_iter().find(|kind| kind.word() == word);
    found
        .map(On::Emulator)
        .with_context(|| format!("--on needs ministack, localstack or the URL of an API, not {word:?}"))
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

fn targets<'a>(rest: &mut impl Iterator<Item = &'a str>) -> Result<Targets> {
    let what = rest.next();
    let file = rest.next().map(PathBuf::from);
    match (what, file) {
        (Some("check"), Some(file)) => Ok(Targets::Check(file)),
        (Some("set"), Some(document)) => {
            let (mut stack, mut retire) = (None, false);
            while let Some(flag) = rest.next() {
                match flag {
                    "--stack" => stack = Some(rest.next().context("--stack needs a name")?.to_owned()),
                    "--retire" => retire = true,
                    other => bail!("targets set has no {other:?}\n\n{HELP}"),
                }
            }
            Ok(Targets::Set(Set {
                document,
                stack,
                retire,
            }))
        }
        (Some("check" | "set"), None) => bail!("targets needs the file with the document"),
        _ => bail!("targets needs one of check, set"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Invocation> {
        parse(&line.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn up_takes_its_choices() {
        let Command::Up(choice) =
            parsed("--state /s up --on localstack --docker --ceph --no-oss --port 4600")
                .unwrap()
                .command
        else {
            panic!("not up");
        };
        assert_eq!(
            choice,
            Choice {
                on: Some(Kind::LocalStack),
                docker: Some(true),
                port: Some(4600),
                ceph: Some(true),
                oss: Some(false)
            }
        );
    }

    #[test]
    fn tests_run_where_they_are_told() {
        let test = |line: &str| match parsed(line).unwrap().command {
            Command::Test(test) => test,
            _ => panic!("not test"),
        };
        let (ministack, localstack) = (On::Emulator(Kind::MiniStack), On::Emulator(Kind::LocalStack));
        assert_eq!(test("test"), Test::All(None));
        assert_eq!(test("test --on ministack"), Test::All(Some(ministack.clone())));
        let url = "https://a1b2.execute-api.eu-central-1.amazonaws.com/live";
        assert_eq!(
            test(&format!("test --on {url}/")),
            Test::All(Some(On::Deployed(url.into())))
        );
        assert_eq!(test("test tree::"), Test::Matching("tree::".into(), ministack));
        for line in ["test tree:: --on localstack", "test --on localstack tree::"] {
            assert_eq!(
                test(line),
                Test::Matching("tree::".into(), localstack.clone()),
                "{line}"
            );
        }
        assert_eq!(test("test --stop"), Test::Stop);
    }

    #[test]
    fn targets_are_checked_or_set() {
        let targets = |line| match parsed(line).unwrap().command {
            Command::Targets(targets) => targets,
            _ => panic!("not targets"),
        };
        let Targets::Check(file) = targets("targets check t.json") else {
            panic!("not check");
        };
        assert_eq!(file, PathBuf::from("t.json"));
        let set = |stack: Option<&str>, retire| Set {
            document: "t.json".into(),
            stack: stack.map(str::to_owned),
            retire,
        };
        for (line, wanted) in [
            ("targets set t.json", set(None, false)),
            (
                "targets set t.json --retire --stack longshore-prod",
                set(Some("longshore-prod"), true),
            ),
        ] {
            let Targets::Set(set) = targets(line) else {
                panic!("not set");
            };
            assert_eq!(set, wanted);
        }
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
            "up --on aws",
            "up --on",
            "test --on",
            "test --on aws",
            "test one two",
            "test --fast",
            "test --stop now",
            "test now --stop",
            "down now",
            "bench",
            "bench uploads",
            "ceph",
            "ceph kill mds",
            "oss",
            "oss kill",
            "--state",
            "fuzz many",
            "smoke",
            "smoke http://h --stack",
            "smoke http://h prod",
            "invite ann",
            "release",
            "release deploy",
            "release deploy a.tar.gz",
            "release package v1 mips",
            "targets",
            "targets show t.json",
            "targets check",
            "targets check t.json --stack x",
            "targets set t.json --stack",
            "targets set t.json --force",
        ] {
            assert!(parsed(line).is_err(), "{line}");
        }
    }
}
