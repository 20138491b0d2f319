//! A request's answer.

use anyhow::{Context, Result};
use bytes::Bytes;
use dynoxide::Database;
use http::request::Parts;
use http::{Response, StatusCode};
use local_dynamodb::aws_json::{self, JSON_1_0};
use local_dynamodb::{SERVICE, items, tables};
use serde_json::Value;
use std::path::Path;

/// What dynoxide has instead of a region.
const NO_REGION: &str = "arn:aws:dynamodb:dynoxide:";

pub(crate) struct Server {
    database: Database,
    region: String,
}

impl Server {
    pub(crate) fn open(file: &Path, region: String) -> Result<Self> {
        let shown = file.display();
        let path = file.to_str().with_context(|| format!("{shown} is not UTF-8"))?;
        let database = Database::new(path).with_context(|| format!("cannot open {shown}"))?;
        // That is SQLite's `synchronous = NORMAL`: each write would wait for the disk otherwise. A killed process loses nothing by it.
        database.disable_bulk_loading()?;
        Ok(Self { database, region })
    }

    pub(crate) fn answer(&self, head: &Parts, body: &Bytes) -> Response<Bytes> {
        let operation = match aws_json::operation(&head.headers, SERVICE) {
            Ok(operation) => operation,
            Err(message) => return aws_json::not_implemented(JSON_1_0, &message),
        };
        let Ok(parameters) = std::str::from_utf8(body) else {
            return aws_json::not_implemented(JSON_1_0, "the parameters are not UTF-8");
        };
        let of_tables = || {
            let done = tables(&self.database, operation, parameters)?;
            Some(done.map(|answer| self.with_region(answer)))
        };
        let done = items(&self.database, operation, parameters).or_else(of_tables);
        match done {
            Some(Ok(body)) => aws_json::answer(JSON_1_0, StatusCode::OK, &body),
            Some(Err(refusal)) => aws_json::answer(JSON_1_0, refusal.status, &refusal.body),
            None => {
                let message = format!("there is no {operation} here");
                aws_json::not_implemented(JSON_1_0, &message)
            }
        }
    }

    /// Deletes what has expired.
    pub(crate) fn expire(&self) -> dynoxide::Result<usize> {
        self.database.sweep_ttl()
    }

    /// Policies name tables by region.
    fn with_region(&self, answer: Value) -> Value {
        match answer {
            Value::String(text) => Value::String(match text.strip_prefix(NO_REGION) {
                Some(rest) => format!("arn:aws:dynamodb:{}:{rest}", self.region),
                None => text,
            }),
            Value::Array(values) => values.into_iter().map(|value| self.with_region(value)).collect(),
            Value::Object(members) => {
                let members = members.into_iter();
                members
                    .map(|(name, value)| (name, self.with_region(value)))
                    .collect()
            }
            other => other,
        }
    }
}
