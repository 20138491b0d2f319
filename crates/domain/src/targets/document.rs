//! Reading the document, strictly. Errors name the field and never its value, which may be a key.

use super::config::{
    Addressing, Checksum, Config, Credentials, Kind, MAX_TARGETS, MAX_WORKERS, MIN_BYTES_PER_SECOND, Target,
};
use super::policy::Policy;
use crate::id::AccountId;
use crate::name::Name;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use std::collections::HashSet;
use url::Url;

/// What is wrong with the document.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the targets secret: {field}: {problem}")]
pub struct Invalid {
    /// Which field, such as `targets[1].endpoint`.
    pub field: String,
    /// What is wrong with it, without its value.
    pub problem: String,
}

impl Config {
    /// Reads the document.
    ///
    /// # Errors
    /// [`Invalid`], naming the first field that is wrong.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let deserializer = &mut serde_json::Deserializer::from_str(text);
        let document: Document = serde_path_to_error::deserialize(deserializer).map_err(|error| Invalid {
            field: match error.path().to_string().as_str() {
                "." | "?" => "the document".to_owned(),
                path => path.to_owned(),
            },
            problem: without_values(error.inner()),
        })?;
        let targets = (0..).zip(document.targets).map(|(index, raw)| raw.check(index));
        let targets: Vec<Target> = targets.collect::<Result<_, _>>()?;
        if targets.len() > MAX_TARGETS {
            return invalid("targets".to_owned(), format!("are at most {MAX_TARGETS}"));
        }
        let (mut names, mut places) = (HashSet::new(), HashSet::new());
        for (index, target) in targets.iter().enumerate() {
            // Removing what one of them has would remove it from the other.
            if !places.insert((&target.endpoint, &target.bucket, &target.prefix)) {
                return invalid(
                    format!("targets[{index}].prefix"),
                    "another target has the same endpoint, bucket and prefix",
                );
            }
            if !names.insert(target.name.as_str()) {
                return invalid(
                    format!("targets[{index}].name"),
                    "another target has this name already",
                );
            }
        }
        let policies = (0..)
            .zip(document.policies)
            .map(|(index, raw)| raw.check(index, &names));
        let policies = policies.collect::<Result<_, _>>()?;
        Ok(Self { targets, policies })
    }
}

fn invalid<T>(field: String, problem: impl Into<String>) -> Result<T, Invalid> {
    let problem = problem.into();
    Err(Invalid { field, problem })
}

