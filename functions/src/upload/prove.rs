//! Takes the answer to an upload's challenge.

use crate::Function;
use api::{Handler, Problem, Request, views};
use domain::upload::{Refusal, State};
use domain::versions::VersionPolicy;
use service::file::ensure_replicas::ensure_replicas;
use service::upload::prove::Proven;
use service::upload::prove::prove;
use store::config::version_policy;
use store::rows::UploadRow;
use store::uploads::TransitionError;
use store::{Conflict, Environment, Objects, StartQueue, StoreError, Table};
use wire::body::Json;
use wire::upload::{Prove, Upload};

pub static FUNCTION: Function = Function::served_by::<UploadProve>();

pub struct UploadProve {
    table: Table,
    queue: StartQueue,
    objects: Objects,
    versions: VersionPolicy,
}

impl UploadProve {
    /// There is nothing to be proven (any more): the upload as it is.
    async fn as_it_is(&self, upload: &UploadRow) -> Result<Json<Upload>, Problem<Prove>> {
        if upload.state.is_final() && upload.state != State::Complete {
            return Err(api::lookup::not_open(upload));
        }
        let node = self.table.uploads().file_of(upload).await?;
        Ok(Json(
            api::lookup::with_file(&self.table, upload, node.as_ref()).await?,
        ))
    }
}

impl Handler for UploadProve {
    type Endpoint = Prove;

    async fn new(environment: &Environment) -> Result<Self, StoreError> {
        Ok(Self {
            table: Table::from_env(environment)?,
            queue: StartQueue::from_env(environment)?,
            objects: Objects::from_env(environment)?,
            versions: version_policy(environment)?,
        })
    }

    async fn answer(&self, request: Request<Prove>) -> Result<Json<Upload>, Problem<Prove>> {
        let Request {
            caller,
            path: id,
            body,
            ..
        } = request;
        let (account, proof) = (caller.id, body.proof);
        let upload = api::lookup::upload(&self.table, &account, &id).await?;
        let now = self.table.now();
        match prove(&self.table, &self.objects, &upload, &proof, self.versions, now).await {
            Ok(Proven::Complete(upload, node)) => {
                ensure_replicas(&self.table, &self.queue, &node).await;
                Ok(Json(
                    api::lookup::with_file(&self.table, &upload, Some(&node)).await?,
                ))
            }
            Ok(Proven::Open(upload)) => Ok(Json(views::upload(&upload, now)?)),
            Err(TransitionError::Refused(Refusal::Lapsed(_))) => Err(api::lookup::not_open(&upload)),
            Err(TransitionError::Refused(_)) => self.as_it_is(&upload).await,
            // Another answer was faster, or this one, sent again because nothing was heard of it.
            Err(error) if error.conflict() == Some(Conflict::UploadChanged) => {
                let upload = api::lookup::upload(&self.table, &account, &id).await?;
                self.as_it_is(&upload).await
            }
            Err(TransitionError::Store(error)) => Err(error.into()),
        }
    }
}
