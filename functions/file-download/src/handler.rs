//! Redirects to a presigned URL of the bytes.

use crate::disposition::attachment;
use edge::{Call, Endpoint, Problem, Reply, Tokens};
use store::rows::object_key;
use store::{Aws, Objects, StoreError, Table};

/// What the bytes are when nobody said (RFC 9110, section 8.3).
const UNKNOWN: &str = "application/octet-stream";

pub(crate) struct FileDownload {
    table: Table,
    objects: Objects,
    tokens: Tokens,
}

impl FileDownload {
    pub(crate) async fn from_env() -> Result<Self, StoreError> {
        let aws = Aws::from_env().await;
        Ok(Self {
            table: Table::from_env(&aws)?,
            objects: Objects::from_env(&aws)?,
            tokens: Tokens::from_env(&aws).await?,
        })
    }
}

impl Endpoint for FileDownload {
    async fn answer(&self, call: Call) -> Result<Reply, Problem> {
        let account = call.account(&self.tokens)?;
        let node = edge::lookup::node(&self.table, &account, &call.id("file")?).await?;
        let Some(file) = &node.file else {
            return Err(Problem::not_found("file: this is a folder"));
        };
        let content_type = file.content_type.as_deref().unwrap_or(UNKNOWN);
        let key = object_key(&file.blob);
        Reply::redirect(
            &self
                .objects
                .sign_read(&key, content_type, &attachment(&node.name))
                .await?,
        )
    }
}
