//! Begins an upload, or spares the client sending the bytes: at once when the account has a file with them, after a proof
//! when somebody else has.

use api::problem::Code;
use api::requests::NewUpload;
use api::views::Upload;
use api::{Auth, Call, Endpoint, IdempotencyKey, Problem, Reply, idempotency, throttle};
use domain::content::{ContentId, PartPlan};
use domain::id::AccountId;
use domain::moment::later;
use domain::possession::{ACCOUNTS_AT_A_SOURCE, LOOK_UP_COST, MIN_SIZE};
use domain::throttle::Source;
use domain::token::Scope;
use domain::upload::{Beginning, Session, State};
use store::config::{DedupScope, number, upload_expiry};
use store::placing::node_of;
use store::possession::challenge;
use store::rows::{Allowance, FileContent, NodeRow, ReplicaRow, UploadRow, new_id, now};
use store::table::Write;
use store::{Aws, Conflict, StartQueue, StoreError, Table};

pub struct UploadCreate {
    table: Table,
    queue: StartQueue,
    auth: Auth,
    expiry: jiff::SignedDuration,
    scope: DedupScope,
    /// How often an hour an account may ask for contents that it does not have.
    attempts_per_hour: u64,
    creates_per_hour: u64,
}

impl UploadCreate {
    fn row(&self, account: AccountId, body: NewUpload) -> Result<UploadRow, Problem> {
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
    ) -> Result<Option<Reply>, Problem> {
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
                reply(&upload, Some((&node, &replicas))).map(Some)
            }
            // The other file was deleted meanwhile, and its bytes are going: an ordinary upload it is.
            Err(error) if error.conflict() == Some(Conflict::BlobGone) => Ok(None),
            Err(error) => Err(error.into()),
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
    ) -> Result<Reply, Problem> {
        let allowance = Allowance::Creates(&upload.account);
        let allowed = throttle::spend(&self.table, allowance, self.creates_per_hour);
        let place = async { self.table.check_place(&upload).await.map_err(Problem::from) };
        tokio::try_join!(allowed, place)?;
        if let Some(reply) = self.instant(&upload, key).await? {
            return Ok(reply);
        }
        let upload = self.challenge(upload, source).await?;
        let remembered = key.map(|key| remember(key, &upload, None));
        let remembered = remembered.into_iter().collect::<Result<Vec<_>, _>>()?;
        self.table.create_upload(&upload, remembered).await?;
        reply(&upload, None)
    }

    async fn quota_problem(&self, account: &AccountId, wanted: u64) -> Problem {
        match self.table.account(account).await {
            Ok(Some(account)) => Problem::quota_exceeded(&account.quota(), wanted),
            Ok(None) => Problem::unauthorized("the account does not exist any more"),
            Err(error) => error.into(),
        }
    }
}

/// A file, and the copies of its bytes.
type FileAndReplicas<'a> = (&'a NodeRow, &'a [ReplicaRow]);

fn reply(upload: &UploadRow, file: Option<FileAndReplicas<'_>>) -> Result<Reply, Problem> {
    let mut view = Upload::new(upload)?;
    if let Some((node, replicas)) = file {
        // It is made twice, to be remembered and to be given, and has to be the same.
        view = view.with_file(node, replicas, upload.created_at);
    }
    let location = Upload::location(upload);
    match upload.state {
        State::ProofRequired => Reply::ok_at(&location, &view),
        _ => Reply::created(&location, &view),
    }
}

fn remember(
    key: &IdempotencyKey,
    upload: &UploadRow,
    file: Option<FileAndReplicas<'_>>,
) -> Result<Write, StoreError> {
    let reply = reply(upload, file)
        .map_err(|problem| StoreError::internal("writing an answer", problem.code().as_str()))?;
    key.remember(&reply)
}

impl Endpoint for UploadCreate {
    async fn from_env() -> Result<Self, StoreError> {
        let aws = Aws::from_env().await;
        Ok(Self {
            table: Table::from_env(&aws)?,
            queue: StartQueue::from_env(&aws)?,
            auth: Auth::from_env(&aws).await?,
            expiry: upload_expiry()?,
            scope: DedupScope::from_env()?,
            attempts_per_hour: number("INSTANT_ATTEMPTS_PER_HOUR")?,
            creates_per_hour: number("CREATES_PER_HOUR")?,
        })
    }

    async fn answer(&self, call: Call) -> Result<Reply, Problem> {
        let account = call.account(&self.auth, Scope::Upload).await?;
        let upload = self.row(account.clone(), call.json()?)?;
        let key = call.idempotency_key(&account, "uploads")?;
        let (size, source) = (upload.size, call.source());
        let create = Box::pin(async {
            match self.create(upload, &source, key.as_ref()).await {
                Err(problem) if problem.code() == Code::QuotaExceeded => {
                    Err(self.quota_problem(&account, size).await)
                }
                answer => answer,
            }
        });
        idempotency::once(key.as_ref(), &self.table, create).await
    }
}
