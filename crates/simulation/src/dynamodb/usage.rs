//! What a call costs, and which partitions it goes to.

use super::table;
use serde_json::Value;
use std::collections::BTreeMap;

/// What one call cost.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Usage {
    /// The operation: `GetItem`.
    pub operation: String,
    /// Read capacity units, of the table and its indexes together.
    pub read_units: f64,
    /// Write capacity units, of the table and its indexes together.
    pub write_units: f64,
    /// Capacity units by index. Those of a table are under its own name.
    pub by_index: BTreeMap<String, f64>,
    /// The partitions of all items and queries of the request, in the request's order, as often as they are in it. Those of
    /// an index have its name before them: `due/17`. A scan has none.
    pub partitions: Vec<String>,
}

impl Usage {
    /// Adds what DynamoDB says that was consumed: the member `ConsumedCapacity` of an answer.
    pub(super) fn add(&mut self, consumed: &Value) {
        let tables = consumed
            .as_array()
            .map_or(std::slice::from_ref(consumed), Vec::as_slice);
        for consumed in tables {
            let units = |name: &str| consumed[name].as_f64();
            // Transactions say which of both it is, all others do one of them only.
            match (units("ReadCapacityUnits"), units("WriteCapacityUnits")) {
                (None, None) => self.add_units(units("CapacityUnits").unwrap_or_default()),
                (read, write) => {
                    self.read_units += read.unwrap_or_default();
                    self.write_units += write.unwrap_or_default();
                }
            }
            let name = consumed["TableName"].as_str().unwrap_or_default();
            let indexes = consumed["GlobalSecondaryIndexes"].as_object();
            let indexes = indexes.into_iter().flatten();
            let indexes = indexes.map(|(name, index)| (name.as_str(), index));
            for (name, part) in indexes.chain([(name, &consumed["Table"])]) {
                let units = part["CapacityUnits"].as_f64().unwrap_or_default();
                if units > 0.0 {
                    *self.by_index.entry(name.to_owned()).or_default() += units;
                }
            }
        }
    }

    /// Adds what a write cost that was refused for its condition.
    pub(super) fn add_refused(&mut self, table: &str, units: f64) {
        self.add_units(units);
        *self.by_index.entry(table.to_owned()).or_default() += units;
    }

    fn add_units(&mut self, units: f64) {
        if matches!(
            self.operation.as_str(),
            "GetItem" | "BatchGetItem" | "Query" | "Scan"
        ) {
            self.read_units += units;
        } else {
            self.write_units += units;
        }
    }
}

/// Each item that a request is about: its table, and itself or its key.
pub(super) fn items<'a>(operation: &str, parameters: &'a Value) -> Vec<(&'a str, &'a Value)> {
    let one = |action: &'a Value| {
        let item = action.get("Key").or_else(|| action.get("Item"))?;
        Some((action["TableName"].as_str()?, item))
    };
    let tables = || parameters["RequestItems"].as_object().into_iter().flatten();
    let all = |list: &'a Value| list.as_array().into_iter().flatten();
    match operation {
        "GetItem" | "PutItem" | "UpdateItem" | "DeleteItem" => one(parameters).into_iter().collect(),
        "TransactWriteItems" => {
            let actions = all(&parameters["TransactItems"]);
            let actions = actions.filter_map(|action| action.as_object()?.values().next());
            actions.filter_map(one).collect()
        }
        "BatchGetItem" => tables()
            .flat_map(|(table, wanted)| all(&wanted["Keys"]).map(move |key| (table.as_str(), key)))
            .collect(),
        "BatchWriteItem" => tables()
            .flat_map(|(table, writes)| all(writes).map(move |write| (table.as_str(), write)))
            .filter_map(|(table, write)| {
                let write = write.as_object()?.values().next()?;
                Some((table, write.get("Key").or_else(|| write.get("Item"))?))
            })
            .collect(),
        _ => Vec::new(),
    }
}

/// The partitions that a request goes to.
pub(super) fn partitions(operation: &str, parameters: &Value) -> Vec<String> {
    if operation == "Query" {
        return queried(parameters).into_iter().collect();
    }
    let items = items(operation, parameters).into_iter();
    let hash = |(_, item): (&str, &Value)| text(&item[table::KEY[0].0]);
    items.filter_map(hash).collect()
}

/// The partition that a query reads: its condition says that the hash key equals a value.
fn queried(parameters: &Value) -> Option<String> {
    let index = parameters["IndexName"].as_str();
    let hash_key = table::hash_key(index)?;
    let conditions = parameters["KeyConditionExpression"].as_str()?;
    let named = |name: &str| {
        let written = parameters["ExpressionAttributeNames"][name].as_str();
        written.unwrap_or(name) == hash_key
    };
    let equal = conditions
        .split(" AND ")
        .filter_map(|condition| condition.split_once('='));
    let (_, value) = { equal }.find(|(name, _)| named(name.trim()))?;
    let value = text(&parameters["ExpressionAttributeValues"][value.trim()])?;
    Some(index.map_or_else(|| value.clone(), |index| format!("{index}/{value}")))
}

/// A text or number as DynamoDB has it.
fn text(value: &Value) -> Option<String> {
    let value = value.get("S").or_else(|| value.get("N"))?;
    value.as_str().map(str::to_owned)
}
