//! The command line's shape.

use crate::ceph::Daemon;
use crate::emulator::Kind;
use crate::invite::Invite;
use crate::release::Release;
use crate::targets::Targets;
use crate::workspace;
use clap::builder::{OsStringValueParser, TypedValueParser};
use clap::{Args, Parser, Subcommand};
use std::ffi::OsString;
use std::io;
use std::path::PathBuf;

/// What Longshore is run, tested and deployed with
#[derive(Debug, Parser)]
#[command(name = "xtask", bin_name = "cargo xtask", arg_required_else_help = true)]
pub(crate) struct Invocation {
    /// Where data, logs and settings are kept [default: .longshore]
    #[arg(
        long,
        global = true,
        value_name = "FOLDER",
        env = "LONGSHORE_STATE",
        hide_env_values = true,
        default_value = "",
        hide_default_value = true,
        value_parser = OsStringValueParser::new().try_map(folder)
    )]
    pub(crate) state: PathBuf,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Start a stack on this machine, run the main job on it once, say where it is
    ///
    /// What is chosen is kept for the next time, which says so.
    Up(Up),
    /// Stop it; MiniStack keeps its data
    Down,
    /// Say what runs, and where
    Status,
    /// Put the world that events/ is about into the running stack, to invoke functions one by one
    Events,
    /// Test everything that can be tested, on stacks of its own, or some of it
    Test(Test),
    /// Ask the API of the running stack whatever its OpenAPI document says, with schemathesis
    Fuzz {
        /// How many things of each endpoint [default: 1000, which are more than 20,000 altogether]
        examples: Option<u32>,
    },
    /// Live random worlds, all of Longshore in one process, until the time is over or one is broken
    #[command(disable_help_flag = true)]
    Simulate {
        /// --seconds, --seed, --worlds, --conditions; --help explains them
        #[arg(value_name = "ARGUMENT", trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Count what files cost on AWS, in the simulation, and print the tables of docs/costs.md
    Cost,
    /// Live an hour with a million uploads in the simulation, on two scales, and a minute in full: hot partitions, queues, lag
    #[command(disable_help_flag = true)]
    Scale {
        /// --scales, --workers, --seconds; --help explains them
        #[arg(value_name = "ARGUMENT", trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Check dependencies, template and workflows: cargo-deny, sam, cfn-lint, checkov, actionlint, zizmor
    Lint,
    /// Build only the functions and the command line
    Build,
    /// Measure
    #[command(subcommand)]
    Bench(Bench),
    /// Check a document of replica targets, as docs/targets.md describes it, or put it into a stack
    #[command(subcommand)]
    Targets(Targets),
    /// Build for AWS and deploy, with the arguments of `sam deploy`; then check the targets that are there
    #[command(disable_help_flag = true)]
    Deploy {
        #[arg(value_name = "ARGUMENT", trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Make a code that is good once: for an account, or for a new password
    Invite(Invite),
    /// Run the main job once on a deployed stack, and leave neither file nor account
    Smoke {
        /// The URL of the API
        api: String,
        /// The stack, which is asked for an invitation where accounts are made by those
        #[arg(long, value_name = "NAME")]
        stack: Option<String>,
    },
    /// Build a release, put one into an environment of samconfig.toml, say which is there
    #[command(subcommand)]
    Release(Release),
    /// Only Ceph
    #[command(subcommand)]
    Ceph(Ceph),
    /// Only the server that speaks OSS
    #[command(subcommand)]
    Oss(Oss),
    /// Only the emulator, for the test that kills it
    #[command(subcommand, hide = true)]
    Emulator(EmulatorCommand),
}

#[derive(Debug, Args)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a flag; `Choice` is what they mean"
)]
pub(crate) struct Up {
    /// The emulator
    #[arg(long, value_name = "EMULATOR")]
    on: Option<Kind>,
    /// The emulator's port [default: that of the last time, or 4566]
    #[arg(long, env = "LONGSHORE_PORT", hide_env_values = true)]
    port: Option<u16>,
    /// Run LocalStack in a container; it does, too, where there is no fitting Python
    #[arg(long, overrides_with = "no_docker")]
    docker: bool,
    /// Run it as a process
    #[arg(long, overrides_with = "docker")]
    no_docker: bool,
    /// Replicate to a real Ceph (Debian, Ubuntu, or beside LocalStack's container)
    #[arg(long, overrides_with = "no_ceph")]
    ceph: bool,
    /// Replicate to a bucket of the emulator
    #[arg(long, overrides_with = "ceph")]
    no_ceph: bool,
    /// Replicate also to a server that speaks OSS
    #[arg(long, overrides_with = "no_oss")]
    oss: bool,
    /// Replicate to no such server
    #[arg(long, overrides_with = "oss")]
    no_oss: bool,
}

impl Up {
    pub(crate) fn choice(&self) -> Choice {
        let either = |yes: bool, no: bool| (yes || no).then_some(yes);
        Choice {
            on: self.on,
            docker: either(self.docker, self.no_docker),
            port: self.port,
            ceph: either(self.ceph, self.no_ceph),
            oss: either(self.oss, self.no_oss),
        }
    }
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

#[derive(Debug, Args, PartialEq, Eq)]
pub(crate) struct Test {
    /// Only the end-to-end tests with this in their names, on MiniStack unless --on says otherwise
    ///
    /// The emulator's stack stays: the next run builds and deploys only what changed.
    pub(crate) filter: Option<String>,
    /// Only the end-to-end tests, and only there: ministack, localstack or the URL of an API
    ///
    /// What is at a URL has the functions of this checkout, and its AWS credentials are in the environment, as for any AWS tool.
    #[arg(long, value_name = "PLACE", value_parser = place)]
    pub(crate) on: Option<On>,
    /// Stop the stacks that stayed
    #[arg(long, conflicts_with_all = ["filter", "on"])]
    pub(crate) stop: bool,
}

/// Where to test.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum On {
    Emulator(Kind),
    Deployed(String),
}

#[derive(Debug, Subcommand)]
pub(crate) enum Bench {
    /// Replication beside rclone, from MiniStack to a real Ceph, on a stack of its own
    #[command(disable_help_flag = true)]
    Replicate {
        /// Arguments of the benchmark; --help lists them
        #[arg(value_name = "ARGUMENT", trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Ceph {
    /// Install what is missing, set a cluster up, start it
    Up,
    /// Start what does not run
    Start,
    /// `kill -9` a part of it
    Kill {
        #[arg(default_value = "gateway")]
        daemon: Daemon,
    },
    /// Stop it
    Down,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Oss {
    /// Start it
    Start,
    /// Stop it
    Stop,
}

#[derive(Debug, Subcommand)]
pub(crate) enum EmulatorCommand {
    /// `kill -9` all of it
    Kill,
    /// Start it as it was, and deploy nothing
    Start,
}

/// A state folder. A variable that is set to nothing says nothing.
fn folder(said: OsString) -> io::Result<PathBuf> {
    if said.is_empty() {
        return Ok(workspace::root().join(".longshore"));
    }
    std::path::absolute(PathBuf::from(said))
}

fn place(word: &str) -> Result<On, String> {
    if word.starts_with("http://") || word.starts_with("https://") {
        return Ok(On::Deployed(word.trim_end_matches('/').to_owned()));
    }
    let found = Kind::ALL.into_iter().find(|kind| kind.word() == word);
    found
        .map(On::Emulator)
        .ok_or_else(|| "not ministack, localstack or the URL of an API".to_owned())
}

#[cfg(test)]
mod tests;
