//! What is deployed, as `cargo xtask` wrote it down.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::collections::HashMap;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

/// The stack under test.
#[derive(Debug, Deserialize)]
pub(crate) struct Stack {
    /// Where the paths that begin with `/v1` are.
    pub(crate) api_url: String,
    /// `ministack` or `localstack`; nothing on AWS.
    #[serde(default)]
    pub(crate) emulator: Option<String>,
    /// Where the emulator is; empty on AWS.
    #[serde(default)]
    pub(crate) endpoint: String,
    pub(crate) region: String,
    pub(crate) table: String,
    pub(crate) bucket: String,
    pub(crate) queue_url: String,
    /// For segments of large blobs.
    pub(crate) copy_queue_url: String,
    pub(crate) dlq_url: String,
    pub(crate) targets_secret_id: String,
    /// What each function is called there, by its folder's name.
    pub(crate) functions: HashMap<String, String>,
    /// The places where every new file is copied to.
    pub(crate) targets: Vec<Value>,
}

impl Stack {
    /// Where a service is that the functions call.
    pub(crate) fn url_of(&self, service: &str) -> String {
        if self.endpoint.is_empty() {
            let china = if self.region.starts_with("cn-") { ".cn" } else { "" };
            format!("https://{service}.{}.amazonaws.com{china}", self.region)
        } else {
            self.endpoint.clone()
        }
    }

    pub(crate) fn is_localstack(&self) -> bool {
        self.emulator.as_deref() == Some("localstack")
    }
}

/// The stack that `LONGSHORE_STACK` names.
pub(crate) fn stack() -> &'static Stack {
    static STACK: LazyLock<Stack> = LazyLock::new(|| read("LONGSHORE_STACK"));
    &STACK
}

/// Reads the JSON file that an environment variable names. A test that cannot run must not look as if it had.
pub(crate) fn read<T: DeserializeOwned>(variable: &str) -> T {
    let Some(path) = env::var_os(variable) else {
        panic!("{variable} is not set: these tests need a stack, run them with `cargo xtask test`");
    };
    let text = fs::read(&path).unwrap_or_else(|error| panic!("{variable}={}: {error}", path.display()));
    serde_json::from_slice(&text).unwrap_or_else(|error| panic!("{variable}={}: {error}", path.display()))
}

/// A function's program, as it was deployed: in the folder that `LONGSHORE_FUNCTIONS` names, or else where cargo-lambda puts it.
pub(crate) fn bootstrap(function: &str) -> PathBuf {
    let folder = env::var_os("LONGSHORE_FUNCTIONS").map(PathBuf::from);
    let folder = folder.unwrap_or_else(|| root().join("target/lambda"));
    folder.join(function).join("bootstrap")
}

/// The repository.
pub(crate) fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap().to_path_buf()
}

/// The Python of the embedded stack, which has boto3.
pub(crate) fn python() -> PathBuf {
    root().join(".longshore/venv/bin/python")
}
