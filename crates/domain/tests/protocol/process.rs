//! Processes: a function for one request, message or due item. A process is a sequence of remote calls, one
//! a step; between two of them anything may happen, and any process may die.

pub(crate) mod create;
pub(crate) mod discard;
pub(crate) mod finalize;
pub(crate) mod prove;
pub(crate) mod reclaim;
pub(crate) mod reconcile;
pub(crate) mod replicate;
pub(crate) mod requests;

use crate::size::Id;
use crate::writes::{Held, Turn};
use create::Create;
use discard::Discard;
use domain::upload::UploadEvent;
use finalize::{Finalize, Following, Late};
use prove::Prove;
use reclaim::Reclaim;
use reconcile::Reconcile;
use replicate::Replicate;
use requests::{Abort, Delete, ListParts, Sign};

/// A process, before its next call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Process {
    /// `upload-create`.
    Create(Create),
    /// `upload-get`.
    ListParts(ListParts),
    /// `upload-sign-parts`.
    Sign(Sign),
    /// `upload-prove`.
    Prove(Prove),
    /// `upload-complete`, and `sweep` at an upload that is being finalized.
    Finalize(Finalize),
    /// A request to complete a multipart upload whose caller has given up.
    Late(Late),
    /// `upload-abort`.
    Abort(Abort),
    /// `sweep` at an upload that is too old.
    Expire(Abort),
    /// What follows the end of an upload, and `sweep` at an ended one.
    Discard(Discard),
    /// `file-delete`.
    Delete(Delete),
    /// `sweep` at a blob.
    Reclaim(Reclaim),
    /// `replicate`.
    Replicate(Replicate),
    /// `reconcile` at a key.
    Reconcile(Reconcile),
}

impl Process {
    /// Does the next call. `None`: it was the last.
    pub(crate) fn step(self, turn: &mut Turn) -> Option<Self> {
        match self {
            Self::Create(process) => process.step(turn).map(Self::Create),
            Self::ListParts(process) => process.step(turn).map(Self::ListParts),
            Self::Sign(process) => process.step(turn).map(Self::Sign),
            Self::Prove(process) => process.step(turn).map(Self::Prove),
            Self::Finalize(process) => process.step(turn).map(Self::from),
            Self::Late(process) => process.step(turn).map(Self::Late),
            Self::Abort(process) => process.step(UploadEvent::Abort, turn).map(Self::Discard),
            Self::Expire(process) => process.step(UploadEvent::Expire, turn).map(Self::Discard),
            Self::Discard(process) => process.step(turn).map(Self::Discard),
            Self::Delete(process) => process.step(turn).map(Self::Delete),
            Self::Reclaim(process) => process.step(turn).map(Self::Reclaim),
            Self::Replicate(process) => process.step(turn).map(Self::Replicate),
            Self::Reconcile(process) => process.step(turn).map(Self::Reconcile),
        }
    }

    /// Whether the next call is one whose effect can come twice: the answer is lost, and the SDK sends it again.
    /// Reads have no effect, and transactions carry a token.
    pub(crate) fn repeats(&self) -> bool {
        match self {
            Self::Sign(process) => process.repeats(),
            Self::Finalize(process) => process.repeats(),
            Self::Discard(process) => process.repeats(),
            _ => false,
        }
    }

    /// An upload's row was written by another process.
    pub(crate) fn upload_changed(&mut self, id: Id) {
        let held = match self {
            Self::ListParts(process) => &mut process.held,
            Self::Sign(process) => &mut process.held,
            Self::Prove(process) => &mut process.held,
            Self::Finalize(process) => &mut process.held,
            Self::Abort(process) | Self::Expire(process) => &mut process.held,
            Self::Discard(process) => &mut process.held,
            Self::Create(_) | Self::Late(_) | Self::Delete(_) => return,
            Self::Reclaim(_) | Self::Replicate(_) | Self::Reconcile(_) => return,
        };
        if held.upload == id {
            *held = Held { stale: true, ..*held };
        }
    }

    /// A blob's row was written by another process.
    pub(crate) fn blob_changed(&mut self, id: Id) {
        match self {
            Self::Reclaim(process) => process.stale |= process.blob == id,
            Self::Reconcile(process) => process.stale |= process.key == id,
            _ => {}
        }
    }
}

impl From<Following> for Process {
    fn from(following: Following) -> Self {
        match following {
            Following::Finalize(process) => Self::Finalize(process),
            Following::Replicate(process) => Self::Replicate(process),
            Following::Discard(process) => Self::Discard(process),
        }
    }
}
