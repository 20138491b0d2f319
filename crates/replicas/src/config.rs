//! The targets secret: where targets are, and how to sign in there.

use crate::ceph::CephTarget;
use crate::error::ReplicaError;
use serde::Deserialize;
use std::collections::HashMap;
use std::fmt;
use store::Aws;

/// The secret as Secrets Manager has it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Secret {
    targets: Vec<TargetConfig>,
}

/// One target of the secret.
#[derive(Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum TargetConfig {
    Ceph(CephConfig),
}

/// An S3-compatible target.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CephConfig {
    /// Its name, as in `REPLICA_TARGETS`.
    pub name: String,
    /// Such as `https://rgw.example.com`.
    pub endpoint: String,
    /// What requests are signed for. Ceph takes any.
    #[serde(default = "usual_region")]
    pub region: String,
    /// The bucket, which must exist.
    pub bucket: String,
    /// What all keys begin with.
    #[serde(default)]
    pub prefix: String,
    /// Whether the bucket is in the path of URLs (`true`), or in their host name.
    #[serde(default = "yes")]
    pub path_style: bool,
    /// Credentials.
    pub access_key_id: String,
    /// Credentials.
    pub secret_access_key: String,
}

impl fmt::Debug for CephConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CephConfig")
            .field("name", &self.name)
            .field("endpoint", &self.endpoint)
            .finish_non_exhaustive()
    }
}

fn usual_region() -> String {
    "us-east-1".to_owned()
}

fn yes() -> bool {
    true
}

/// The configured targets by name.
pub struct Targets {
    by_name: HashMap<String, CephTarget>,
}

impl Targets {
    /// Reads the secret that `TARGETS_SECRET_ID` names.
    ///
    /// # Errors
    /// [`ReplicaError`] when it cannot be read or is not of the documented shape.
    pub async fn from_env(aws: &Aws) -> Result<Self, ReplicaError> {
        let id = store::config::variable("TARGETS_SECRET_ID")?;
        Self::parse(&aws.secret(&id).await?)
    }

    fn parse(text: &str) -> Result<Self, ReplicaError> {
        // Serde's message can quote values, and these are secrets: only where it is wrong is told.
        let secret: Secret = serde_json::from_str(text).map_err(|e| {
            let place = format!("line {}, column {}", e.line(), e.column());
            ReplicaError::Misconfigured(format!(
                "the targets secret is not of the documented shape (docs/architecture.md), {place}"
            ))
        })?;
        let mut by_name = HashMap::new();
        for TargetConfig::Ceph(config) in secret.targets {
            let name = config.name.clone();
            if by_name.insert(name.clone(), CephTarget::new(config)).is_some() {
                let text = format!("the targets secret has two targets called {name:?}");
                return Err(ReplicaError::Misconfigured(text));
            }
        }
        Ok(Self { by_name })
    }

    /// The target of this name.
    ///
    /// # Errors
    /// [`ReplicaError::Misconfigured`] when there is none.
    pub fn get(&self, name: &str) -> Result<&CephTarget, ReplicaError> {
        self.by_name.get(name).ok_or_else(|| {
            ReplicaError::Misconfigured(format!("the targets secret has no target called {name:?}"))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"{"name": "a", "kind": "ceph", "endpoint": "http://127.0.0.1:1", "bucket": "b",
        "access_key_id": "i", "secret_access_key": "very-secret"}"#;

    #[test]
    fn the_secret_is_checked_and_never_quoted() {
        assert!(
            Targets::parse(&format!("{{\"targets\": [{GOOD}]}}"))
                .unwrap()
                .get("a")
                .is_ok()
        );
        let empty = Targets::parse("{\"targets\": []}").unwrap();
        assert!(matches!(empty.get("a"), Err(ReplicaError::Misconfigured(_))));
        let bad = [
            "very-secret".to_owned(),
            format!("{{\"targets\": [{GOOD}, {GOOD}]}}"),
            format!(
                "{{\"targets\": [{}]}}",
                GOOD.replace("\"very-secret\"", "[\"very-secret\"]")
            ),
            format!("{{\"targets\": [{}]}}", GOOD.replace("ceph", "tape")),
        ];
        for text in bad {
            let Err(error) = Targets::parse(&text) else {
                panic!("accepted: {text}")
            };
            assert!(!error.to_string().contains("very-secret"), "{error}");
        }
    }
}
