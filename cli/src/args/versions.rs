//! `versions`.

use super::help;
use super::transfers::Download;
use clap::Subcommand;

#[derive(Debug, Subcommand)]
pub(crate) enum Versions {
    /// List what a file has and had, the newest first
    #[command(after_help = help::VERSIONS_LS)]
    Ls {
        /// Path of the file
        path: String,
    },
    /// Give a file the content of a version again; what it has becomes a version
    #[command(after_help = help::VERSIONS_RESTORE)]
    Restore {
        /// Path of the file
        path: String,
        /// Number of the version, as `longshore versions ls` shows it
        number: u64,
    },
    /// Download a version, verified and resumable
    #[command(after_help = help::VERSIONS_DOWNLOAD)]
    Download {
        #[command(flatten)]
        download: Download,
        /// Number of the version, as `longshore versions ls` shows it
        number: u64,
    },
    /// Keep versions until they are removed
    #[command(after_help = help::VERSIONS_KEEP)]
    Keep {
        /// Path of the file
        path: String,
        /// Numbers of versions, as `longshore versions ls` shows them
        #[arg(required = true, value_name = "NUMBER")]
        numbers: Vec<u64>,
        /// Do not keep them any more: they are removed when they are too old, as others are
        #[arg(long)]
        no_longer: bool,
    },
    /// Remove versions permanently
    #[command(after_help = help::VERSIONS_RM)]
    Rm {
        /// Path of the file
        path: String,
        /// Numbers of versions, as `longshore versions ls` shows them
        #[arg(required = true, value_name = "NUMBER")]
        numbers: Vec<u64>,
    },
}
