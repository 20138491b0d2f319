//! Conditional writes, and the conflicts they report.

use super::class;
use super::row::{Item, Row, Waiting, to_item};
use crate::error::{Conflict, StoreError};
use crate::key::Key;
use aws_sdk_dynamodb::types::{AttributeValue, ConditionCheck, Delete, Put, TransactWriteItem, Update};
use jiff::Timestamp;
use std::collections::HashMap;

/// One write of a transaction, with the conflict that is reported when its condition does not hold.
pub struct Write {
    item: TransactWriteItem,
    pub(super) conflict: Conflict,
}

impl Write {
    /// Writes a row that must not exist yet.
    ///
    /// # Errors
    /// `ErrorKind::Internal` when the row cannot be written as an item.
    pub fn create<R: Row>(row: &R, conflict: Conflict) -> Result<Self, StoreError> {
        Self::put(row, "attribute_not_exists(pk)", HashMap::new(), conflict)
    }

    /// Writes a row over the version that was read: its `version` attribute must be `version`.
    ///
    /// # Errors
    /// `ErrorKind::Internal` when the row cannot be written as an item.
    pub fn replace<R: Row>(row: &R, version: u64, conflict: Conflict) -> Result<Self, StoreError> {
        let values = HashMap::from([(":version".to_owned(), number(version))]);
        Self::put(row, "version = :version", values, conflict)
    }

    /// Writes a row if `condition` holds for what is there.
    ///
    /// # Errors
    /// `ErrorKind::Internal` when the row cannot be written as an item.
    pub fn put<R: Row>(
        row: &R,
        condition: &str,
        values: Item,
        conflict: Conflict,
    ) -> Result<Self, StoreError> {
        let put = Put::builder()
            .table_name("") // filled in by the table
            .set_item(Some(to_item(row)?))
            .condition_expression(condition)
            .set_expression_attribute_names(names_in(&[condition]))
            .set_expression_attribute_values((!values.is_empty()).then_some(values))
            .build()
            .map_err(|e| StoreError::internal("building a request", e))?;
        Ok(Self {
            item: TransactWriteItem::builder().put(put).build(),
            conflict,
        })
    }

    /// Writes a row whatever is there. Only for rows that are always written with the same bytes, or under
    /// another condition of the same transaction.
    ///
    /// # Errors
    /// `ErrorKind::Internal` when the row cannot be written as an item.
    pub fn put_unconditional<R: Row>(row: &R, conflict: Conflict) -> Result<Self, StoreError> {
        let put = Put::builder()
            .table_name("")
            .set_item(Some(to_item(row)?))
            .build();
        let put = put.map_err(|e| StoreError::internal("building a request", e))?;
        Ok(Self {
            item: TransactWriteItem::builder().put(put).build(),
            conflict,
        })
    }

    /// Writes nothing, but lets the transaction fail unless the row at `key` still is of this `version`.
    ///
    /// # Errors
    /// `ErrorKind::Internal` when the check is malformed.
    pub fn check(key: &Key, version: u64, conflict: Conflict) -> Result<Self, StoreError> {
        let values = HashMap::from([(":version".to_owned(), number(version))]);
        Self::condition_check(key, "version = :version", values, conflict)
    }

    /// Writes nothing, but lets the transaction fail unless `condition` holds for the item at `key`.
    ///
    /// # Errors
    /// `ErrorKind::Internal` when the check is malformed.
    pub fn condition_check(
        key: &Key,
        condition: &str,
        values: Item,
        conflict: Conflict,
    ) -> Result<Self, StoreError> {
        let check = ConditionCheck::builder()
            .table_name("")
            .set_key(Some(key.attributes()))
            .condition_expression(condition)
            .set_expression_attribute_names(names_in(&[condition]))
            .set_expression_attribute_values((!values.is_empty()).then_some(values))
            .build()
            .map_err(|e| StoreError::internal("building a request", e))?;
        Ok(Self {
            item: TransactWriteItem::builder().condition_check(check).build(),
            conflict,
        })
    }

    /// Adds to numbers of an item, which comes into being when it is not there.
    ///
    /// # Errors
    /// `ErrorKind::Internal` when the update is malformed.
    pub fn add(key: &Key, numbers: &[(&str, i64)], conflict: Conflict) -> Result<Self, StoreError> {
        let terms: Vec<String> = numbers
            .iter()
            .map(|(name, _)| format!("#{name} :{name}"))
            .collect();
        let expression = format!("ADD {}", terms.join(", "));
        let mut update = Update::builder()
            .table_name("")
            .set_key(Some(key.attributes()))
            .set_expression_attribute_names(names_in(&[&expression]));
        for (name, value) in numbers {
            let value = AttributeValue::N(value.to_string());
            update = update.expression_attribute_values(format!(":{name}"), value);
        }
        let update = update.update_expression(expression).build();
        let update = update.map_err(|e| StoreError::internal("building a request", e))?;
        Ok(Self {
            item: TransactWriteItem::builder().update(update).build(),
            conflict,
        })
    }

