//! What the server is told when it starts.

use std::path::PathBuf;

/// What the server is told when it starts.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where the data is.
    pub folder: PathBuf,
    /// On 127.0.0.1; 0 for any that is free.
    pub port: u16,
    /// The one bucket there is.
    pub bucket: String,
    /// Such as `cn-hangzhou`.
    pub region: String,
    /// Who may ask.
    pub access_key_id: String,
    /// What they sign with.
    pub secret_access_key: String,
    /// What they must send as well, if their credentials are temporary ones.
    pub security_token: Option<String>,
    /// Hosts that stand for the bucket, as a CNAME does.
    pub custom_domains: Vec<String>,
    /// What the `ETag`s are.
    pub etags: Etags,
    /// PEM files with certificate and key, for HTTPS.
    pub tls: Option<(PathBuf, PathBuf)>,
    /// What opens the admin paths; a random one if there is none.
    pub admin_token: Option<String>,
}

/// What the `ETag` of an object or part is that was sent in one request. OSS promises nothing but that another content
/// has another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Etags {
    /// The MD5 of the bytes, as in a bucket without encryption.
    Md5,
    /// Something else, and each time another one, as in a bucket that encrypts with keys of KMS.
    Random,
}

impl std::str::FromStr for Etags {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "md5" => Ok(Self::Md5),
            "random" => Ok(Self::Random),
            _ => Err("md5 or random".to_owned()),
        }
    }
}

impl Settings {
    /// Settings of which a test changes what it is about.
    #[must_use]
    pub fn for_tests(folder: &std::path::Path) -> Self {
        Self {
            folder: folder.to_owned(),
            port: 0,
            bucket: "replicas".to_owned(),
            region: "cn-hangzhou".to_owned(),
            access_key_id: "LTAItest".to_owned(),
            secret_access_key: "a secret of tests".to_owned(),
            security_token: None,
            custom_domains: Vec::new(),
            etags: Etags::Md5,
            tls: None,
            admin_token: None,
        }
    }
}
