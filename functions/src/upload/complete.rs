//! Turns the parts into a file.

use crate::Function;
use api::{Handler, Problem, Request, views};
use domain::placement::Destination;
use service::file::commit::check_placement;
use service::upload::complete::{FinalizeResult, Finalizer};
use std::time::Duration;
use store::rows::UploadRow;
use store::{Environment, StoreError};
use wire::answer::{Accepted, Either};
use wire::body::Json;
use wire::code;
use wire::upload::{Complete, Upload};

pub static FUNCTION: Function = Function::served_by::<UploadComplete>();

/// How long the store may take to assemble the object before the client is told to ask again. The gateway
/// gives up after 29 seconds, and there is a little more to do after the store answered.
const TIMEOUT: Duration = Duration::from_secs(20);
/// How many missing parts the answer names.
const NAMED: usize = 100;

pub struct UploadComplete {
    finalizer: Finalizer,
}

impl UploadComplete {
    /// Refuses a destination early that the final write would refuse.
    async fn check(&self, upload: &UploadRow, destination: &Destination) -> Result<(), StoreError> {
        let mut moved = upload.clone();
        if upload.state.is_final() || !moved.redirect(destination) {
            return Ok(());
        }
        let table = &self.finalizer.table;
        let Err(error) = check_placement(table, &moved).await else {
            return Ok(());
        };
        // The same request may have made the file meanwhile, whose answer got lost: what has the name is that.
        let now = table.uploads().get(&upload.account, &upload.id).await?;
        match now.filter(|now| now.state.is_final()) {
            Some(_) => Ok(()),
            None => Err(error),
        }
    }
}

impl Handler for UploadComplete {
    type Endpoint = Complete;

    async fn new(environment: &Environment) -> Result<Self, StoreError> {
        Ok(Self {
            finalizer: Finalizer::from_env(environment)?,
        })
    }

    async fn answer(
        &self,
        request: Request<Complete>,
    ) -> Result<Either<Json<Upload>, Accepted<Upload>>, Problem<Complete>> {
        let Request {
            caller: account,
            path: id,
            body: destination,
            ..
        } = request;
        let table = &self.finalizer.table;
        let upload = api::lookup::upload(table, &account.id, &id).await?;
        self.check(&upload, &destination).await?;
        match self.finalizer.run_to(&upload, &destination, TIMEOUT).await? {
            FinalizeResult::Complete(upload, node) => {
                let view = api::lookup::with_file(table, &upload, node.as_deref()).await?;
                Ok(Either::First(Json(view)))
            }
            // Seen from `/v1/uploads/{id}/complete`.
            FinalizeResult::InProgress(upload) => Ok(Either::Second(Accepted {
                location: format!("../{}", upload.id),
                body: views::upload(&upload, table.now())?,
            })),
            FinalizeResult::PartsMissing(missing) => {
                let named = &missing[..missing.len().min(NAMED)];
                let detail = format!(
                    "{} parts are missing; send them and complete again",
                    missing.len()
                );
                Err(Problem::new(code::PartsMissing, detail)
                    .with("missing", named)
                    .with("missing_count", missing.len()))
            }
            FinalizeResult::ContentMismatch { announced, stored } => {
                let detail =
                    "the parts are not the bytes that were announced; send the parts that differ again";
                Err(Problem::new(code::ContentMismatch, detail)
                    .with("announced", announced.to_string())
                    .with("stored", stored.to_string()))
            }
            FinalizeResult::PartsChanged => {
                let detail = "a part was sent again while the upload was being finalized; complete again";
                Err(Problem::new(code::ChangedMeanwhile, detail))
            }
            FinalizeResult::Ended(state) => {
                let mut upload = upload;
                upload.state = state;
                Err(api::lookup::not_open(&upload))
            }
        }
    }
}
