//! Begins an upload, or spares the client sending the bytes: at once when the account has a file with them, after a proof
//! when somebody else has.

use api::problem::Code;
use api::requests::NewUpload;
use api::views::Upload;
use api::{Auth, Call, Endpoint, IdempotencyKey, Problem, Reply, idempotency, throttle};
use domain::content::{ContentId, PartPlan};
use domain::id::AccountId;
use domain::moment::later;
use domain::throttle::Source;
use domain::token::Scope;
use domain::upload::{Beginning, Session, State};
use service::file::commit::check_place;
use service::upload::create;
use store::config::{DedupScope, number, upload_expiry};
use store::rows::{Allowance, NodeRow, ReplicaRow, UploadRow, new_id, now};
use store::table::Write;
use store::{Aws, StartQueue, StoreError, Table};

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
        let others = |upload: &UploadRow, node: &NodeRow, replicas: &[ReplicaRow]| {
            let remembered = key.map(|key| remember(key, upload, Some((node, replicas))));
            remembered.into_iter().collect()
        };
        let made = create::instant(&self.table, &self.queue, upload, others).await?;
        let reply = |made: create::Instant| reply(&made.upload, Some((&made.node, &made.replicas)));
        made.map(reply).transpose()
    }

    async fn create(
        &self,
        upload: UploadRow,
        source: &Source,
        key: Option<&IdempotencyKey>,
    ) -> Result<Reply, Problem> {
        let allowance = Allowance::Creates(&upload.account);
        let allowed = throttle::spend(&self.table, allowance, self.creates_per_hour);
        let place = async { check_place(&self.table, &upload).await.map_err(Problem::from) };
        tokio::try_join!(allowed, place)?;
        if let Some(reply) = self.instant(&upload, key).await? {
            return Ok(reply);
        }
        let upload = match self.scope {
            DedupScope::Account => upload,
            DedupScope::Global => {
                create::challenge(&self.table, upload, source, self.attempts_per_hour).await?
            }
        };
        let remembered = key.map(|key| remember(key, &upload, None));
        let remembered = remembered.into_iter().collect::<Result<Vec<_>, _>>()?;
        self.table.uploads().create(&upload, remembered).await?;
        reply(&upload, None)
    }

    async fn quota_problem(&self, account: &AccountId, wanted: u64) -> Problem {
        match self.table.accounts().get(account).await {
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