/// What Serde says, unless it may quote a value.
fn without_values(error: &serde_json::Error) -> String {
    let said = error.to_string();
    let said = said.split(" at line ").next().unwrap_or_default();
    if said.starts_with("missing field") || said.starts_with("unknown field") {
        return said.to_owned();
    }
    if error.is_data() {
        return "is not of the documented type".to_owned();
    }
    format!("is not JSON, at line {}, column {}", error.line(), error.column())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    targets: Vec<RawTarget>,
    #[serde(default)]
    policies: Vec<RawPolicy>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawTarget {
    name: String,
    kind: String,
    endpoint: String,
    region: Option<String>,
    bucket: String,
    #[serde(default)]
    prefix: String,
    addressing: Option<Addressing>,
    checksum: Option<Checksum>,
    ca_bundle: Option<String>,
    access_key_id: String,
    secret_access_key: SecretString,
    session_token: Option<SecretString>,
    #[serde(default)]
    draining: bool,
    #[serde(default)]
    only_by_policy: bool,
    max_workers: Option<u16>,
    max_bytes_per_second: Option<u64>,
}

fn is_pem(text: &str) -> bool {
    let mut certificates = CertificateDer::pem_slice_iter(text.as_bytes()).peekable();
    certificates.peek().is_some() && certificates.all(|certificate| certificate.is_ok())
}

impl RawTarget {
    fn check(self, index: usize) -> Result<Target, Invalid> {
        let at = |field: &str| format!("targets[{index}].{field}");
        let is_name = |text: &str| {
            (1..=32).contains(&text.len())
                && text
                    .bytes()
                    .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        };
        if !is_name(&self.name) {
            return invalid(
                at("name"),
                "must be 1 to 32 lower-case letters, digits and hyphens",
            );
        }
        let kind = match (self.kind.as_str(), self.checksum) {
            ("ceph", checksum) => Kind::Ceph {
                checksum: checksum.unwrap_or_default(),
            },
            ("oss", None) => Kind::Oss,
            ("oss", Some(_)) => {
                return invalid(at("checksum"), "is for kind \"ceph\"; OSS has CRC-64 always");
            }
            _ => return invalid(at("kind"), "must be \"ceph\" or \"oss\""),
        };
        let Some(endpoint) = endpoint(&self.endpoint) else {
            let like = "must be like https://host or https://host:port, without a path";
            return invalid(at("endpoint"), like);
        };
        let region = match (kind, self.region) {
            (_, Some(region)) if region.is_empty() => return invalid(at("region"), "must not be empty"),
            (Kind::Oss, Some(region)) if region.starts_with("oss-") => {
                return invalid(at("region"), "is without \"oss-\", such as cn-hangzhou");
            }
            (_, Some(region)) => region,
            (Kind::Ceph { .. }, None) => "us-east-1".to_owned(),
            (Kind::Oss, None) => return invalid(at("region"), "is needed for kind \"oss\""),
        };
        let addressing = match (kind, self.addressing) {
            (Kind::Ceph { .. }, Some(Addressing::CustomDomain)) => {
                return invalid(at("addressing"), "\"custom_domain\" is for kind \"oss\"");
            }
            (_, Some(addressing)) => addressing,
            (Kind::Ceph { .. }, None) => Addressing::Path,
            (Kind::Oss, None) => Addressing::VirtualHosted,
        };
        for (field, text) in [
            ("bucket", self.bucket.as_str()),
            ("access_key_id", &self.access_key_id),
            ("secret_access_key", self.secret_access_key.expose_secret()),
        ] {
            if text.is_empty() {
                return invalid(at(field), "must not be empty");
            }
        }
        if self.prefix.starts_with('/') || self.prefix.len() > 512 {
            return invalid(
                at("prefix"),
                "must not begin with a slash, nor be longer than 512 bytes",
            );
        }
        if !self.ca_bundle.as_deref().is_none_or(is_pem) {
            return invalid(at("ca_bundle"), "must be certificates in PEM");
        }
        if !self.max_workers.is_none_or(|n| (1..=MAX_WORKERS).contains(&n)) {
            return invalid(at("max_workers"), format!("must be 1 to {MAX_WORKERS}"));
        }
        if self
            .max_bytes_per_second
            .is_some_and(|rate| rate < MIN_BYTES_PER_SECOND)
        {
            let problem = format!("must be at least {MIN_BYTES_PER_SECOND}");
            return invalid(at("max_bytes_per_second"), problem);
        }
        Ok(Target {
            name: self.name,
            kind,
            endpoint,
            region,
            bucket: self.bucket,
            prefix: self.prefix,
            addressing,
            ca_bundle: self.ca_bundle,
            credentials: Credentials {
                access_key_id: self.access_key_id,
                secret_access_key: self.secret_access_key,
                session_token: self.session_token,
            },
            draining: self.draining,
            only_by_policy: self.only_by_policy,
            max_workers: self.max_workers,
            max_bytes_per_second: self.max_bytes_per_second,
        })
    }
}

/// An endpoint as it is compared and connected to: in lower case, without a port that is the usual one.
fn endpoint(text: &str) -> Option<String> {
    let url = Url::parse(text).ok()?;
    let is_origin = matches!(url.scheme(), "http" | "https")
        && (url.username(), url.password()) == ("", None)
        && (url.path(), url.query(), url.fragment()) == ("/", None, None);
    is_origin.then(|| url.origin().ascii_serialization())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawPolicy {
    account: Option<String>,
    folder: Option<String>,
    targets: Vec<String>,
}

impl RawPolicy {
    fn check(self, index: usize, names: &HashSet<&str>) -> Result<Policy, Invalid> {
        let at = |field: &str| format!("policies[{index}].{field}");
        let account = match self.account.map(|id| id.parse::<AccountId>()) {
            Some(Err(_)) => return invalid(at("account"), "must be the id of an account"),
            Some(Ok(account)) => Some(account),
            None => None,
        };
        let folder = match self.folder.as_deref().map(folder_names) {
            Some(None) => return invalid(at("folder"), "must be a path such as /photos/raw"),
            Some(Some(folder)) => folder,
            None => Vec::new(),
        };
        if let Some(place) = self
            .targets
            .iter()
            .position(|name| !names.contains(name.as_str()))
        {
            let field = at(&format!("targets[{place}]"));
            return invalid(field, "no target has this name");
        }
        Ok(Policy {
            account,
            folder,
            targets: self.targets,
        })
    }
}

/// The names of the folders of a path from the root; `None` when it is none.
fn folder_names(path: &str) -> Option<Vec<Name>> {
    let names = path.strip_prefix('/')?;
    let names = names.split('/').filter(|name| !name.is_empty());
    names.map(|name| name.parse().ok()).collect()
}

#[cfg(test)]
mod tests;
