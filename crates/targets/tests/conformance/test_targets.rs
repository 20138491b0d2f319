//! Servers to try targets on.

use crate::relay::Relay;
use aws_sdk_s3::Client;
use aws_sdk_s3::config::{BehaviorVersion, Builder, Credentials, Region};
use aws_sdk_s3::primitives::ByteStream;
use bytes::Bytes;
use domain::content::PartDigest;
use domain::targets::{Config, Target as Settings};
use host::{Clock, Rng};
use http_body::Frame;
use http_body_util::StreamBody;
use serde_json::{Value, json};
use std::convert::Infallible;
use std::env;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use store::Environment;
use targets::ReplicaTarget;
use targets::target::Copy;

/// The bucket that the checks have to themselves at servers that others use, too.
const BUCKET: &str = "longshore-conformance";
/// What the servers are signed in to with that are started here.
const KEY_ID: &str = "LTAIconformance";
const SECRET: &str = "a-secret-of-tests";

/// A server, and how a target there is configured.
/// With the system's time and random numbers.
pub(crate) fn environment() -> Environment {
    Environment::new(
        aws_config::SdkConfig::builder().build(),
        Clock::system(),
        Rng::system(),
    )
}

pub(crate) struct TestTarget {
    pub(crate) settings: Settings,
    _server: Option<OssServer>,
}

impl TestTarget {
    fn new(document: &Value, server: Option<OssServer>) -> Self {
        let text = json!({ "targets": [document] }).to_string();
        Self {
            settings: Config::parse(&text).unwrap().targets.remove(0),
            _server: server,
        }
    }

    /// The target.
    pub(crate) fn target(&self) -> Box<dyn ReplicaTarget> {
        self.with(|_| {})
    }

    /// The target with other settings.
    pub(crate) fn with(&self, change: impl FnOnce(&mut Settings)) -> Box<dyn ReplicaTarget> {
        targets::open(&self.but(change), &environment()).unwrap()
    }

    /// The settings, with a change.
    pub(crate) fn but(&self, change: impl FnOnce(&mut Settings)) -> Settings {
        let mut settings = self.settings.clone();
        change(&mut settings);
        settings
    }

    /// The target behind something that lets things go wrong.
    pub(crate) async fn behind_relay(&self) -> (Relay, Box<dyn ReplicaTarget>) {
        let relay = Relay::start(self.port()).await;
        let port = relay.port;
        let target = self.with(|settings| {
            let (host, _) = settings.endpoint.rsplit_once(':').unwrap();
            settings.endpoint = format!("{host}:{port}");
        });
        (relay, target)
    }

    /// Where the server listens.
    pub(crate) fn port(&self) -> u16 {
        let (_, port) = self.settings.endpoint.rsplit_once(':').unwrap();
        port.parse().unwrap()
    }
}

/// A key that nobody else uses.
pub(crate) fn fresh_key() -> String {
    format!("conformance/{:032x}", rand::random::<u128>())
}

/// Bytes that nobody else has.
pub(crate) fn fresh_bytes(length: usize) -> Vec<u8> {
    let mut state = rand::random::<u64>() | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[3]
    };
    (0..length).map(|_| next()).collect()
}

/// Bytes on their way.
pub(crate) fn copy(bytes: &[u8]) -> Copy {
    copy_of(bytes, bytes)
}

/// Bytes on their way that should be others.
pub(crate) fn copy_of(bytes: &[u8], expected: &[u8]) -> Copy {
    let frame = |piece: &[u8]| Ok::<_, Infallible>(Frame::data(Bytes::copy_from_slice(piece)));
    let frames: Vec<_> = bytes.chunks(16 * 1024).map(frame).collect();
    Copy {
        source: ByteStream::from_body_1_x(StreamBody::new(futures::stream::iter(frames))),
        length: expected.len().try_into().unwrap(),
        digest: PartDigest::of(expected),
    }
}

/// The Ceph gateway that `LONGSHORE_CEPH` names.
pub(crate) async fn ceph() -> TestTarget {
    let ceph = read("LONGSHORE_CEPH");
    let (id, secret) = (&ceph["access_key_id"], &ceph["secret_access_key"]);
    let document = json!({
        "name": "near", "kind": "ceph", "endpoint": ceph["endpoint"], "bucket": BUCKET,
        "access_key_id": id, "secret_access_key": secret,
    });
    let place = TestTarget::new(&document, None);
    make_bucket(&place, id.as_str().unwrap(), secret.as_str().unwrap()).await;
    place
}

/// The S3 of the stack that `LONGSHORE_STACK` names.
pub(crate) async fn s3() -> TestTarget {
    let stack = read("LONGSHORE_STACK");
    let endpoint = stack["endpoint"].as_str().unwrap();
    let (_, port) = endpoint.rsplit_once(':').expect("the stack is an emulator");
    let document = json!({
        "name": "near", "kind": "ceph", "checksum": "sha256", "addressing": "virtual_hosted", "bucket": BUCKET,
        "endpoint": format!("http://s3.localhost:{port}"), "access_key_id": "test", "secret_access_key": "test",
    });
    let place = TestTarget::new(&document, None);
    make_bucket(&place, "test", "test").await;
    place
}

