//! Aborts an upload and releases its reservation.

use crate::Function;
use api::{Handler, Problem, Request};
use domain::upload::{State, UploadEvent};
use store::uploads::TransitionError;
use store::{Environment, Objects, StoreError, Table};
use wire::answer::NoContent;
use wire::upload::Abort;

pub static FUNCTION: Function = Function::served_by::<UploadAbort>();

pub struct UploadAbort {
    table: Table,
    objects: Objects,
}

impl Handler for UploadAbort {
    type Endpoint = Abort;

    async fn new(environment: &Environment) -> Result<Self, StoreError> {
        Ok(Self {
            table: Table::from_env(environment)?,
            objects: Objects::from_env(environment)?,
        })
    }

    async fn answer(&self, request: Request<Abort>) -> Result<NoContent, Problem<Abort>> {
        let account = request.caller.id;
        let upload = api::lookup::upload(&self.table, &account, &request.path).await?;
        if upload.state == State::Aborted {
            return Ok(NoContent);
        }
        let aborted = match self
            .table
            .uploads()
            .transition(&upload, UploadEvent::Abort, self.table.now(), |_| (), vec![])
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
        if let Err(error) = self
            .table
            .uploads()
            .discard(&self.objects, &aborted, self.table.now())
            .await
        {
            tracing::warn!(upload = %aborted.id, error = error.for_log(), "left to the sweep: discarding parts");
        }
        Ok(NoContent)
    }
}
