//! The version of the stored format: looked at before anything else is asked of the table, once.

use super::row::{Row, from_item, to_item};
use crate::error::{ErrorKind, StoreError, remote};
use crate::rows::FormatRow;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use std::sync::Arc;
use tokio::sync::OnceCell;

/// Whether a table is in the format of this release. It stays so: what was found right is not read again.
#[derive(Clone, Default)]
pub(crate) struct FormatCheck(Arc<OnceCell<()>>);

impl FormatCheck {
    /// Fails when the table is in another format.
    pub(super) async fn check(&self, client: &Client, table: &str) -> Result<(), StoreError> {
        let check = async || match read(client, table).await? {
            Some(FormatRow::CURRENT) => Ok(()),
            other => {
                let (found, known) = (other.map(|row| row.version), FormatRow::CURRENT.version);
                Err(StoreError::other_format(found, known))
            }
        };
        self.0.get_or_try_init(check).await.copied()
    }

    /// The same. A table that has nothing in it gets the format of this release.
    pub(super) async fn mark_if_new(&self, client: &Client, table: &str) -> Result<(), StoreError> {
        match self.check(client, table).await {
            Err(error) if error.kind == ErrorKind::OtherFormat && is_empty(client, table).await? => {
                mark(client, table).await?;
                self.check(client, table).await
            }
            checked => checked,
        }
    }
}

async fn read(client: &Client, table: &str) -> Result<Option<FormatRow>, StoreError> {
    let key = FormatRow::CURRENT.key();
    let answer = client
        .get_item()
        .table_name(table)
        .set_key(Some(key.attributes()))
        .consistent_read(true)
        .send()
        .await
        .map_err(|error| remote("GetItem")(error).about(&key))?;
    answer.item.map(from_item).transpose()
}

async fn is_empty(client: &Client, table: &str) -> Result<bool, StoreError> {
    let scan = client.scan().table_name(table).limit(1).consistent_read(true);
    let items = scan.send().await.map_err(remote("Scan"))?.items;
    Ok(items.is_none_or(|items| items.is_empty()))
}

/// Another run may have done so just now.
async fn mark(client: &Client, table: &str) -> Result<(), StoreError> {
    let request = client
        .put_item()
        .table_name(table)
        .set_item(Some(to_item(&FormatRow::CURRENT)?))
        .condition_expression("attribute_not_exists(pk)");
    let Err(error) = request.send().await else {
        return Ok(());
    };
    let marked = error
        .as_service_error()
        .is_some_and(PutItemError::is_conditional_check_failed_exception);
    if marked {
        Ok(())
    } else {
        Err(remote("PutItem")(error))
    }
}
