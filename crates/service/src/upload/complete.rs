//! Parts become a blob and a file.
//!
//! Which step comes after which is [`domain::finalize`]; `run` carries them out. In short: take the lease, list the
//! parts with the digests that the store computed, write the part digests, complete the multipart upload
//! unless a blob with this content exists, make the file in one transaction. Then send the replication
//! messages and discard what is not needed: the sweep does it if we cannot.

mod finalizer;
mod outcome;
mod run;

pub use finalizer::Finalizer;
pub use outcome::FinalizeResult;

use domain::placement::Destination;
use run::Run;
use std::time::Duration;
use store::StoreError;
use store::rows::UploadRow;

impl Finalizer {
    /// Finalizes an upload, waiting for the store for `timeout` at most.
    ///
    /// # Errors
    /// [`NameTaken`](store::Conflict::NameTaken) or [`ParentGone`](store::Conflict::ParentGone): the upload is open
    /// again. Anything else: nothing is lost by trying again.
    pub async fn run(&self, upload: &UploadRow, timeout: Duration) -> Result<FinalizeResult, StoreError> {
        self.run_to(upload, &Destination::default(), timeout).await
    }

    /// The same, with the file going somewhere else than the upload says. That is written with the lease, so
    /// that the run that takes over knows it.
    ///
    /// # Errors
    /// The same; [`UploadChanged`](store::Conflict::UploadChanged) when somebody else finalizes the upload, and takes the file
    /// to another place.
    pub async fn run_to(
        &self,
        upload: &UploadRow,
        destination: &Destination,
        timeout: Duration,
    ) -> Result<FinalizeResult, StoreError> {
        Run::new(self, upload, destination, timeout).carry_out().await
    }
}
