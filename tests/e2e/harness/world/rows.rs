//! The table of a world of its own.

use super::{World, dynamodb, key};
use crate::harness::aws;
use crate::harness::person::content_id;
use serde_json::{Value, json};

impl World {
    /// Overwrites attributes of an item that exists.
    pub(crate) async fn set_item(&self, pk: &str, sk: &str, attributes: &Value) {
        aws::set_in(&self.name, pk, sk, attributes).await;
    }

    pub(crate) async fn upload_row(&self, upload: &str) -> Value {
        let row = self
            .item(&self.person.partition(), &format!("UPLOAD#{upload}"))
            .await;
        row.unwrap_or_else(|| panic!("there is no upload {upload}"))
    }

    /// The row of the content that these bytes have.
    pub(crate) async fn content_row(&self, bytes: &[u8]) -> Option<Value> {
        self.item(&format!("CONTENT#{}", content_id(bytes)), "CONTENT")
            .await
    }

    /// One item.
    pub(crate) async fn item(&self, pk: &str, sk: &str) -> Option<Value> {
        aws::item_of(&self.name, pk, sk).await
    }

    /// The sort keys of a partition.
    pub(crate) async fn sort_keys(&self, pk: &str) -> Vec<String> {
        let query = json!({
            "TableName": self.name,
            "ConsistentRead": true,
            "KeyConditionExpression": "pk = :pk",
            "ExpressionAttributeValues": { ":pk": { "S": pk } },
        });
        let answer = dynamodb("Query", &query).await;
        let items = answer["Items"].as_array().unwrap().iter();
        items
            .map(|item| item["sk"]["S"].as_str().unwrap().to_owned())
            .collect()
    }

    /// Deletes an item behind everybody's back.
    pub(crate) async fn lose_item(&self, pk: &str, sk: &str) {
        dynamodb(
            "DeleteItem",
            &json!({ "TableName": self.name, "Key": key(pk, sk) }),
        )
        .await;
    }

    /// Has the next sweep look at a blob.
    pub(crate) async fn make_due(&self, pk: &str) {
        let update = json!({
            "TableName": self.name,
            "Key": key(pk, "BLOB"),
            "UpdateExpression": "SET due_at = :past",
            "ConditionExpression": "attribute_exists(due_at)",
            "ExpressionAttributeValues": { ":past": { "N": "1577836800" } },
        });
        dynamodb("UpdateItem", &update).await;
    }

    /// Writes items.
    pub(crate) async fn put_items(&self, items: &[Value]) {
        for batch in items.chunks(25) {
            let puts: Vec<_> = batch
                .iter()
                .map(|item| json!({ "PutRequest": { "Item": aws::typed_item(item) } }))
                .collect();
            let request = json!({ "RequestItems": { self.name.as_str(): puts } });
            dynamodb("BatchWriteItem", &request).await;
        }
    }

    /// Has the reconciler go on after this multipart upload.
    pub(crate) async fn go_on_after(&self, key: &str, id: &str) {
        let after = json!({ "M": { "key": { "S": key }, "id": { "S": id } } });
        let place = json!({ "M": { "phase": { "S": "multiparts" }, "after": after } });
        let started_at = json!({ "S": "2026-01-02T03:04:05Z" });
        let pass = json!({ "M": { "started_at": started_at, "place": place, "counts": { "M": {} } } });
        let item = json!({
            "pk": { "S": "RECONCILE" },
            "sk": { "S": "RECONCILE" },
            "progress": { "M": { "under_way": pass } },
            "version": { "N": "1" },
        });
        dynamodb("PutItem", &json!({ "TableName": self.name, "Item": item })).await;
    }

    /// Writes an item.
    pub(crate) async fn put_item(&self, item: &Value) {
        aws::put_in(&self.name, item).await;
    }
}
