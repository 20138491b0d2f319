//! Presigned requests that put parts: each for exactly these bytes.

use api::requests::{MAX_BATCH, PartToSign, PartsToSign};
use api::views::{SignedPart, SignedParts};
use api::{Auth, Call, Endpoint, Problem, Reply};
use domain::id::{AccountId, UploadId};
use domain::token::Scope;
use std::collections::HashSet;
use store::config::upload_expiry;
use store::rows::{UploadRow, now};
use store::uploads::TransitionError;
use store::{Aws, Conflict, Objects, StoreError, Table};

/// Parallel requests of one client may all want to begin the multipart upload: one does, the others look again.
const ATTEMPTS: u32 = 5;

pub struct UploadSignParts {
    table: Table,
    objects: Objects,
    auth: Auth,
    expiry: jiff::SignedDuration,
}

impl UploadSignParts {
    async fn open_upload(
        &self,
        account: &AccountId,
        id: &UploadId,
        parts: &[PartToSign],
    ) -> Result<(UploadRow, String), Problem> {
        let mut attempt = 1;
        loop {
            let upload = api::lookup::upload(&self.table, account, id).await?;
            if upload.session().is_open(now()) {
                check(parts, &upload)?;
            }
            match self
                .table
                .uploads()
                .ensure_multipart(&self.objects, upload.clone(), self.expiry, now())
                .await
            {
                Ok(begun) => return Ok(begun),
                Err(TransitionError::Refused(_)) => return Err(api::lookup::not_open(&upload)),
                Err(error) if error.conflict() == Some(Conflict::UploadChanged) && attempt < ATTEMPTS => {
                    attempt += 1;
                }
                Err(TransitionError::Store(error)) => return Err(error.into()),
            }
        }
    }
}

fn check(parts: &[PartToSign], upload: &UploadRow) -> Result<(), Problem> {
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

impl Endpoint for UploadSignParts {
    async fn from_env() -> Result<Self, StoreError> {
        let aws = Aws::from_env().await;
        Ok(Self {
            table: Table::from_env(&aws)?,
            objects: Objects::from_env(&aws)?,
            auth: Auth::from_env(&aws).await?,
            expiry: upload_expiry()?,
        })
    }

    async fn answer(&self, call: Call) -> Result<Reply, Problem> {
        let account = call.account(&self.auth, Scope::Upload).await?;
        let id = call.id("upload")?;
        let PartsToSign { parts } = call.json()?;
        let (upload, multipart_id) = self.open_upload(&account, &id, &parts).await?;
        let (plan, key) = (upload.parts()?, upload.object_key());
        let mut signed = Vec::with_capacity(parts.len());
        for PartToSign { number, sha256 } in parts {
            let length = plan.part_length(number).unwrap_or_default();
            let request = self
                .objects
                .sign_part(&key, &multipart_id, number, length, &sha256)
                .await?;
            signed.push(SignedPart::new(number, request));
        }
        Reply::ok(&SignedParts { parts: signed })
    }
}
