//! Secrets that are JSON.

use super::protocols::call;
use crate::harness::bytes::unique;
use serde_json::{Value, json};

/// A secret that is JSON.
pub(crate) async fn secret(id: &str) -> Value {
    let answer = call(
        "secretsmanager",
        "secretsmanager.GetSecretValue",
        &json!({ "SecretId": id }),
    )
    .await;
    serde_json::from_str(answer["SecretString"].as_str().unwrap()).unwrap()
}

/// Creates a secret that is JSON, and returns its id.
pub(crate) async fn new_secret(name: &str, value: &Value) -> String {
    let request = json!({
        "Name": name, "SecretString": value.to_string(), "ClientRequestToken": format!("{:032x}", unique()),
    });
    let made = call("secretsmanager", "secretsmanager.CreateSecret", &request).await;
    made["ARN"].as_str().unwrap().to_owned()
}

/// Deletes a secret.
pub(crate) async fn delete_secret(id: &str) {
    let request = json!({ "SecretId": id, "ForceDeleteWithoutRecovery": true });
    call("secretsmanager", "secretsmanager.DeleteSecret", &request).await;
}

/// Replaces a secret.
pub(crate) async fn put_secret(id: &str, value: &Value) {
    let request = json!({
        "SecretId": id,
        "SecretString": value.to_string(),
        // SDKs make one up; without an SDK it must be there.
        "ClientRequestToken": format!("{:032x}", unique()),
    });
    call("secretsmanager", "secretsmanager.PutSecretValue", &request).await;
}
