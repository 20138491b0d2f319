//! Begins an upload, or spares the client sending the bytes: at once when the account has a file with them, after a proof
//! when somebody else has.

use crate::{Exit, serve};
use api::{Handler, IdempotencyKey, Problem, Request, throttle, views};
use domain::content::{ContentId, PartPlan};
use domain::id::AccountId;
use domain::moment::later;
use domain::possession::{ACCOUNTS_AT_A_SOURCE, LOOK_UP_COST, MIN_SIZE};
use domain::throttle::Source;
use domain::upload::{Beginning, Session, State};
use store::config::{DedupScope, number, upload_expiry};
use store::placing::node_of;
use store::possession::challenge;
use store::rows::{Allowance, FileContent, NodeRow, ReplicaRow, UploadRow, new_id, now};
use store::table::Write;
use store::{Aws, Conflict, StartQueue, StoreError, Table};
use wire::Code;
use wire::answer::{Created, Either, Located};
use wire::upload::{Create, NewUpload, Upload};

/// The program.
///
/// # Errors
/// When it is not configured, or the Lambda runtime cannot be reached.
pub fn main() -> Exit {
    serve::<UploadCreate>()
}

pub struct UploadCreate {
    table: Table,
    queue: StartQueue,
    expiry: jiff::SignedDuration,
    scope: DedupScope,
    /// How often an hour an account may ask for contents that it does not have.
    attempts_per_hour: u64,
    creates_per_hour: u64,
}

impl UploadCreate {
    fn row(&self, account: AccountId, body: NewUpload) -> Result<UploadRow, Problem<Create>> {
        let plan =
            PartPlan::for_size(body.size).map_err(|e| Problem::invalid("size", format!("size: {e}")))?;
        let wrong_count = |id: &ContentId| id.part_count() != plan.part_count();
        if body.content_id.as_ref().is_some_and(wrong_count) {
            let detail = format!(
                "content_id: a file of {} bytes has {} parts",
                body.size,
                plan.part_count()
            );
            return Err(Problem::invalid("content_id", detail));
        }
        let now = now();
        let expires_at = later(now, self.expiry);
        let session = Session::new(Beginning::Sending, expires_at);
        Ok(UploadRow {
            id: new_id(),
            account,
            state: session.state,
            name: body.name,
            parent: body.parent,
            size: body.size,
            on_conflict: body.on_conflict,
            content_type: body.content_type.map(String::from),
            content_id: body.content_id,
            blob: new_id(),
            challenge: None,
            multipart_id: None,
            expires_at: session.expires_at,
            lease_until: session.lease_until,
            node: None,
            discard_since: None,
            ended_at: None,
            created_at: now,
            due_at: None,
            version: 1,
        })
    }

