//! The targets as they are configured.

use super::policy::Policy;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

/// The document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// The targets, each with a name of its own.
    pub targets: Vec<Target>,
    /// Which of them apply to whom.
    pub policies: Vec<Policy>,
}

/// One target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Its name: 1 to 32 lower-case letters, digits and hyphens.
    pub name: String,
    /// Its API.
    pub kind: Kind,
    /// Such as `https://rgw.example.com`: scheme, host, and port if it is not the usual one.
    pub endpoint: String,
    /// What requests are signed for.
    pub region: String,
    /// The bucket, which must exist.
    pub bucket: String,
    /// What all keys begin with.
    pub prefix: String,
    /// Where in URLs the bucket is.
    pub addressing: Addressing,
    /// Certificates in PEM to trust besides the public ones.
    pub ca_bundle: Option<String>,
    /// Its credentials.
    pub credentials: Credentials,
    /// It gets nothing new, and what it has is removed.
    pub draining: bool,
    /// It applies only where a policy names it.
    pub only_by_policy: bool,
    /// How many workers may use it at once; none is as many as there are.
    pub max_workers: Option<u16>,
    /// How many bytes a second each worker may send; none is as many as it can.
    pub max_bytes_per_second: Option<u64>,
}

/// The API of a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The S3 API, as Ceph's gateway and many others have it.
    Ceph {
        /// By what the target proves that it has the right bytes.
        checksum: Checksum,
    },
    /// Alibaba Cloud OSS's own API, which proves it by CRC-64.
    Oss,
}

impl Kind {
    /// As documents and answers have it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ceph { .. } => "ceph",
            Self::Oss => "oss",
        }
    }
}

/// The checksum by which an S3-compatible target proves that it has the right bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Checksum {
    /// The `ETag` is the MD5, of a multipart object the MD5 over its parts' MD5s. Every store without KMS encryption.
    #[default]
    Md5,
    /// `x-amz-checksum-sha256`, checked by the store for every part and composed to the blob's content id. Amazon S3 and
    /// those few that compute it; Ceph ignores it.
    Sha256,
}

/// Where in URLs the bucket is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Addressing {
    /// In the path: `https://endpoint/bucket/key`.
    Path,
    /// In the host's name: `https://bucket.endpoint/key`.
    VirtualHosted,
    /// Nowhere: the endpoint is the bucket's own domain. OSS only.
    CustomDomain,
}

/// Credentials for a target.
#[derive(Debug, Clone)]
pub struct Credentials {
    /// The id of the key.
    pub access_key_id: String,
    /// The key.
    pub secret_access_key: SecretString,
    /// The token of temporary credentials (STS).
    pub session_token: Option<SecretString>,
}

impl Credentials {
    fn token(&self) -> Option<&str> {
        self.session_token.as_ref().map(ExposeSecret::expose_secret)
    }
}

/// A function that reads the document again wants to know whether it is the same.
impl PartialEq for Credentials {
    fn eq(&self, other: &Self) -> bool {
        self.access_key_id == other.access_key_id
            && self.secret_access_key.expose_secret() == other.secret_access_key.expose_secret()
            && self.token() == other.token()
    }
}

impl Eq for Credentials {}

impl Config {
    /// The target of this name.
    #[must_use]
    pub fn target(&self, name: &str) -> Option<&Target> {
        self.targets.iter().find(|target| target.name == name)
    }
}

/// The lowest rate that can be configured: at less, a segment of 64 MiB takes longer than a worker runs.
pub const MIN_BYTES_PER_SECOND: u64 = 128 * 1024;
/// How many targets there may be: a file with all its replicas is written in one transaction of at most a hundred writes.
pub const MAX_TARGETS: usize = 30;
/// The most slots of one target.
pub const MAX_WORKERS: u16 = 100;
