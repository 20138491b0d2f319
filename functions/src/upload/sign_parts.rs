//! Presigned requests that put parts: each for exactly these bytes.

use crate::Function;
use api::{Handler, Problem, Request, views};
use domain::id::{AccountId, UploadId};
use std::collections::HashSet;
use store::config::upload_expiry;
use store::rows::UploadRow;
use store::uploads::TransitionError;
use store::{Conflict, Environment, Objects, StoreError, Table};
use wire::body::Json;
use wire::upload::{MAX_BATCH, PartToSign, PartsToSign, SignParts, SignedParts};

pub static FUNCTION: Function = Function::served_by::<UploadSignParts>();

/// Parallel requests of one client may all want to begin the multipart upload: one does, the others look again.
const BEGIN_ATTEMPTS: u32 = 5;

pub struct UploadSignParts {
    table: Table,
    objects: Objects,
    expiry: jiff::SignedDuration,
}

impl UploadSignParts {
    async fn open_upload(
        &self,
        account: &AccountId,
        id: &UploadId,
        parts: &[PartToSign],
    ) -> Result<(UploadRow, String), Problem<SignParts>> {
        let mut attempt = 1;
        loop {
            let upload = api::lookup::upload(&self.table, account, id).await?;
            if upload.lifecycle().is_open(self.table.now()) {
                check(parts, &upload)?;
            }
            match self
                .table
                .uploads()
                .ensure_multipart(&self.objects, upload.clone(), self.expiry, self.table.now())
                .await
            {
                Ok(begun) => return Ok(begun),
                Err(TransitionError::Refused(_)) => return Err(api::lookup::not_open(&upload)),
                Err(error)
                    if error.conflict() == Some(Conflict::UploadChanged) && attempt < BEGIN_ATTEMPTS =>
                {
                    attempt += 1;
                }
                Err(TransitionError::Store(error)) => return Err(error.into()),
            }
        }
    }
}

fn check(parts: &[PartToSign], upload: &UploadRow) -> Result<(), Problem<SignParts>> {
    if !(1..=MAX_BATCH).contains(&parts.len()) {
        return Err(Problem::invalid(
            "parts",
            format!("parts: 1 to {MAX_BATCH} parts at a time"),
        ));
    }
    let plan = upload.parts()?;
    let mut seen = HashSet::new();
    for PartToSign { number, .. } in parts {
        if plan.range(*number).is_none() {
            let detail = format!(
                "number: parts are numbered from 1 to {}, not {number}",
                plan.part_count()
            );
            return Err(Problem::invalid("number", detail));
        }
        if !seen.insert(number) {
            return Err(Problem::invalid(
                "number",
                format!("number: part {number} is there twice"),
            ));
        }
    }
    Ok(())
}

impl Handler for UploadSignParts {
    type Endpoint = SignParts;

    async fn new(environment: &Environment) -> Result<Self, StoreError> {
        Ok(Self {
            table: Table::from_env(environment)?,
            objects: Objects::from_env(environment)?,
            expiry: upload_expiry(environment)?,
        })
    }

    async fn answer(&self, request: Request<SignParts>) -> Result<Json<SignedParts>, Problem<SignParts>> {
        let (account, id) = (request.caller.id, request.path);
        let PartsToSign { parts } = request.body;
        let (upload, multipart_id) = self.open_upload(&account, &id, &parts).await?;
        let (plan, key) = (upload.parts()?, upload.object_key());
        let mut signed = Vec::with_capacity(parts.len());
        for PartToSign { number, sha256 } in parts {
            let length = plan.part_length(number).unwrap_or_default();
            let request = self
                .objects
                .sign_part(&key, &multipart_id, number, length, &sha256)
                .await?;
            signed.push(views::signed_part(number, request));
        }
        Ok(Json(SignedParts { parts: signed }))
    }
}
