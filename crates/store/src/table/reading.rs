//! Reads of rows. One that cannot be read does not keep the others from being read: it is left out, its key is logged once,
//! and the caller is told which ones are missing.

use super::client::Table;
use super::row::{Item, Row, from_item};
use super::write::text;
use crate::error::{ErrorKind, StoreError, remote};
use crate::key::Key;

/// Rows, without those that cannot be read.
#[derive(Debug)]
pub struct Rows<R> {
    /// Those that can be read.
    pub rows: Vec<R>,
    /// Where the others are.
    pub unreadable: Vec<Key>,
}

impl<R> Rows<R> {
    /// All rows, for a caller that cannot do without any of them.
    ///
    /// # Errors
    /// `ErrorKind::Corrupt` when one is missing.
    pub fn complete(self) -> Result<Vec<R>, StoreError> {
        match self.unreadable.into_iter().next() {
            None => Ok(self.rows),
            Some(key) => Err(StoreError::unreadable(key)),
        }
    }
}

/// How a page is read.
#[derive(Clone, Copy)]
enum Reading {
    Consistent,
    /// Consistently, from the end.
    Backwards,
    /// Not consistently.
    Probable,
}

/// Some rows, and where the next ones begin.
#[derive(Debug)]
pub struct Page<R> {
    /// The rows, in the order of their sort keys.
    pub rows: Vec<R>,
    /// Where those among them are that cannot be read.
    pub unreadable: Vec<Key>,
    /// What follows the prefix in the sort key after which the next page begins; `None` at the end.
    pub next: Option<String>,
}

impl Table {
    /// Reads one row, consistently.
    ///
    /// # Errors
    /// [`StoreError`], which the caller logs or handles.
    pub async fn get<R: Row>(&self, key: &Key) -> Result<Option<R>, StoreError> {
        let Some(item) = self.item(key).await? else {
            return Ok(None);
        };
        from_item(item)
            .map(Some)
            .inspect_err(|_| self.unreadable.count(key))
    }

    /// Reads one item, consistently, whatever is in it.
    pub(crate) async fn item(&self, key: &Key) -> Result<Option<Item>, StoreError> {
        let answer = self
            .client()
            .await?
            .get_item()
            .table_name(&self.name)
            .set_key(Some(key.attributes()))
            .consistent_read(true)
            .send()
            .await
            .map_err(|error| remote("GetItem")(error).about(key))?;
        Ok(answer.item)
    }

    /// Reads up to `limit` rows of one partition whose sort keys begin with `prefix`, consistently, after the
    /// sort key in which `after` follows it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn page<R: Row>(
        &self,
        pk: &str,
        prefix: &str,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Page<R>, StoreError> {
        self.page_in(pk, prefix, after, limit, Reading::Consistent).await
    }

    /// The same at half the price: what was just made or deleted may be as it was before.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn probable_page<R: Row>(
        &self,
        pk: &str,
        prefix: &str,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Page<R>, StoreError> {
        self.page_in(pk, prefix, after, limit, Reading::Probable).await
    }

