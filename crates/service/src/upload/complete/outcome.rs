//! How a finalize ends.

use domain::content::ContentId;
use domain::upload::State;
use store::rows::{NodeRow, UploadRow};

/// How a finalize ended.
#[derive(Debug)]
pub enum FinalizeResult {
    /// There is a file, unless it was deleted or replaced since.
    Complete(Box<UploadRow>, Option<Box<NodeRow>>),
    /// It goes on, here or elsewhere; ask again.
    InProgress(Box<UploadRow>),
    /// The store lacks these parts, or has them in another size. The upload is open.
    PartsMissing(Vec<u32>),
    /// The stored parts are not what the client announced. The upload is open.
    ContentMismatch {
        /// What the client announced.
        announced: ContentId,
        /// What the store has.
        stored: ContentId,
    },
    /// A part was overwritten while the finalize was at work. The upload is open.
    PartsChanged,
    /// The upload ended without a file.
    Ended(State),
}
