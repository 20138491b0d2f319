//! Begins an upload, or completes it at once when the account has a file with these bytes.

use domain::content::{ContentId, PartPlan};
use domain::id::{AccountId, NodeId};
use domain::media_type::MediaType;
use domain::name::Name;
use domain::upload::State;
use edge::views::Upload;
use edge::{Call, Endpoint, Problem, Reply, Tokens};
use serde::Deserialize;
use store::config::upload_expiry;
use store::rows::{BlobRow, FileContent, NodeRow, UploadRow, new_id, now};
use store::uploads::node_of;
use store::{Aws, Conflict, StoreError, Table};

pub(crate) struct UploadCreate {
    table: Table,
    tokens: Tokens,
    expiry: jiff::SignedDuration,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    name: Name,
    parent: Option<NodeId>,
    size: u64,
    content_type: Option<MediaType>,
    content_id: Option<ContentId>,
}

impl UploadCreate {
    pub(crate) async fn from_env() -> Result<Self, StoreError> {
        let aws = Aws::from_env().await;
        Ok(Self {
            table: Table::from_env(&aws)?,
            tokens: Tokens::from_env(&aws).await?,
            expiry: upload_expiry()?,
        })
    }

    fn row(&self, account: AccountId, body: Body) -> Result<UploadRow, Problem> {
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
        Ok(UploadRow {
            id: new_id(),
            account,
            state: State::Open,
            name: body.name,
            parent: body.parent,
            size: body.size,
            content_type: body.content_type.map(String::from),
            content_id: body.content_id,
            blob: new_id(),
            multipart_id: None,
            expires_at: now.checked_add(self.expiry).unwrap_or(jiff::Timestamp::MAX),
            lease_until: None,
            node: None,
            discard_since: None,
            ended_at: None,
            created_at: now,
            version: 1,
        })
    }

    /// Refuses early what the final write would refuse after all the bytes were sent.
    async fn check_place(&self, upload: &UploadRow) -> Result<(), Problem> {
        if let Some(parent) = &upload.parent {
            let folder = self.table.node(&upload.account, parent).await?;
            if folder.is_none_or(|node| node.file.is_some()) {
                return Err(Conflict::ParentGone.into());
            }
        }
        let taken = self
            .table
            .node_named(&upload.account, upload.parent.as_ref(), &upload.name)
            .await?;
        if taken.is_some() {
            Err(Conflict::NameTaken.into())
        } else {
            Ok(())
        }
    }

    /// The file at once, if the account has another one with these bytes.
    async fn instant(&self, upload: &UploadRow) -> Result<Option<(UploadRow, NodeRow, BlobRow)>, StoreError> {
        let Some(content_id) = upload.content_id else {
            return Ok(None);
        };
        let blob = self.table.own_blob(&upload.account, &content_id).await?;
        let Some(blob) = blob.filter(|blob| blob.size == upload.size) else {
            return Ok(None);
        };
        let file = FileContent::of(upload, content_id, &blob.id);
        let node = node_of(upload, &file, upload.created_at);
        let complete = UploadRow {
            state: State::Complete,
            node: Some(node.id.clone()),
            ended_at: Some(upload.created_at),
            ..upload.clone()
        };
        match self.table.create_instant_upload(&complete, &node, &file).await {
            Ok(()) => Ok(Some((complete, node, blob))),
            // The other file was deleted meanwhile, and its bytes are going: an ordinary upload it is.
            Err(StoreError::Conflict(Conflict::BlobGone)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn quota_problem(&self, upload: &UploadRow) -> Problem {
        match self.table.account(&upload.account).await {
            Ok(Some(account)) => Problem::quota_exceeded(&account.quota(), upload.size),
            Ok(None) => Problem::unauthorized("the account does not exist any more"),
            Err(error) => error.into(),
        }
    }

    async fn create(&self, upload: &UploadRow) -> Result<Upload, StoreError> {
        if let Some((complete, node, blob)) = self.instant(upload).await? {
            let replicas = self.table.replicas(&blob.id).await?;
            return Ok(Upload::new(&complete)?.with_file(&node, &replicas));
        }
        self.table.create_upload(upload).await?;
        Upload::new(upload)
    }
}

impl Endpoint for UploadCreate {
    async fn answer(&self, call: Call) -> Result<Reply, Problem> {
        let account = call.account(&self.tokens)?;
        let upload = self.row(account, call.json()?)?;
        self.check_place(&upload).await?;
        match self.create(&upload).await {
            Ok(view) => Reply::created(&Upload::location(&upload), &view),
            Err(StoreError::Conflict(Conflict::QuotaExceeded)) => Err(self.quota_problem(&upload).await),
            Err(error) => Err(error.into()),
        }
    }
}
