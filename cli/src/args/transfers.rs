//! `upload` and `download`.

use super::values::OnConflict;
use clap::Args;
use std::num::NonZeroUsize;
use std::path::PathBuf;

#[derive(Debug, Args)]
pub(crate) struct Upload {
    /// Local regular files. Each keeps its name
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// Folder to upload to; created if it does not exist
    #[arg(long, value_name = "FOLDER", default_value = "/")]
    pub(crate) to: String,
    /// What to do if the name is taken by another file. An interrupted upload can be resumed with another choice
    #[arg(long, value_enum, value_name = "WHAT", default_value_t)]
    pub(crate) on_conflict: OnConflict,
    #[command(flatten)]
    pub(crate) streams: Streams,
}

#[derive(Debug, Args)]
pub(crate) struct Download {
    /// Path of the file
    pub(crate) path: String,
    /// Local file, or folder to save it in (created if it ends with /); "-" is standard output [default: its name, in the current folder]
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Replace an existing local file
    #[arg(short, long)]
    pub(crate) force: bool,
    #[command(flatten)]
    pub(crate) streams: Streams,
}

#[derive(Debug, Args)]
pub(crate) struct Streams {
    /// Parts to transfer at the same time
    #[arg(long, value_name = "N", default_value = "4")]
    pub(crate) streams: NonZeroUsize,
}
