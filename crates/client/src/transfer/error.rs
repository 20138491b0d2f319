//! Why transfers fail, and what to do then.

use crate::error::ApiError;
use domain::content::{ContentId, SizeError};
use std::io;
use std::path::{Path, PathBuf};

/// Why a transfer ended before its end. Whatever was moved is kept, unless it says otherwise.
#[derive(Debug, thiserror::Error)]
pub enum TransferError {
    /// A call to the API failed.
    #[error(transparent)]
    Api(#[from] ApiError),
    /// The local disk failed.
    #[error("cannot {action} {}: {error}", path.display())]
    Disk {
        /// What was attempted, for instance `read`.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// Only files can be uploaded.
    #[error("{} is a folder, and folders are not uploaded as a whole", .0.display())]
    Folder(PathBuf),
    /// Only plain files can be uploaded: others have no size, and give other bytes each time they are read.
    #[error("{} is {what}, not a plain file", path.display())]
    Special {
        /// Where it is.
        path: PathBuf,
        /// What it is, for instance `a pipe`.
        what: &'static str,
    },
    /// A link to nothing.
    #[error("{} is a symbolic link to {}, which is not there", path.display(), target.display())]
    Dangling {
        /// The link.
        path: PathBuf,
        /// What it says.
        target: PathBuf,
    },
    /// The local file has more or fewer bytes than its size says, and nobody writes to it.
    #[error(
        "{} has {} bytes than the {size} that the system says it has, as files do that are made up while they are read",
        path.display(), match ends { Ends::Early => "fewer", Ends::Late => "more" }
    )]
    SizeUntrue {
        /// The file.
        path: PathBuf,
        /// What the system says.
        size: u64,
        /// What reading it says.
        ends: Ends,
    },
    /// Too large.
    #[error(transparent)]
    Size(#[from] SizeError),
    /// The local file is not what it was when the upload began.
    #[error("{} changed while it was being uploaded; nothing was stored under its name", .0.display())]
    Changed(PathBuf),
    /// The store keeps seeing other bytes than were sent.
    #[error("part {0} arrived damaged twice although the file is unchanged")]
    Damaged(u32),
    /// The store does not answer, after all retries.
    #[error("cannot move part {part}: {reason}")]
    StoreUnreachable {
        /// From 1.
        part: u32,
        /// What the network or the store said.
        reason: String,
    },
    /// The store refuses, and trying again would not help.
    #[error("the store refuses part {part}: {reason}")]
    StoreRefused {
        /// From 1.
        part: u32,
        /// Status and code.
        reason: String,
    },
    /// Something between this machine and the store answers in its place.
    #[error("cannot move part {part}: something other than the store answers: {answer}")]
    NotTheStore {
        /// From 1.
        part: u32,
        /// What it said of itself: status, media type, server, host.
        answer: String,
    },
    /// The store does not know the upload or the object.
    #[error("the store no longer has what part {0} belongs to")]
    StoreLost(u32),
    /// The upload was aborted or has expired.
    #[error("the upload was aborted or has expired")]
    UploadGone,
    /// Somebody deleted the file, or gave it another content, while the answer that it is there was on its way.
    #[error("the upload is complete, but its file was deleted or replaced since")]
    FileGone,
    /// The store takes longer than anybody should wait.
    #[error("all parts are stored, but the store is still putting them together")]
    StillFinalizing,
    /// Parts get lost at the store as fast as they are sent.
    #[error("the store still does not have all parts, although each was sent several times")]
    NotConverging,
    /// The file to download has no bytes to speak of.
    #[error("'{0}' is not a file")]
    NotDownloadable(String),
    /// Somebody gave the file other bytes while it was being downloaded.
    #[error("'{0}' was replaced by another file while it was being downloaded")]
    Replaced(String),
    /// The bytes that arrived are not those of the file, and they have been passed on.
    #[error(
        "the bytes that were written are not those of the file: content id {found}, expected {expected}; do not use them"
    )]
    Wrong {
        /// What the file's bytes are.
        expected: ContentId,
        /// What arrived.
        found: ContentId,
    },
    /// Something is in the way.
    #[error("{} exists already", .0.display())]
    TargetExists(PathBuf),
    /// Another process downloads the same content to the same place.
    #[error("another process is already downloading to {}", .0.display())]
    InUse(PathBuf),
    /// The bytes that arrived are not those of the file.
    #[error(
        "the downloaded bytes are not those of the file: content id {found}, expected {expected}; nothing was saved"
    )]
    Mismatch {
        /// What the file's bytes are.
        expected: ContentId,
        /// What arrived.
        found: ContentId,
    },
}

impl TransferError {
    /// The local file that the message names, if it does.
    #[must_use]
    pub fn path(&self) -> Option<&Path> {
        match self {
            Self::Disk { path, .. }
            | Self::Special { path, .. }
            | Self::Dangling { path, .. }
            | Self::SizeUntrue { path, .. }
            | Self::Folder(path)
            | Self::Changed(path)
            | Self::TargetExists(path)
            | Self::InUse(path) => Some(path),
            _ => None,
        }
    }

    /// What to do now.
    #[must_use]
    pub fn next_step(&self) -> Option<&'static str> {
        match self {
            Self::Api(error) => error.next_step(),
            Self::Disk { error, .. } if error.kind() == io::ErrorKind::StorageFull => {
                Some("make room on the disk and run the same command again; it goes on where it stopped")
            }
            Self::Disk { .. } | Self::Size(_) | Self::NotDownloadable(_) => None,
            Self::Folder(_) => Some("name the files in it one by one; --to makes the folder over there"),
            Self::Special { .. } | Self::SizeUntrue { .. } => {
                Some("save what it gives to a plain file first, and upload that")
            }
            Self::Dangling { .. } => Some("mend the link, or name the file itself"),
            Self::Changed(_) => Some("run the same command again once nobody writes to the file"),
            Self::Damaged(_) => {
                Some("check the memory and network of this machine, then run the same command again")
            }
            Self::StoreUnreachable { .. } | Self::StoreLost(_) | Self::NotConverging => {
                Some("run the same command again; finished parts are kept")
            }
            Self::NotTheStore { .. } => Some(
                "a network that wants a sign-in, a proxy or a filter is in the way: sign in there, or use another \
                 network, then run the same command again; finished parts are kept",
            ),
            Self::StoreRefused { .. } => Some(
                "check the clock of this machine, then run the same command again; finished parts are kept",
            ),
            Self::UploadGone | Self::FileGone => Some("run the same command again to begin anew"),
            Self::StillFinalizing => Some("look again later: longshore status <path>"),
            Self::TargetExists(_) => Some("choose another name with -o, or overwrite it with --force"),
            Self::InUse(_) => Some("wait for the other process to end"),
            Self::Replaced(_) => Some("run the same command again to get the file that is there now"),
            Self::Mismatch { .. } | Self::Wrong { .. } => Some(
                "run the same command again; if it happens again the stored bytes are damaged: \
                 longshore status <path> shows the verified copies",
            ),
        }
    }
}

/// Where a file ends, compared with what its size says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ends {
    /// There are fewer bytes.
    Early,
    /// There are more bytes.
    Late,
}
