//! Gives an upload up and its reservation back.

use api::{Auth, Call, Endpoint, Problem, Reply};
use domain::token::Scope;
use domain::upload::{Event, State};
use store::rows::now;
use store::uploads::TransitionError;
use store::{Aws, Objects, StoreError, Table};

pub struct UploadAbort {
    table: Table,
    objects: Objects,
    auth: Auth,
}

impl Endpoint for UploadAbort {
    async fn from_env() -> Result<Self, StoreError> {
        let aws = Aws::from_env().await;
        Ok(Self {
            table: Table::from_env(&aws)?,
            objects: Objects::from_env(&aws)?,
            auth: Auth::from_env(&aws).await?,
        })
    }

    async fn answer(&self, call: Call) -> Result<Reply, Problem> {
        let account = call.account(&self.auth, Scope::Upload).await?;
        let upload = api::lookup::upload(&self.table, &account, &call.id("upload")?).await?;
        if upload.state == State::Aborted {
            return Ok(Reply::no_content());
        }
        let aborted = match self
            .table
            .uploads()
            .transition(&upload, Event::Abort, now(), |_| (), vec![])
            .await
        {
            Ok(aborted) => aborted,
            Err(TransitionError::Refused(_)) => return Err(api::lookup::not_open(&upload)),
            // Somebody else changed it, or this did, and the answer that said so got lost.
            Err(TransitionError::Store(error)) if error.is_conflict() => {
                match api::lookup::upload(&self.table, &account, &upload.id).await? {
                    row if row.state == State::Aborted => row,
                    _ => return Err(error.into()),
                }
            }
            Err(TransitionError::Store(error)) => return Err(error.into()),
        };
        if let Err(error) = self.table.uploads().discard(&self.objects, &aborted, now()).await {
            tracing::warn!(upload = %aborted.id, error = error.for_log(), "left to the sweep: discarding parts");
        }
        Ok(Reply::no_content())
    }
}
