//! Turns the parts into a file.

use api::problem::Code;
use api::views::Upload;
use api::{Auth, Call, Endpoint, Problem, Reply};
use domain::placement::Destination;
use domain::token::Scope;
use service::file::commit::check_place;
use service::upload::complete::{Finalizer, Outcome};
use std::time::Duration;
use store::rows::UploadRow;
use store::{Aws, StoreError};

/// How long the store may take to assemble the object before the client is told to ask again. The gateway
/// gives up after 29 seconds, and there is a little more to do after the store answered.
const PATIENCE: Duration = Duration::from_secs(20);
/// How many missing parts the answer names.
const NAMED: usize = 100;

pub struct UploadComplete {
    finalizer: Finalizer,
    auth: Auth,
}

impl UploadComplete {
    /// Refuses a destination early that the final write would refuse.
    async fn check(&self, upload: &UploadRow, destination: &Destination) -> Result<(), Problem> {
        let mut moved = upload.clone();
        if upload.state.is_final() || !moved.redirect(destination) {
            return Ok(());
        }
        let table = &self.finalizer.table;
        let Err(error) = check_place(table, &moved).await else {
            return Ok(());
        };
        // The same request may have made the file meanwhile, whose answer got lost: what has the name is that.
        let now = table.uploads().get(&upload.account, &upload.id).await?;
        match now.filter(|now| now.state.is_final()) {
            Some(_) => Ok(()),
            None => Err(error.into()),
        }
    }
}

impl Endpoint for UploadComplete {
    async fn from_env() -> Result<Self, StoreError> {
        let aws = Aws::from_env().await;
        let finalizer = Finalizer::from_env(&aws)?;
        Ok(Self {
            finalizer,
            auth: Auth::from_env(&aws).await?,
        })
    }

    async fn answer(&self, call: Call) -> Result<Reply, Problem> {
        let account = call.account(&self.auth, Scope::Upload).await?;
        let table = &self.finalizer.table;
        let id = call.id("upload")?;
        let destination: Destination = call.json_if_any()?;
        let upload = api::lookup::upload(table, &account, &id).await?;
        self.check(&upload, &destination).await?;
        match self.finalizer.run_to(&upload, &destination, PATIENCE).await? {
            Outcome::Complete(upload, node) => {
                Reply::ok(&api::lookup::with_file(table, &upload, node.as_deref()).await?)
            }
            // Seen from `/v1/uploads/{id}/complete`.
            Outcome::InProgress(upload) => {
                Reply::accepted(&format!("../{}", upload.id), &Upload::new(&upload)?)
            }
            Outcome::PartsMissing(missing) => {
                let named = &missing[..missing.len().min(NAMED)];
                let detail = format!(
                    "{} parts are missing; send them and complete again",
                    missing.len()
                );
                Err(Problem::new(Code::PartsMissing, detail)
                    .with("missing", named)
                    .with("missing_count", missing.len()))
            }
            Outcome::ContentMismatch { announced, stored } => {
                let detail =
                    "the parts are not the bytes that were announced; send the parts that differ again";
                Err(Problem::new(Code::ContentMismatch, detail)
                    .with("announced", announced.to_string())
                    .with("stored", stored.to_string()))
            }
            Outcome::PartsChanged => {
                let detail = "a part was sent again while the upload was being finalized; complete again";
                Err(Problem::new(Code::ChangedMeanwhile, detail))
            }
            Outcome::Ended(state) => {
                let mut upload = upload;
                upload.state = state;
                Err(api::lookup::not_open(&upload))
            }
        }
    }
}