async fn make_bucket(place: &TestTarget, id: &str, secret: &str) {
    let sdk = Builder::new()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .endpoint_url(format!("http://127.0.0.1:{}", place.port()))
        .credentials_provider(Credentials::new(id, secret, None, None, "the test"))
        .force_path_style(true);
    // It is there already, if another check was faster.
    let _ = Client::from_conf(sdk.build())
        .create_bucket()
        .bucket(BUCKET)
        .send()
        .await;
}

/// OSS as it is.
pub(crate) async fn oss() -> TestTarget {
    let server = OssServer::start(&[]);
    let document = oss_document(&format!("http://localhost:{}", server.port));
    TestTarget::new(&document, Some(server))
}

/// OSS with a bucket whose `ETag`s are no MD5, as they are where it encrypts with keys of KMS.
pub(crate) async fn oss_other_etags() -> TestTarget {
    let server = OssServer::start(&["--etags", "random"]);
    let document = oss_document(&format!("http://localhost:{}", server.port));
    TestTarget::new(&document, Some(server))
}

/// OSS under a domain of the bucket's own, and with temporary credentials.
pub(crate) async fn oss_token_custom_domain() -> TestTarget {
    let server = OssServer::start(&[
        "--custom-domain",
        "files.localhost",
        "--security-token",
        "a-token",
    ]);
    let mut document = oss_document(&format!("http://files.localhost:{}", server.port));
    document["addressing"] = json!("custom_domain");
    document["session_token"] = json!("a-token");
    TestTarget::new(&document, Some(server))
}

/// OSS behind a certificate that nobody knows but the target's CA bundle.
pub(crate) async fn oss_path_tls() -> TestTarget {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/conformance/tls");
    let file = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    let server = OssServer::start(&[
        "--tls-cert",
        &file("server.pem"),
        "--tls-key",
        &file("server.key"),
    ]);
    let mut document = oss_document(&format!("https://localhost:{}", server.port));
    document["addressing"] = json!("path");
    document["ca_bundle"] = json!(include_str!("tls/ca.pem"));
    TestTarget::new(&document, Some(server))
}

fn oss_document(endpoint: &str) -> Value {
    json!({
        "name": "far", "kind": "oss", "endpoint": endpoint, "region": "cn-hangzhou", "bucket": "replicas",
        "access_key_id": KEY_ID, "secret_access_key": SECRET,
    })
}

/// A strict OSS server with one bucket. It ends with the check.
struct OssServer {
    process: Child,
    folder: PathBuf,
    port: u16,
}

impl OssServer {
    /// The server shares no code with what it tests, and is a program of its own: as a library it would ask for other
    /// features of the crates that the AWS SDK is made of.
    fn start(arguments: &[&str]) -> Self {
        let program = oss_program();
        let folder = env::temp_dir().join(format!("longshore-conformance-{:016x}", rand::random::<u64>()));
        let mut process = Command::new(program)
            .arg("--dir")
            .arg(&folder)
            .args(["--bucket", "replicas", "--access-key-id", KEY_ID])
            .args(["--secret-access-key", SECRET])
            .args(arguments)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let mut out = BufReader::new(process.stdout.take().unwrap());
        out.read_line(&mut line).unwrap();
        let ready: Value = serde_json::from_str(&line).expect("the OSS server says where it is");
        let (_, port) = ready["endpoint"].as_str().unwrap().rsplit_once(':').unwrap();
        Self {
            process,
            folder,
            port: port.parse().unwrap(),
        }
    }
}

/// The program that `LONGSHORE_OSS_SERVER` names; otherwise where Cargo puts it, beside this test's folder.
fn oss_program() -> PathBuf {
    let program = env::var_os("LONGSHORE_OSS_SERVER").map_or_else(
        || {
            let folder = env::current_exe().unwrap();
            folder.parent().unwrap().with_file_name("oss-server")
        },
        PathBuf::from,
    );
    assert!(
        program.exists(),
        "{} is not there: run these tests with `cargo xtask test`, or build it with `cargo build --release --target \
         <this machine's> -p oss-server`",
        program.display()
    );
    program
}

impl Drop for OssServer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Reads the JSON file that an environment variable names. A test that cannot run must not look as if it had.
fn read(variable: &str) -> Value {
    let Some(path) = env::var_os(variable) else {
        panic!("{variable} is not set: these tests need real servers, run them with `cargo xtask test`");
    };
    let path = PathBuf::from(path);
    let text = fs::read(&path).unwrap_or_else(|error| panic!("{variable}={}: {error}", path.display()));
    serde_json::from_slice(&text).unwrap_or_else(|error| panic!("{variable}={}: {error}", path.display()))
}
