//! Takes the answer to an upload's challenge.

use api::requests::Answer;
use api::views::Upload;
use api::{Auth, Call, Endpoint, Problem, Reply};
use domain::token::Scope;
use domain::upload::{Refusal, State};
use service::file::ensure_replicas::ensure_replicas;
use service::upload::prove::Proven;
use service::upload::prove::prove;
use store::rows::{UploadRow, now};
use store::uploads::TransitionError;
use store::{Aws, Conflict, Objects, StartQueue, StoreError, Table};

pub struct UploadProve {
    table: Table,
    queue: StartQueue,
    objects: Objects,
    auth: Auth,
}

impl UploadProve {
    /// There is nothing to be proven (any more): the upload as it is.
    async fn as_it_is(&self, upload: &UploadRow) -> Result<Reply, Problem> {
        if upload.state.is_final() && upload.state != State::Complete {
            return Err(api::lookup::not_open(upload));
        }
        let node = self.table.uploads().file_of(upload).await?;
        Reply::ok(&api::lookup::with_file(&self.table, upload, node.as_ref()).await?)
    }
}

impl Endpoint for UploadProve {
    async fn from_env() -> Result<Self, StoreError> {
        let aws = Aws::from_env().await;
        Ok(Self {
            table: Table::from_env(&aws)?,
            queue: StartQueue::from_env(&aws)?,
            objects: Objects::from_env(&aws)?,
            auth: Auth::from_env(&aws).await?,
        })
    }

    async fn answer(&self, call: Call) -> Result<Reply, Problem> {
        let account = call.account(&self.auth, Scope::Upload).await?;
        let id = call.id("upload")?;
        let Answer { proof } = call.json()?;
        let upload = api::lookup::upload(&self.table, &account, &id).await?;
        match prove(&self.table, &self.objects, &upload, &proof, now()).await {
            Ok(Proven::Complete(upload, node)) => {
                if let Some(file) = &node.file {
                    let parent = node.parent.as_ref();
                    ensure_replicas(&self.table, &self.queue, &account, parent, &file.blob).await;
                }
                Reply::ok(&api::lookup::with_file(&self.table, &upload, Some(&node)).await?)
            }
            Ok(Proven::Open(upload)) => Reply::ok(&Upload::new(&upload)?),
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
