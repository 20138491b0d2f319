//! DynamoDB, in memory: dynoxide, with virtual time and an account of what each call costs.
//!
//! Indexes and reads are always up to date here, and nothing collides: each call is done before the next one begins. So there
//! are no stale reads, no `TransactionConflict`, and no `TransactionInProgressException`.

pub(crate) mod table;
#[cfg(test)]
mod tests;
mod tokens;
mod usage;

pub use usage::Usage;

use bytes::Bytes;
use dynoxide::Database;
use dynoxide::storage_backend::ManualClock;
use dynoxide::types::{Item, item_size, write_capacity_units};
use http::{Request, Response, StatusCode};
use jiff::Timestamp;
use local_dynamodb::aws_json::{self, JSON_1_0};
use local_dynamodb::{Refusal, SERVICE, call, items, tables};
use serde::Deserialize;
use serde_json::{Value, json};
use tokens::Tokens;

/// The size of an item in bytes, as DynamoDB takes it.
pub(crate) fn size_of(item: &Value) -> f64 {
    let size = Item::deserialize(item).map_or(0, |item| item_size(&item));
    f64::from(u32::try_from(size).unwrap_or(u32::MAX))
}

/// The table could not be made or kept.
#[derive(Debug, thiserror::Error)]
#[error("DynamoDB in memory: {0}")]
pub struct DynamoDbError(String);

/// DynamoDB with the operations that Longshore uses.
pub struct DynamoDb {
    database: Database,
    clock: ManualClock,
    tokens: Tokens,
    last_usage: Option<Usage>,
}

impl DynamoDb {
    /// DynamoDB without tables.
    ///
    /// # Errors
    /// [`DynamoDbError`] when there is no memory for it.
    pub fn new() -> Result<Self, DynamoDbError> {
        let clock = ManualClock::new(0);
        let database = Database::memory_with_clock(clock.arc());
        Ok(Self {
            database: database.map_err(|error| DynamoDbError(error.to_string()))?,
            clock,
            tokens: Tokens::default(),
            last_usage: None,
        })
    }

    /// Makes a table with the keys, indexes and time to live of the table in `infra/template.yaml`.
    ///
    /// # Errors
    /// [`DynamoDbError`] when there is one of this name.
    pub fn create_table(&mut self, name: &str, now: Timestamp) -> Result<(), DynamoDbError> {
        self.set_clock(now);
        for (operation, parameters) in [
            ("CreateTable", table::create_table(name)),
            ("UpdateTimeToLive", table::time_to_live(name)),
        ] {
            let done = tables(&self.database, operation, &parameters.to_string());
            if let Some(Err(refusal)) = done {
                return Err(DynamoDbError(refusal.body.to_string()));
            }
        }
        Ok(())
    }

    /// Deletes all items whose time to live is before `now`, in whole seconds. AWS does so within days. Returns how many there
    /// were.
    ///
    /// # Errors
    /// [`DynamoDbError`] when the items cannot be read.
    pub fn expire(&mut self, now: Timestamp) -> Result<usize, DynamoDbError> {
        self.set_clock(now);
        let swept = self.database.sweep_ttl();
        swept.map_err(|error| DynamoDbError(error.to_string()))
    }

    /// What the last call cost that was answered, refused ones included; none when it was no operation that is known here.
    #[must_use]
    pub fn last_usage(&self) -> Option<&Usage> {
        self.last_usage.as_ref()
    }

    /// Answers a request as DynamoDB does.
    pub fn answer(&mut self, request: &Request<Bytes>, now: Timestamp) -> Response<Bytes> {
        self.set_clock(now);
        self.last_usage = None;
        let (operation, parameters) = match aws_json::read(request, SERVICE) {
            Ok(asked) => asked,
            Err(message) => return aws_json::not_implemented(JSON_1_0, &message),
        };
        let mut usage = Usage {
            partitions: usage::partitions(&operation, &parameters),
            operation,
            ..Usage::default()
        };
        match self.counted(&mut usage, parameters, now) {
            None => {
                let message = format!("the simulation's DynamoDB has no {}", usage.operation);
                aws_json::not_implemented(JSON_1_0, &message)
            }
            Some(result) => {
                self.last_usage = Some(usage);
                match result {
                    Ok(body) => aws_json::answer(JSON_1_0, StatusCode::OK, &body),
                    Err(refusal) => aws_json::answer(JSON_1_0, refusal.status, &refusal.body),
                }
            }
        }
    }

