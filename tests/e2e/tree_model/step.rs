//! What somebody does in an account, and what there is to do it with.

use crate::harness::proof::PROVABLE;

/// What somebody does. Numbers stand for one of what there is: names and contents of a list, nodes and uploads by the order
/// in which they were made, over and over.
#[derive(Debug, Clone)]
pub(super) enum Step {
    MakeFolder {
        parent: usize,
        name: usize,
        on_conflict: OnConflict,
    },
    /// Begins an upload and sends its bytes, unless that can be spared.
    Begin(New),
    /// Begins an upload, sends its bytes, completes it.
    Upload(New),
    /// Completes an upload that was begun.
    Complete(usize),
    Abort(usize),
    Delete(usize),
    Move(Move),
    /// Makes a copy of a file.
    Copy(Move),
    /// Gives a file one of the contents again that it had.
    RestoreVersion(usize, usize),
    Get(usize),
}

/// What is uploaded.
#[derive(Debug, Clone, Copy)]
pub(super) struct New {
    pub(super) parent: usize,
    pub(super) name: usize,
    pub(super) content: usize,
    pub(super) on_conflict: OnConflict,
    /// Whether the content is said beforehand.
    pub(super) announced: bool,
}

/// Where a node goes, or a copy of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Move {
    pub(super) node: usize,
    /// None leaves it in its folder.
    pub(super) parent: Option<usize>,
    /// None leaves it its name.
    pub(super) name: Option<usize>,
    pub(super) on_conflict: OnConflict,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum OnConflict {
    Fail,
    Rename,
    Replace,
}

impl OnConflict {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Fail => "fail",
            Self::Rename => "rename",
            Self::Replace => "replace",
        }
    }
}

/// Few, so that they meet; one looks like another one's second form, and one has an extension.
pub(super) const NAMES: [&str; 4] = ["a", "a (1)", "b.txt", "A"];
/// How long the contents are. The last one somebody else has, too.
pub(super) const SIZES: [usize; 4] = [0, 100, 1000, PROVABLE];
/// Room for two of the largest, and not for much besides.
pub(super) const QUOTA: u64 = 2 * SIZES[3] as u64 + 1500;