    /// Changes an item by an update expression if `condition` holds.
    ///
    /// # Errors
    /// `ErrorKind::Internal` when the update is malformed.
    pub fn update(change: &Change, conflict: Conflict) -> Result<Self, StoreError> {
        let update = Update::builder()
            .table_name("")
            .set_key(Some(change.key.attributes()))
            .update_expression(&change.update)
            .condition_expression(&change.condition)
            .set_expression_attribute_names(names_in(&[&change.update, &change.condition]))
            .set_expression_attribute_values((!change.values.is_empty()).then(|| change.values.clone()))
            .build()
            .map_err(|e| StoreError::internal("building a request", e))?;
        Ok(Self {
            item: TransactWriteItem::builder().update(update).build(),
            conflict,
        })
    }

    /// Deletes an item that must exist, if `condition` holds for it.
    ///
    /// # Errors
    /// `ErrorKind::Internal` when the delete is malformed.
    pub fn delete(key: &Key, condition: &str, values: Item, conflict: Conflict) -> Result<Self, StoreError> {
        let delete = Delete::builder()
            .table_name("")
            .set_key(Some(key.attributes()))
            .condition_expression(condition)
            .set_expression_attribute_names(names_in(&[condition]))
            .set_expression_attribute_values((!values.is_empty()).then_some(values))
            .build()
            .map_err(|e| StoreError::internal("building a request", e))?;
        Ok(Self {
            item: TransactWriteItem::builder().delete(delete).build(),
            conflict,
        })
    }

    pub(super) fn into_table(mut self, table: &str) -> TransactWriteItem {
        let name = table.to_owned();
        if let Some(put) = &mut self.item.put {
            put.table_name = name;
        } else if let Some(update) = &mut self.item.update {
            update.table_name = name;
        } else if let Some(delete) = &mut self.item.delete {
            delete.table_name = name;
        } else if let Some(check) = &mut self.item.condition_check {
            check.table_name = name;
        }
        self.item
    }
}

/// A conditional change of one item.
#[derive(Debug, Clone)]
pub struct Change {
    pub(super) key: Key,
    pub(super) update: String,
    pub(super) condition: String,
    pub(super) values: Item,
}

impl Change {
    /// A change of the item at `key`, which must satisfy `condition`.
    #[must_use]
    pub fn new(key: Key, update: &str, condition: &str) -> Self {
        Self {
            key,
            update: update.to_owned(),
            condition: condition.to_owned(),
            values: HashMap::new(),
        }
    }

    /// Gives a value to a placeholder such as `:size`.
    #[must_use]
    pub fn with(mut self, placeholder: &str, value: AttributeValue) -> Self {
        self.values.insert(placeholder.to_owned(), value);
        self
    }

    /// Gives values to `:due_shard` and `:due_at`, which make the sweep look at the item then.
    #[must_use]
    pub fn due(mut self, at: Timestamp) -> Self {
        for (name, value) in class::due_attributes(&self.key, at) {
            self.values.insert(format!(":{name}"), value);
        }
        self
    }

    /// Gives values to `:waiting_shard` and `:waiting_since`, which put the item into the index of what waits at a target.
    #[must_use]
    pub fn waiting(mut self, waiting: Waiting) -> Self {
        for (name, value) in waiting.attributes() {
            self.values.insert(format!(":{name}"), value);
        }
        self
    }
}

/// The names behind the placeholders of expressions: `#state` stands for the attribute `state`. DynamoDB
/// reserves many words; writing all of them with `#` spares us its list.
pub(super) fn names_in(expressions: &[&str]) -> Option<HashMap<String, String>> {
    let words = expressions
        .iter()
        .flat_map(|text| text.split(|c: char| !c.is_alphanumeric() && !"#_".contains(c)));
    let names = words.filter_map(|word| Some((word.to_owned(), word.strip_prefix('#')?.to_owned())));
    Some(names.collect::<HashMap<_, _>>()).filter(|names| !names.is_empty())
}

/// A number as DynamoDB has it.
#[must_use]
pub fn number(value: u64) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

/// A text as DynamoDB has it.
#[must_use]
pub fn text<T: ToString + ?Sized>(value: &T) -> AttributeValue {
    AttributeValue::S(value.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_behind_placeholders_are_found() {
        let names = names_in(&[
            "SET #state = :state, entries = entries + :one",
            "#key <> :x AND #state = :a",
        ]);
        let expected = [("#state", "state"), ("#key", "key")].map(|(a, b)| (a.to_owned(), b.to_owned()));
        assert_eq!(names, Some(HashMap::from(expected)));
        assert_eq!(names_in(&["entries = :none"]), None);
    }
}