    fn set_clock(&self, now: Timestamp) {
        self.clock.set(u64::try_from(now.as_second()).unwrap_or_default());
    }

    /// Does a call, and notes what it cost. None when there is no such operation.
    fn counted(
        &mut self,
        usage: &mut Usage,
        mut parameters: Value,
        now: Timestamp,
    ) -> Option<Result<Value, Refusal>> {
        let wanted = parameters["ReturnConsumedCapacity"].take();
        parameters["ReturnConsumedCapacity"] = json!("INDEXES");
        let done = if usage.operation == "TransactWriteItems" {
            self.transact(&mut parameters, now)
        } else {
            items(&self.database, &usage.operation, &parameters.to_string())?
        };
        Some(match done {
            Ok(mut answer) => {
                usage.add(&answer["ConsumedCapacity"]);
                show_capacity(&mut answer, wanted.as_str());
                Ok(answer)
            }
            Err(refusal) => {
                if refusal.is_for_condition() {
                    self.count_refused(usage, &parameters);
                }
                Err(refusal)
            }
        })
    }

    fn transact(&mut self, parameters: &mut Value, now: Timestamp) -> Result<Value, Refusal> {
        let token = parameters["ClientRequestToken"].as_str().map(str::to_owned);
        // A token that is none is refused by dynoxide.
        let token = token.filter(|token| (1..=36).contains(&token.len()));
        let named = token.map(|token| (self.tokens.name(&token, now), token));
        if let Some((name, _)) = &named {
            parameters["ClientRequestToken"] = json!(name.to_string());
        }
        let database = &self.database;
        let answer = call(&parameters.to_string(), |request| {
            database.transact_write_items(request)
        })?;
        if let Some((name, token)) = named {
            self.tokens.done(&token, name, now);
        }
        Ok(answer)
    }

    /// A write that is refused for its condition costs as if it had written what is there, and at least a unit. DynamoDB does
    /// not say so in its answer.
    fn count_refused(&self, usage: &mut Usage, parameters: &Value) {
        let factor = if usage.operation == "TransactWriteItems" {
            2.0
        } else {
            1.0
        };
        for (table, item) in usage::items(&usage.operation, parameters) {
            let key = table::KEY.map(|(name, _)| (name.to_owned(), item[name].clone()));
            let key = Value::Object(key.into_iter().collect());
            let mut size = 0;
            // Only the size is of interest here: when the item cannot be read, it is as if it were not there.
            let asked = json!({ "TableName": table, "Key": key });
            let _ = call(&asked.to_string(), |request| {
                let found = self.database.get_item(request)?;
                size = found.item.as_ref().map_or(0, item_size);
                Ok(found)
            });
            usage.add_refused(table, factor * write_capacity_units(size));
        }
    }
}

/// Leaves of what was consumed in an answer what was asked for.
fn show_capacity(answer: &mut Value, wanted: Option<&str>) {
    let Some(answer) = answer.as_object_mut() else {
        return;
    };
    match wanted {
        Some("INDEXES") => {}
        Some("TOTAL") => {
            let consumed = answer.get_mut("ConsumedCapacity");
            let tables: &mut [Value] = match consumed {
                Some(Value::Array(tables)) => tables,
                Some(one) => std::slice::from_mut(one),
                None => &mut [],
            };
            for consumed in tables.iter_mut().filter_map(Value::as_object_mut) {
                consumed.remove("Table");
                consumed.remove("GlobalSecondaryIndexes");
            }
        }
        _ => {
            answer.remove("ConsumedCapacity");
        }
    }
}
