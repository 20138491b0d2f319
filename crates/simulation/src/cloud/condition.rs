//! The conditions of writes to the table. Each is there for a reason: a world in which it always holds must be broken sooner or
//! later.

use super::call::Call;
use bytes::Bytes;
use http::{Request, Response};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// The conditions that functions wrote with, and one of them that is dropped.
#[derive(Debug, Clone, Default)]
pub struct Conditions {
    /// All that were seen: operation, kind of item, condition. Whichever function writes it, it is one condition.
    pub seen: BTreeSet<String>,
    /// Those of them that were false at least once.
    pub refused: BTreeSet<String>,
    dropped: Option<String>,
    /// The next write with it is held.
    held: Option<String>,
}

/// The conditions of one request, in the order of its writes.
pub(super) type OfRequest = Vec<Option<String>>;

impl Conditions {
    /// With one that always holds.
    #[must_use]
    pub fn without(condition: &str) -> Self {
        Self {
            dropped: Some(condition.to_owned()),
            ..Self::default()
        }
    }

    pub(super) fn hold(&mut self, condition: &str) {
        self.held = Some(condition.to_owned());
    }

    /// Whether the write that is to be held is still to come.
    pub(super) fn waits(&self) -> bool {
        self.held.is_some()
    }

    /// Whether a request with these conditions is held.
    pub(super) fn holds(&mut self, names: &OfRequest) -> bool {
        let holds = self.held.is_some() && names.contains(&self.held);
        if holds {
            self.held = None;
        }
        holds
    }

    /// Notes the conditions of a request, and returns it without the one that is dropped.
    pub(super) fn pass(&mut self, call: &Call, request: Request<Bytes>) -> (Request<Bytes>, OfRequest) {
        let writes = ["PutItem", "UpdateItem", "DeleteItem", "TransactWriteItems"];
        let operation = call.operation.strip_prefix("DynamoDB ");
        let Some(operation) = operation.filter(|operation| writes.contains(operation)) else {
            return (request, Vec::new());
        };
        let Ok(mut body) = serde_json::from_slice::<Value>(request.body()) else {
            return (request, Vec::new());
        };
        let names: OfRequest = match body["TransactItems"].as_array_mut() {
            Some(items) => items
                .iter_mut()
                .filter_map(Value::as_object_mut)
                .flatten()
                .map(|(kind, write)| self.one(kind, write))
                .collect(),
            None => vec![self.one(operation, &mut body)],
        };
        if self.dropped.is_some() && names.contains(&self.dropped) {
            return (request.map(|_| Bytes::from(body.to_string())), names);
        }
        (request, names)
    }

    /// Notes which of a request's conditions were false.
    pub(super) fn answered(&mut self, names: &OfRequest, answer: &Response<Bytes>) {
        if names.is_empty() || answer.status().is_success() {
            return;
        }
        let Ok(body) = serde_json::from_slice::<Value>(answer.body()) else {
            return;
        };
        match body["CancellationReasons"].as_array() {
            Some(reasons) => {
                let failed = reasons.iter().zip(names);
                let failed = failed.filter(|(reason, _)| reason["Code"] == "ConditionalCheckFailed");
                self.refused.extend(failed.filter_map(|(_, name)| name.clone()));
            }
            None if body["__type"]
                .as_str()
                .is_some_and(|kind| kind.ends_with("#ConditionalCheckFailedException")) =>
            {
                self.refused.extend(names.iter().flatten().cloned());
            }
            None => {}
        }
    }

    fn one(&mut self, operation: &str, write: &mut Value) -> Option<String> {
        let condition = write["ConditionExpression"].as_str()?.to_owned();
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
        let name = format!("{operation} {}/{}: {condition}", kind("pk"), kind("sk"));
        if self.dropped.as_ref() == Some(&name) {
            // It stays a part of the expression: values that no expression uses are refused.
            write["ConditionExpression"] =
                json!(format!("({condition}) OR attribute_not_exists(nothing_has_this)"));
        }
        self.seen.insert(name.clone());
        Some(name)
    }
}