    /// The same from the end, and before the sort key in which `before` follows the prefix.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn page_back<R: Row>(
        &self,
        pk: &str,
        prefix: &str,
        before: Option<&str>,
        limit: u32,
    ) -> Result<Page<R>, StoreError> {
        self.page_in(pk, prefix, before, limit, Reading::Backwards).await
    }

    async fn page_in<R: Row>(
        &self,
        pk: &str,
        prefix: &str,
        after: Option<&str>,
        limit: u32,
        reading: Reading,
    ) -> Result<Page<R>, StoreError> {
        let start = after.map(|after| {
            Key {
                pk: pk.to_owned(),
                sk: format!("{prefix}{after}"),
            }
            .attributes()
        });
        let answer = self
            .client()
            .await?
            .query()
            .table_name(&self.name)
            .key_condition_expression("pk = :pk AND begins_with(sk, :prefix)")
            .expression_attribute_values(":pk", text(pk))
            .expression_attribute_values(":prefix", text(prefix))
            .set_exclusive_start_key(start)
            .scan_index_forward(!matches!(reading, Reading::Backwards))
            .limit(i32::try_from(limit).unwrap_or(i32::MAX))
            .consistent_read(!matches!(reading, Reading::Probable))
            .send()
            .await
            .map_err(remote("Query"))?;
        let next = answer.last_evaluated_key.as_ref().and_then(Key::of);
        let next = next.and_then(|key| Some(key.sk.strip_prefix(prefix)?.to_owned()));
        let Rows { rows, unreadable } = self.read(answer.items.unwrap_or_default())?;
        Ok(Page {
            rows,
            unreadable,
            next,
        })
    }

    /// Reads all rows of one partition whose sort keys begin with `prefix`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn all<R: Row>(&self, pk: &str, prefix: &str) -> Result<Rows<R>, StoreError> {
        let (mut rows, mut unreadable) = (Vec::new(), Vec::new());
        let mut after = None;
        loop {
            let page: Page<R> = self.page(pk, prefix, after.as_deref(), 1000).await?;
            rows.extend(page.rows);
            unreadable.extend(page.unreadable);
            after = page.next;
            if after.is_none() {
                return Ok(Rows { rows, unreadable });
            }
        }
    }

    /// Reads rows by key, each once, in no particular order; those that are not there are left out.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn get_many<R: Row>(&self, keys: impl IntoIterator<Item = Key>) -> Result<Rows<R>, StoreError> {
        self.read(self.batch_get(keys, None).await?)
    }

    /// Items as rows of one kind, each on its own: the caller logs or handles those that cannot be read.
    pub(crate) fn read_each<R: Row>(&self, items: Vec<Item>) -> Vec<Result<R, (Key, StoreError)>> {
        let read = |item| {
            let key = Key::of(&item)?;
            let row = from_item(item).inspect_err(|_| self.unreadable.count(&key));
            Some(row.map_err(|error| (key, error)))
        };
        items.into_iter().filter_map(read).collect()
    }

    /// Items as rows of one kind.
    fn read<R: Row>(&self, items: Vec<Item>) -> Result<Rows<R>, StoreError> {
        let (mut rows, mut unreadable) = (Vec::new(), Vec::new());
        for item in items {
            match from_item(item) {
                Ok(row) => rows.push(row),
                Err(StoreError {
                    kind: ErrorKind::Corrupt,
                    key: Some(key),
                    ..
                }) => {
                    self.leave_out(&key);
                    unreadable.push(key);
                }
                Err(error) => return Err(error),
            }
        }
        Ok(Rows { rows, unreadable })
    }

    /// Notes that the caller goes on without an item that cannot be read: its key is logged, once.
    pub fn leave_out(&self, key: &Key) {
        self.unreadable.count(key);
        self.unreadable.log(key);
    }

    /// A row, or none where it cannot be read and the caller goes on without it. Says which.
    ///
    /// # Errors
    /// Any other error.
    pub fn or_leave_out<T>(&self, read: Result<T, StoreError>) -> Result<Option<T>, StoreError> {
        match read {
            Ok(row) => Ok(Some(row)),
            Err(StoreError {
                kind: ErrorKind::Corrupt,
                key: Some(key),
                ..
            }) => {
                self.leave_out(&key);
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// How many items could not be read since this was asked last: for reports.
    #[must_use]
    pub fn take_unreadable(&self) -> u64 {
        self.unreadable.take_count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(sk: &str) -> Key {
        Key {
            pk: "p".to_owned(),
            sk: sk.to_owned(),
        }
    }

    #[test]
    fn who_needs_all_rows_is_told_which_one_is_missing() {
        let rows = |unreadable| Rows {
            rows: vec![1, 2],
            unreadable,
        };
        assert_eq!(rows(vec![]).complete().unwrap(), [1, 2]);
        let missing = rows(vec![key("a")]).complete().unwrap_err();
        assert_eq!(missing.to_string(), "the item p a cannot be read");
    }
}
