//! The rules that the world follows: the domain's, unless a test breaks one.

use domain::account::{NoRoom, Quota, QuotaEvent};
use domain::blob::{self, Life};
use domain::finalize::{Step, StepResult};
use domain::upload::{self, Lifecycle};
use jiff::Timestamp;

type Moved = Result<(Lifecycle, &'static [upload::Effect]), upload::Refusal>;
type Lived = Result<(Life, &'static [blob::Effect]), blob::Refusal>;

/// What decides.
#[derive(Clone, Copy)]
pub(crate) struct Rules {
    pub(crate) upload: fn(&Lifecycle, upload::UploadEvent, Timestamp) -> Moved,
    pub(crate) blob: fn(&Life, blob::BlobEvent, Timestamp) -> Lived,
    pub(crate) quota: fn(Quota, QuotaEvent) -> Result<Quota, NoRoom>,
    pub(crate) finalize: fn(Step, StepResult) -> Option<Step>,
    pub(crate) discard_again: fn(Option<Timestamp>, Timestamp) -> Option<Timestamp>,
    pub(crate) conditions: Conditions,
}

/// The conditions that `store` puts on its writes and deletes.
#[derive(Clone, Copy)]
#[expect(clippy::struct_excessive_bools, reason = "each is a condition of its own")]
pub(crate) struct Conditions {
    /// Part digests are written only under the lease they were read under.
    pub(crate) part_digests_under_lease: bool,
    /// A file is made only of the version of the upload that was read.
    pub(crate) commit_of_version: bool,
    /// Whether a look at an ended upload is the last is decided when it begins.
    pub(crate) discard_looks_at_clock_first: bool,
    /// An object is discarded only if it did not become a blob.
    pub(crate) discard_asks_for_blob: bool,
    /// An object that is not what the part digests say counts as none: late and repeated completes can make one.
    pub(crate) other_object_is_none: bool,
    /// The store tells of an object what it was made of.
    pub(crate) object_tells_content: bool,
    /// A proof makes a file only of a blob that may be referenced.
    pub(crate) proof_asks_for_blob: bool,
    /// A file is deleted only with the content that was read.
    pub(crate) delete_of_content: bool,
    /// A blob is marked only as it was read.
    pub(crate) mark_as_read: bool,
    /// The reconciler asks whether an object became a blob after it asked whether its upload ended.
    pub(crate) reconciler_asks_for_blob_last: bool,
}

impl Rules {
    /// As they are.
    pub(crate) const TRUE: Self = Self {
        upload: upload::step,
        blob: blob::step,
        quota: Quota::step,
        finalize: Step::after,
        discard_again: upload::discard_again,
        conditions: Conditions {
            part_digests_under_lease: true,
            commit_of_version: true,
            discard_looks_at_clock_first: true,
            discard_asks_for_blob: true,
            other_object_is_none: true,
            object_tells_content: true,
            proof_asks_for_blob: true,
            delete_of_content: true,
            mark_as_read: true,
            reconciler_asks_for_blob_last: true,
        },
    };
}
