//! DynamoDB on one machine: dynoxide, asked and answering as on the wire. The simulation has it in memory, the emulators have it in a
//! file (`infra/dynamodb`).

pub mod aws_json;
mod refusal;

pub use refusal::Refusal;

use dynoxide::Database;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// What DynamoDB's operations are called with in the header that names them.
pub const SERVICE: &str = "DynamoDB_20120810";

/// Does an operation on items, with parameters that are a JSON object. None when it is not one that Longshore uses.
#[must_use]
pub fn items(database: &Database, operation: &str, parameters: &str) -> Option<Result<Value, Refusal>> {
    Some(match operation {
        "GetItem" => call(parameters, |request| database.get_item(request)),
        "BatchGetItem" => call(parameters, |request| database.batch_get_item(request)),
        "Query" => call(parameters, |request| database.query(request)),
        "Scan" => call(parameters, |request| database.scan(request)),
        "PutItem" => call(parameters, |request| database.put_item(request)),
        "UpdateItem" => call(parameters, |request| database.update_item(request)),
        "DeleteItem" => call(parameters, |request| database.delete_item(request)),
        "BatchWriteItem" => call(parameters, |request| database.batch_write_item(request)),
        "TransactWriteItems" => call(parameters, |request| database.transact_write_items(request)),
        _ => return None,
    })
}

/// The same for operations on tables.
#[must_use]
pub fn tables(database: &Database, operation: &str, parameters: &str) -> Option<Result<Value, Refusal>> {
    Some(match operation {
        "CreateTable" => call(parameters, |request| database.create_table(request)),
        "DeleteTable" => call(parameters, |request| database.delete_table(request)),
        "DescribeTable" => call(parameters, |request| database.describe_table(request)),
        "ListTables" => call(parameters, |request| database.list_tables(request)),
        "UpdateTable" => call(parameters, |request| database.update_table(request)),
        "UpdateTimeToLive" => call(parameters, |request| database.update_time_to_live(request)),
        "DescribeTimeToLive" => call(parameters, |request| database.describe_time_to_live(request)),
        "TagResource" => call(parameters, |request| database.tag_resource(request)),
        "UntagResource" => call(parameters, |request| database.untag_resource(request)),
        "ListTagsOfResource" => call(parameters, |request| database.list_tags_of_resource(request)),
        _ => return None,
    })
}

/// Calls dynoxide with parameters as they are on the wire, and returns its answer in that form, with all members in order.
///
/// # Errors
/// What DynamoDB answers instead.
pub fn call<Q: DeserializeOwned, A: Serialize>(
    parameters: &str,
    operation: impl FnOnce(Q) -> dynoxide::Result<A>,
) -> Result<Value, Refusal> {
    let request = serde_json::from_str(parameters).map_err(|error| Refusal::unreadable(&error))?;
    let answer = operation(request).map_err(|error| Refusal::from(&error))?;
    serde_json::to_value(answer).map_err(|error| Refusal::unreadable(&error))
}
