//! DynamoDB, in memory: dynoxide, with virtual time and an account of what each call costs.
//!
//! Indexes and reads are always up to date here, and nothing collides: each call is done before the next one begins. So there
//! are no stale reads, no `TransactionConflict`, and no `TransactionInProgressException`.

mod table;
#[cfg(test)]
mod tests;
mod tokens;
mod usage;

pub use usage::Usage;

use crate::aws_json::{self, JSON_1_0};
use bytes::Bytes;
use dynoxide::storage_backend::ManualClock;
use dynoxide::types::{item_size, write_capacity_units};
use dynoxide::{Database, DynoxideError};
use http::{Request, Response, StatusCode};
use jiff::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokens::Tokens;

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

/// An answer that is an error.
struct Refusal {
    status: StatusCode,
    body: Value,
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
        let database = &self.database;
        call(&table::create_table(name), |request| {
            database.create_table(request)
        })
        .and_then(|_| {
            call(&table::time_to_live(name), |request| {
                database.update_time_to_live(request)
            })
        })
        .map_err(|refusal| DynamoDbError(refusal.body.to_string()))?;
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
        let (operation, parameters) = match aws_json::read(request, "DynamoDB_20120810") {
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
            self.dispatch(&usage.operation, &parameters)?
        };
        Some(match done {
            Ok(mut answer) => {
                usage.add(&answer["ConsumedCapacity"]);
                show_capacity(&mut answer, wanted.as_str());
                Ok(answer)
            }
            Err(refusal) => {
                if is_for_condition(&refusal) {
                    self.count_refused(usage, &parameters);
                }
                Err(refusal)
            }
        })
    }

    fn dispatch(&self, operation: &str, parameters: &Value) -> Option<Result<Value, Refusal>> {
        let database = &self.database;
        Some(match operation {
            "GetItem" => call(parameters, |request| database.get_item(request)),
            "BatchGetItem" => call(parameters, |request| database.batch_get_item(request)),
            "Query" => call(parameters, |request| database.query(request)),
            "Scan" => call(parameters, |request| database.scan(request)),
            "PutItem" => call(parameters, |request| database.put_item(request)),
            "UpdateItem" => call(parameters, |request| database.update_item(request)),
            "DeleteItem" => call(parameters, |request| database.delete_item(request)),
            "BatchWriteItem" => call(parameters, |request| database.batch_write_item(request)),
            _ => return None,
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
        let answer = call(parameters, |request| database.transact_write_items(request))?;
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
            let _ = call(&json!({ "TableName": table, "Key": key }), |request| {
                let found = self.database.get_item(request)?;
                size = found.item.as_ref().map_or(0, item_size);
                Ok(found)
            });
            usage.add_refused(table, factor * write_capacity_units(size));
        }
    }
}

/// Calls dynoxide with parameters as they are on the wire, and returns its answer in that form, with all members in order.
fn call<Q: DeserializeOwned, A: Serialize>(
    parameters: &Value,
    operation: impl FnOnce(Q) -> dynoxide::Result<A>,
) -> Result<Value, Refusal> {
    let request = serde_json::from_str(&parameters.to_string()).map_err(|error| unreadable(&error))?;
    let answer = operation(request).map_err(|error| refusal(&error))?;
    serde_json::to_value(answer).map_err(|error| unreadable(&error))
}

fn refusal(error: &DynoxideError) -> Refusal {
    let plain = || json!({ "__type": error.error_type(), "message": error.to_string() });
    Refusal {
        status: StatusCode::from_u16(error.status_code()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
        body: serde_json::from_str(&error.to_json()).unwrap_or_else(|_| plain()),
    }
}

/// dynoxide checks some parameters while it reads them, and begins the message with what kind of error it is.
fn unreadable(error: &serde_json::Error) -> Refusal {
    let message = error.to_string();
    let (kind, said) = message.split_once(':').unwrap_or(("", &message));
    let (kind, message) = if kind.starts_with("VALIDATION") {
        ("com.amazon.coral.validate#ValidationException", said)
    } else {
        (
            "com.amazon.coral.service#SerializationException",
            message.as_str(),
        )
    };
    Refusal {
        status: StatusCode::BAD_REQUEST,
        body: json!({ "__type": kind, "message": message }),
    }
}

fn is_for_condition(refusal: &Refusal) -> bool {
    let kind = refusal.body["__type"].as_str().unwrap_or_default();
    kind.ends_with("#ConditionalCheckFailedException") || kind.ends_with("#TransactionCanceledException")
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