    /// The file at once, if the account has another one with these bytes.
    async fn instant(
        &self,
        upload: &UploadRow,
        key: Option<&IdempotencyKey>,
    ) -> Result<Option<Begun>, StoreError> {
        let Some(content_id) = upload.content_id else {
            return Ok(None);
        };
        let blob = self.table.own_blob(&upload.account, &content_id).await?;
        let Some(blob) = blob.filter(|blob| blob.size == upload.size) else {
            return Ok(None);
        };
        let replicas = self.table.readable_replicas(&blob.id).await?;
        let file = FileContent::of(upload, content_id, &blob.id);
        let node = node_of(upload, &file, upload.created_at);
        let session = Session::new(Beginning::AtOnce, upload.expires_at);
        let complete = UploadRow {
            state: session.state,
            ended_at: Some(upload.created_at),
            ..upload.clone()
        };
        let others = |upload: &UploadRow, node: &NodeRow| {
            let remembered = key.map(|key| remember(key, upload, Some((node, &replicas[..]))));
            remembered.into_iter().collect()
        };
        match self
            .table
            .create_instant_upload(&complete, node, &file, others)
            .await
        {
            Ok((upload, node)) => {
                let (account, parent) = (&node.account, node.parent.as_ref());
                self.table.cover(&self.queue, account, parent, &blob.id).await;
                answer(&upload, Some((&node, &replicas))).map(Some)
            }
            // The other file was deleted meanwhile, and its bytes are going: an ordinary upload it is.
            Err(StoreError::Conflict(Conflict::BlobGone)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Counts that somebody asks for a content that he does not have. Gives whether he may.
    async fn may_ask(&self, upload: &UploadRow, source: &Source) -> Result<bool, StoreError> {
        let (limit, now) = (self.attempts_per_hour, upload.created_at);
        let account = Allowance::LookUps(&upload.account);
        if !self.table.spend(&account, LOOK_UP_COST, limit, now).await? {
            return Ok(false);
        }
        let (source, limit) = (
            Allowance::LookUpsFrom(source),
            limit.saturating_mul(ACCOUNTS_AT_A_SOURCE),
        );
        self.table.spend(&source, LOOK_UP_COST, limit, now).await
    }

    /// Lets the client prove that it has the bytes, if somebody else has them. Without asking who does, and only so often.
    async fn challenge(&self, upload: UploadRow, source: &Source) -> Result<UploadRow, StoreError> {
        let Some(content_id) = upload.content_id.filter(|_| upload.size >= MIN_SIZE) else {
            return Ok(upload);
        };
        if self.scope == DedupScope::Account || !self.may_ask(&upload, source).await? {
            return Ok(upload);
        }
        let blob = self.table.blob_with(&content_id, None).await?;
        let Some(blob) = blob.filter(|blob| blob.size == upload.size) else {
            return Ok(upload);
        };
        let stored = challenge(&upload.account, &blob, upload.created_at);
        let beginning = Beginning::Challenged(stored.challenge.expires_at);
        Ok(UploadRow {
            state: Session::new(beginning, upload.expires_at).state,
            challenge: Some(stored),
            ..upload
        })
    }

    async fn create(
        &self,
        upload: UploadRow,
        source: &Source,
        key: Option<&IdempotencyKey>,
    ) -> Result<Begun, Problem<Create>> {
        let allowance = Allowance::Creates(&upload.account);
        let allowed = throttle::spend::<Create>(&self.table, allowance, self.creates_per_hour);
        let place = async { self.table.check_place(&upload).await.map_err(Problem::from) };
        tokio::try_join!(allowed, place)?;
        if let Some(begun) = self.instant(&upload, key).await? {
            return Ok(begun);
        }
        let upload = self.challenge(upload, source).await?;
        let remembered = key.map(|key| remember(key, &upload, None));
        let remembered = remembered.into_iter().collect::<Result<Vec<_>, _>>()?;
        self.table.create_upload(&upload, remembered).await?;
        Ok(answer(&upload, None)?)
    }

    async fn quota_problem(&self, account: &AccountId, wanted: u64) -> Problem<Create> {
        match self.table.account(account).await {
            Ok(Some(account)) => Problem::quota_exceeded(&account.quota(), wanted),
            Ok(None) => Problem::unauthorized("the account does not exist any more"),
            Err(error) => error.into(),
        }
    }
}

/// A file, and the copies of its bytes.
type FileAndReplicas<'a> = (&'a NodeRow, &'a [ReplicaRow]);
/// The upload as it begins: it takes parts or is complete, or there is a challenge.
type Begun = Either<Created<Upload>, Located<Upload>>;

fn answer(upload: &UploadRow, file: Option<FileAndReplicas<'_>>) -> Result<Begun, StoreError> {
    let mut body = views::upload(upload)?;
    // It is made twice, to be remembered and to be given, and has to be the same.
    body.file = file.map(|(node, replicas)| views::file(node, replicas, upload.created_at));
    let location = format!("uploads/{}", upload.id);
    Ok(match upload.state {
        State::ProofRequired => Either::Second(Located { location, body }),
        _ => Either::First(Created { location, body }),
    })
}

fn remember(
    key: &IdempotencyKey,
    upload: &UploadRow,
    file: Option<FileAndReplicas<'_>>,
) -> Result<Write, StoreError> {
    key.remember(&answer(upload, file)?)
}

impl Handler for UploadCreate {
    type Endpoint = Create;

    async fn new(aws: &Aws) -> Result<Self, StoreError> {
        Ok(Self {
            table: Table::from_env(aws)?,
            queue: StartQueue::from_env(aws)?,
            expiry: upload_expiry()?,
            scope: DedupScope::from_env()?,
            attempts_per_hour: number("INSTANT_ATTEMPTS_PER_HOUR")?,
            creates_per_hour: number("CREATES_PER_HOUR")?,
        })
    }

    async fn answer(&self, request: Request<Create>) -> Result<Begun, Problem<Create>> {
        let Request {
            caller,
            body,
            key,
            source,
            ..
        } = request;
        let account = caller.id;
        let upload = self.row(account.clone(), body)?;
        let size = upload.size;
        match self.create(upload, &source, key.as_ref()).await {
            Err(problem) if problem.code() == Code::QuotaExceeded => {
                Err(self.quota_problem(&account, size).await)
            }
            answer => answer,
        }
    }
}
