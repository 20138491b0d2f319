//! Secrets Manager, in memory: secrets are read by name or by ARN.

#[cfg(test)]
mod tests;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use jiff::Timestamp;
use local_dynamodb::aws_json::{self, JSON_1_1};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Secrets Manager with one region's secrets. It has `GetSecretValue` only.
#[derive(Debug, Default)]
pub struct Secrets {
    by_name: BTreeMap<String, Secret>,
    versions: u64,
}

#[derive(Debug)]
struct Secret {
    arn: String,
    text: String,
    version: u64,
    since: Timestamp,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct GetSecretValue {
    secret_id: String,
}

impl Secrets {
    /// No secrets.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Gives a secret a new version, which is the current one from `now`. Returns its ARN, which stays the same.
    pub fn set(&mut self, name: &str, text: &str, now: Timestamp) -> String {
        self.versions += 1;
        // AWS adds six characters, so that a secret that is made anew has another ARN.
        let arn = format!("arn:aws:secretsmanager:us-east-1:123456789012:secret:{name}-AAAAAA");
        let secret = Secret {
            arn: arn.clone(),
            text: text.to_owned(),
            version: self.versions,
            since: now,
        };
        self.by_name.insert(name.to_owned(), secret);
        arn
    }

    /// Answers a request as Secrets Manager does.
    pub fn answer(&mut self, request: &Request<Bytes>, _now: Timestamp) -> Response<Bytes> {
        let refuse = |message: &str| aws_json::not_implemented(JSON_1_1, message);
        let (operation, parameters) = match aws_json::read(request, "secretsmanager") {
            Ok(asked) => asked,
            Err(message) => return refuse(&message),
        };
        if operation != "GetSecretValue" {
            return refuse(&format!("the simulation's Secrets Manager has no {operation}"));
        }
        let parameters: GetSecretValue = match serde_json::from_value(parameters) {
            Ok(parameters) => parameters,
            Err(error) => return refuse(&format!("a parameter of GetSecretValue: {error}")),
        };
        match self.get(&parameters.secret_id) {
            Some(body) => aws_json::answer(JSON_1_1, StatusCode::OK, &body),
            None => {
                let body = json!({
                    "__type": "ResourceNotFoundException",
                    "Message": "Secrets Manager can't find the specified secret.",
                });
                aws_json::answer(JSON_1_1, StatusCode::BAD_REQUEST, &body)
            }
        }
    }

    fn get(&self, id: &str) -> Option<Value> {
        let mut secrets = self.by_name.iter();
        let (name, secret) = secrets.find(|(name, secret)| *name == id || secret.arn == id)?;
        Some(json!({
            "ARN": secret.arn,
            "Name": name,
            "VersionId": format!("00000000-0000-4000-8000-{:012x}", secret.version),
            "SecretString": secret.text,
            "VersionStages": ["AWSCURRENT"],
            "CreatedDate": secret.since.as_duration().as_secs_f64(),
        }))
    }
}
