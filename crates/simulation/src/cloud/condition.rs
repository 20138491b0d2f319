//! The conditions of writes to the table. Each is there for a reason: a world in which it always holds must be broken sooner or
//! later.

use super::call::Call;
use bytes::Bytes;
use http::Request;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// The conditions that functions wrote with, and one of them that is dropped.
#[derive(Debug, Clone, Default)]
pub struct Conditions {
    /// All that were seen: function, operation, kind of item, condition.
    pub seen: BTreeSet<String>,
    dropped: Option<String>,
}

impl Conditions {
    /// With one that always holds.
    #[must_use]
    pub fn without(condition: &str) -> Self {
        Self {
            seen: BTreeSet::new(),
            dropped: Some(condition.to_owned()),
        }
    }

    /// Notes the conditions of a request, and returns it without the one that is dropped.
    pub(super) fn pass(&mut self, call: &Call, request: Request<Bytes>) -> Request<Bytes> {
        let writes = ["PutItem", "UpdateItem", "DeleteItem", "TransactWriteItems"];
        let operation = call.operation.strip_prefix("DynamoDB ");
        let Some(operation) = operation.filter(|operation| writes.contains(operation)) else {
            return request;
        };
        let Ok(mut body) = serde_json::from_slice::<Value>(request.body()) else {
            return request;
        };
        let mut changed = false;
        match body["TransactItems"].as_array_mut() {
            Some(items) => {
                for (kind, write) in items.iter_mut().filter_map(Value::as_object_mut).flatten() {
                    changed |= self.one(&call.function, kind, write);
                }
            }
            None => changed = self.one(&call.function, operation, &mut body),
        }
        if changed {
            return request.map(|_| Bytes::from(body.to_string()));
        }
        request
    }

    fn one(&mut self, function: &str, operation: &str, write: &mut Value) -> bool {
        let Some(condition) = write["ConditionExpression"].as_str().map(str::to_owned) else {
            return false;
        };
        let operation = operation.trim_end_matches("Item");
        let key = if write["Key"].is_null() {
            &write["Item"]
        } else {
            &write["Key"]
        };
        let kind = |name: &str| {
            let text = key[name]["S"].as_str().unwrap_or_default();
            text.split('#').next().unwrap_or_default().to_owned()
        };
        let name = format!(
            "{function} {operation} {}/{}: {condition}",
            kind("pk"),
            kind("sk")
        );
        let dropped = self.dropped.as_ref() == Some(&name);
        if dropped {
            // It stays a part of the expression: values that no expression uses are refused.
            write["ConditionExpression"] =
                json!(format!("({condition}) OR attribute_not_exists(nothing_has_this)"));
        }
        self.seen.insert(name);
        dropped
    }
}
