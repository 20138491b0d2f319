//! Begins an upload, or spares the client sending the bytes: at once when the account has a file with them, after a proof
//! when somebody else has.

use crate::Function;
use api::{Handler, IdempotencyKey, Problem, Request, lookup, throttle, views};
use domain::content::{ContentId, PartPlan};
use domain::id::AccountId;
use domain::throttle::Source;
use domain::time::saturating_add;
use domain::upload::{Beginning, Lifecycle, State};
use domain::versions::VersionPolicy;
use service::file::commit::check_placement;
use service::upload::create;
use store::config::{DedupScope, upload_expiry, version_policy};
use store::rows::{Allowance, NodeRow, ReplicaRow, UploadRow};
use store::table::Write;
use store::{Environment, StartQueue, StoreError, Table};
use wire::answer::{Created, Either, Located};
use wire::upload::{Create, NewUpload, Upload};

pub static FUNCTION: Function = Function::served_by::<UploadCreate>();

pub struct UploadCreate {
    table: Table,
    queue: StartQueue,
    expiry: jiff::SignedDuration,
    scope: DedupScope,
    /// How often an hour an account may ask for contents that it does not have.
    attempts_per_hour: u64,
    creates_per_hour: u64,
    versions: VersionPolicy,
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
        let now = self.table.now();
        let expires_at = saturating_add(now, self.expiry);
        let lifecycle = Lifecycle::new(Beginning::Sending, expires_at);
        Ok(UploadRow {
            id: self.table.rng.id(),
            account,
            state: lifecycle.state,
            name: body.name,
            parent: body.parent,
            size: body.size,
            on_conflict: body.on_conflict,
            content_type: body.content_type.map(String::from),
            content_id: body.content_id,
            blob: self.table.rng.id(),
            challenge: None,
            multipart_id: None,
            expires_at: lifecycle.expires_at,
            lease_until: lifecycle.lease_until,
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
        let others = |upload: &UploadRow, node: &NodeRow, replicas: &[ReplicaRow]| {
            let remembered = key.map(|key| remember(key, upload, Some((node, replicas))));
            remembered.into_iter().collect()
        };
        let made = create::instant(&self.table, &self.queue, upload, self.versions, others).await?;
        let begun = |made: create::Instant| answer(&made.upload, Some((&made.node, &made.replicas)));
        made.map(begun).transpose()
    }

    async fn create(
        &self,
        upload: UploadRow,
        source: &Source,
        key: Option<&IdempotencyKey>,
    ) -> Result<Begun, Problem<Create>> {
        let allowance = Allowance::Creates(&upload.account);
        let allowed = throttle::spend::<Create>(&self.table, allowance, self.creates_per_hour);
        let place = async { check_placement(&self.table, &upload).await.map_err(Problem::from) };
        tokio::try_join!(allowed, place)?;
        if let Some(begun) = self.instant(&upload, key).await? {
            return Ok(begun);
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
        Ok(answer(&upload, None)?)
    }
}

/// A file, and the copies of its bytes.
type FileAndReplicas<'a> = (&'a NodeRow, &'a [ReplicaRow]);
/// The upload as it begins: it takes parts or is complete, or there is a challenge.
type Begun = Either<Created<Upload>, Located<Upload>>;

fn answer(upload: &UploadRow, file: Option<FileAndReplicas<'_>>) -> Result<Begun, StoreError> {
    let mut body = views::upload(upload, upload.created_at)?;
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
    key.remember(&answer(upload, file)?, upload.created_at)
}

impl Handler for UploadCreate {
    type Endpoint = Create;

    async fn new(environment: &Environment) -> Result<Self, StoreError> {
        Ok(Self {
            table: Table::from_env(environment)?,
            queue: StartQueue::from_env(environment)?,
            expiry: upload_expiry(environment)?,
            scope: DedupScope::from_env(environment)?,
            attempts_per_hour: environment.number("INSTANT_ATTEMPTS_PER_HOUR")?,
            creates_per_hour: environment.number("CREATES_PER_HOUR")?,
            versions: version_policy(environment)?,
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
        let begun = self.create(upload, &source, key.as_ref()).await;
        lookup::with_room(&self.table, &account, size, begun).await
    }
}
