//! The table as `infra/template.yaml` describes it: its keys, its indexes, and what DynamoDB deletes by itself.

use serde_json::{Value, json};

/// An attribute of a key: its name and type.
pub(crate) type Attribute = (&'static str, &'static str);

/// The hash key and the range key of the table.
pub(super) const KEY: [Attribute; 2] = [("pk", "S"), ("sk", "S")];
/// The indexes, with their hash keys and range keys. They have nothing but keys in them.
pub(crate) const INDEXES: [(&str, [Attribute; 2]); 3] = [
    ("due", [("due_shard", "S"), ("due_at", "N")]),
    ("waiting", [("waiting_shard", "S"), ("waiting_since", "N")]),
    ("open", [("open_account", "S"), ("open_in", "S")]),
];
/// The attribute with the time after which DynamoDB may delete an item.
pub(super) const TTL: &str = "ttl";

/// The hash key's attribute of the table, or of one of its indexes. None when there is no such index.
pub(super) fn hash_key(index: Option<&str>) -> Option<&'static str> {
    let key = match index {
        None => KEY,
        Some(index) => INDEXES.into_iter().find(|(name, _)| *name == index)?.1,
    };
    Some(key[0].0)
}

/// The parameters of `CreateTable` that make it.
pub(super) fn create_table(name: &str) -> Value {
    let attributes = INDEXES.iter().flat_map(|(_, key)| key).chain(&KEY);
    let attributes: Vec<Value> = attributes
        .map(|(name, kind)| json!({ "AttributeName": name, "AttributeType": kind }))
        .collect();
    let indexes = INDEXES.map(|(name, key)| {
        json!({ "IndexName": name, "KeySchema": schema(key), "Projection": { "ProjectionType": "KEYS_ONLY" } })
    });
    json!({
        "TableName": name,
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": attributes,
        "KeySchema": schema(KEY),
        "GlobalSecondaryIndexes": indexes,
    })
}

/// The parameters of `UpdateTimeToLive` that let DynamoDB delete what has expired.
pub(super) fn time_to_live(name: &str) -> Value {
    json!({ "TableName": name, "TimeToLiveSpecification": { "AttributeName": TTL, "Enabled": true } })
}

fn schema([(hash, _), (range, _)]: [Attribute; 2]) -> Value {
    json!([
        { "AttributeName": hash, "KeyType": "HASH" },
        { "AttributeName": range, "KeyType": "RANGE" },
    ])
}
