//! The sparse index of what is open in an account, so that what it costs to list that does not depend on what was open
//! before.
//!
//! The index follows the table after a moment. What it names has to be read again; what was opened in the last moment may be
//! missing.

use super::client::Table;
use super::write::text;
use crate::error::{StoreError, remote};
use crate::key::Key;
use aws_sdk_dynamodb::types::Select;

impl Table {
    /// Up to `limit` things that are open in an account, after this place in the index: their places and keys, and whether
    /// there are more.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn opened(
        &self,
        account: &str,
        after: Option<&str>,
        limit: u32,
    ) -> Result<(Vec<(String, Key)>, bool), StoreError> {
        let query = self
            .client()
            .await?
            .query()
            .table_name(&self.name)
            .index_name("open")
            .expression_attribute_values(":account", text(account))
            .limit(i32::try_from(limit).unwrap_or(i32::MAX));
        // By the place, which is unique, and not by a start key: that would have to be of an item that may be gone.
        let query = match after {
            None => query.key_condition_expression("open_account = :account"),
            Some(after) => query
                .key_condition_expression("open_account = :account AND open_in > :after")
                .expression_attribute_values(":after", text(after)),
        };
        let answer = query.send().await.map_err(remote("Query"))?;
        let more = answer.last_evaluated_key.is_some();
        let items = answer.items.unwrap_or_default();
        let places = items.iter().filter_map(|item| {
            let place = item.get("open_in")?.as_s().ok()?.clone();
            Some((place, Key::of(item)?))
        });
        Ok((places.collect(), more))
    }

    /// How many things are open in an account whose places begin with `prefix`, counted up to `most`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn count_opened(&self, account: &str, prefix: &str, most: u32) -> Result<u32, StoreError> {
        let answer = self
            .client()
            .await?
            .query()
            .table_name(&self.name)
            .index_name("open")
            .key_condition_expression("open_account = :account AND begins_with(open_in, :prefix)")
            .expression_attribute_values(":account", text(account))
            .expression_attribute_values(":prefix", text(prefix))
            .select(Select::Count)
            .limit(i32::try_from(most).unwrap_or(i32::MAX))
            .send()
            .await
            .map_err(remote("Query"))?;
        Ok(u32::try_from(answer.count).unwrap_or_default())
    }
}
