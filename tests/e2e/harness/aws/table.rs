//! Tables, with items as plain JSON.

use super::protocols::call;
use crate::harness::stack::stack;
use futures::future::join_all;
use serde_json::{Map, Value, json};

/// An item's attributes without their types.
fn plain(value: &Value) -> Value {
    let Some((kind, inner)) = value.as_object().and_then(|typed| typed.iter().next()) else {
        return Value::Null;
    };
    match kind.as_str() {
        "N" => serde_json::from_str(inner.as_str().unwrap()).unwrap(),
        "L" => inner.as_array().unwrap().iter().map(plain).collect(),
        "M" => plain_item(inner),
        "NULL" => Value::Null,
        _ => inner.clone(),
    }
}

fn plain_item(item: &Value) -> Value {
    let item = item.as_object().unwrap().iter();
    Value::Object(item.map(|(name, value)| (name.clone(), plain(value))).collect())
}

fn typed(value: &Value) -> Value {
    match value {
        Value::String(text) => json!({ "S": text }),
        Value::Number(number) => json!({ "N": number.to_string() }),
        Value::Bool(bool) => json!({ "BOOL": bool }),
        Value::Null => json!({ "NULL": true }),
        Value::Array(values) => json!({ "L": values.iter().map(typed).collect::<Vec<_>>() }),
        Value::Object(members) => {
            let members: Map<_, _> = members
                .iter()
                .map(|(name, value)| (name.clone(), typed(value)))
                .collect();
            json!({ "M": members })
        }
    }
}

fn key(pk: &str, sk: &str) -> Value {
    json!({ "pk": { "S": pk }, "sk": { "S": sk } })
}

/// All items of a partition whose sort keys begin with `prefix`.
pub(crate) async fn items(pk: &str, prefix: &str) -> Vec<Value> {
    items_in(&stack().table, pk, prefix).await
}

/// The parts of a target's replica counters, in any table.
pub(crate) async fn counters_in(table: &str, target: &str) -> Vec<Value> {
    let parts =
        (0..16).map(async |part| items_in(table, &format!("TARGET#{target}#{part:02}"), "COUNTERS").await);
    join_all(parts).await.concat()
}

/// The same of any table.
pub(crate) async fn items_in(table: &str, pk: &str, prefix: &str) -> Vec<Value> {
    let mut found = Vec::new();
    let mut start = Value::Null;
    loop {
        let mut query = json!({
            "TableName": table,
            "ConsistentRead": true,
            "KeyConditionExpression": "pk = :pk",
            "ExpressionAttributeValues": { ":pk": { "S": pk } },
        });
        if !prefix.is_empty() {
            // An empty text is no key.
            query["KeyConditionExpression"] = json!("pk = :pk AND begins_with(sk, :prefix)");
            query["ExpressionAttributeValues"][":prefix"] = json!({ "S": prefix });
        }
        if !start.is_null() {
            query["ExclusiveStartKey"] = start;
        }
        let answer = call("dynamodb", "DynamoDB_20120810.Query", &query).await;
        found.extend(answer["Items"].as_array().unwrap().iter().map(plain_item));
        start = answer["LastEvaluatedKey"].clone();
        if start.is_null() {
            return found;
        }
    }
}

/// All items of the table with this sort key.
pub(crate) async fn scan(sk: &str) -> Vec<Value> {
    let mut found = Vec::new();
    let mut start = Value::Null;
    loop {
        let mut scan = json!({
            "TableName": stack().table,
            "ConsistentRead": true,
            "FilterExpression": "sk = :sk",
            "ExpressionAttributeValues": { ":sk": { "S": sk } },
        });
        if !start.is_null() {
            scan["ExclusiveStartKey"] = start;
        }
        let answer = call("dynamodb", "DynamoDB_20120810.Scan", &scan).await;
        found.extend(answer["Items"].as_array().unwrap().iter().map(plain_item));
        start = answer["LastEvaluatedKey"].clone();
        if start.is_null() {
            return found;
        }
    }
}

/// All items of a partition.
pub(crate) async fn partition(pk: &str) -> Vec<Value> {
    items(pk, "").await
}

/// One item.
pub(crate) async fn item(pk: &str, sk: &str) -> Option<Value> {
    item_of(&stack().table, pk, sk).await
}

/// One item of any table.
pub(crate) async fn item_of(table: &str, pk: &str, sk: &str) -> Option<Value> {
    let request = json!({ "TableName": table, "Key": key(pk, sk), "ConsistentRead": true });
    let answer = call("dynamodb", "DynamoDB_20120810.GetItem", &request).await;
    answer.get("Item").map(plain_item)
}

/// Overwrites attributes of an item that exists.
pub(crate) async fn set(pk: &str, sk: &str, attributes: &Value) {
    set_in(&stack().table, pk, sk, attributes).await;
}

/// The same in any table.
pub(crate) async fn set_in(table: &str, pk: &str, sk: &str, attributes: &Value) {
    let attributes = attributes.as_object().unwrap();
    let (mut names, mut values, mut sets) = (Map::new(), Map::new(), Vec::new());
    for (index, (name, value)) in attributes.iter().enumerate() {
        names.insert(format!("#n{index}"), json!(name));
        values.insert(format!(":v{index}"), typed(value));
        sets.push(format!("#n{index} = :v{index}"));
    }
    let request = json!({
        "TableName": table,
        "Key": key(pk, sk),
        "UpdateExpression": format!("SET {}", sets.join(", ")),
        "ConditionExpression": "attribute_exists(pk)",
        "ExpressionAttributeNames": names,
        "ExpressionAttributeValues": values,
    });
    call("dynamodb", "DynamoDB_20120810.UpdateItem", &request).await;
}

/// Writes an item.
pub(crate) async fn put(item: &Value) {
    put_in(&stack().table, item).await;
}

/// An item as DynamoDB has it.
pub(crate) fn typed_item(item: &Value) -> Value {
    let attributes = item.as_object().unwrap().iter();
    attributes
        .map(|(name, value)| (name.clone(), typed(value)))
        .collect()
}

/// The same into any table.
pub(crate) async fn put_in(table: &str, item: &Value) {
    let request = json!({ "TableName": table, "Item": typed_item(item) });
    call("dynamodb", "DynamoDB_20120810.PutItem", &request).await;
}
