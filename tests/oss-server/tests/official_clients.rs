//! The official clients against the server: everything goes with good credentials, and nothing with bad ones.
//!
//! `LONGSHORE_OSS_CLIENTS` names the folder that they are installed in: a Python environment with `node_modules` in it.

#![allow(clippy::disallowed_methods, reason = "xtask tells in variables")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test stops where it fails, and says so"
)]

use oss_server::{Etags, Kind, Plan, Server, Settings};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

/// What each suite checks. A suite that ran less has not passed.
const CHECKS: [&str; 12] = [
    "put_get",
    "head",
    "content_md5",
    "range_get",
    "unicode_key",
    "list_objects",
    "delete",
    "forbid_overwrite",
    "presigned_get",
    "multipart",
    "wrong_parts",
    "abort_and_list",
];
const FOR_NODE: &str = "with_ali_oss.mjs";
const SUITES: [&str; 3] = ["with_oss2.py", "with_oss_v2.py", FOR_NODE];
/// Stands for the bucket, as a CNAME would. The client for Node.js takes no proxy, so it needs one that resolves.
const DOMAIN: &str = "files.example.com";
const LOCAL_DOMAIN: &str = "localhost";

fn settings(folder: &Path) -> Settings {
    Settings {
        custom_domains: vec![DOMAIN.to_owned(), LOCAL_DOMAIN.to_owned()],
        ..Settings::for_tests(folder)
    }
}

fn installed() -> PathBuf {
    let folder = std::env::var_os("LONGSHORE_OSS_CLIENTS");
    folder
        .expect(
            "LONGSHORE_OSS_CLIENTS must name the folder of the official clients; `cargo xtask test` sets it",
        )
        .into()
}

fn is_for_node(script: &str) -> bool {
    Path::new(script)
        .extension()
        .is_some_and(|extension| extension == "mjs")
}

fn interpreter(suite: &str) -> PathBuf {
    let name = if is_for_node(suite) { "node" } else { "python" };
    installed().join("bin").join(name)
}

/// Where a client thinks that the server is.
#[derive(Clone, Copy)]
enum Through {
    /// At an address. The clients for Python put the bucket into the path then, the one for Node.js into `Host`.
    Address,
    /// At a public endpoint of OSS, with the bucket before its name.
    PublicEndpoint,
    /// At a domain that stands for the bucket.
    Domain,
}

impl Through {
    const ALL: [Self; 3] = [Self::Address, Self::PublicEndpoint, Self::Domain];

    /// Has a client ask there. Whatever the name, the server is asked: it is the proxy.
    fn tell(self, command: &mut Command, suite: &str, server: &Server) {
        for name in [
            "http_proxy",
            "HTTP_PROXY",
            "all_proxy",
            "ALL_PROXY",
            "no_proxy",
            "NO_PROXY",
            "OSS_CNAME",
        ] {
            command.env_remove(name);
        }
        let node = is_for_node(suite);
        let (endpoint, proxy) = match self {
            Self::PublicEndpoint if !node => ("http://oss-cn-hangzhou.aliyuncs.com".to_owned(), true),
            Self::Address | Self::PublicEndpoint => (server.endpoint.clone(), false),
            Self::Domain if node => (server.endpoint.replace("127.0.0.1", LOCAL_DOMAIN), false),
            Self::Domain => (format!("http://{DOMAIN}"), true),
        };
        command.env("OSS_ENDPOINT", endpoint);
        if proxy {
            command.env("http_proxy", &server.endpoint);
        }
        if matches!(self, Self::Domain) {
            command.env("OSS_CNAME", "1");
        }
    }
}

/// Runs a suite, or some of its checks, and returns the outcome of each.
fn run(suite: &str, server: &Server, client: &Settings, through: Through, checks: &[&str]) -> Value {
    let said = script(suite, server, client, through, checks);
    let said = said.unwrap_or_else(|complaint| panic!("{suite}: {complaint}"));
    serde_json::from_str(&said).unwrap_or_else(|error| panic!("{suite}: {error}: {said}"))
}

/// Runs a script and returns its output, or its error.
fn script(
    name: &str,
    server: &Server,
    client: &Settings,
    through: Through,
    arguments: &[&str],
) -> Result<String, String> {
    let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("../oss-clients");
    let mut command = Command::new(interpreter(name));
    command
        .arg(scripts.join(name))
        .args(arguments)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("OSS_BUCKET", &client.bucket)
        .env("OSS_REGION", &client.region)
        .env("OSS_ACCESS_KEY_ID", &client.access_key_id)
        .env("OSS_SECRET_ACCESS_KEY", &client.secret_access_key)
        .env_remove("OSS_SECURITY_TOKEN");
    through.tell(&mut command, name, server);
    if let Some(token) = &client.security_token {
        command.env("OSS_SECURITY_TOKEN", token);
    }
    let output = command.output().unwrap();
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    } else {
        Err(String::from_utf8_lossy(&output.stderr).into_owned())
    }
}

/// Every check has this outcome.
fn all(outcome: &str) -> Value {
    let outcomes = CHECKS.map(|name| (name.to_owned(), json!(outcome)));
    Value::Object(outcomes.into_iter().collect())
}

#[test]
fn with_good_credentials_everything_goes() {
    let token = "CAIS/a+token=".to_owned();
    for (token, etags) in [(None, Etags::Md5), (Some(token), Etags::Random)] {
        let folder = TempDir::new().unwrap();
        let mut settings = settings(folder.path());
        settings.security_token = token;
        settings.etags = etags;
        let server = Server::start(settings.clone()).unwrap();
        for suite in SUITES {
            for through in Through::ALL {
                let outcomes = run(suite, &server, &settings, through, &[]);
                assert_eq!(outcomes, all("ok"), "{suite}");
            }
        }
    }
}

#[test]
fn with_bad_credentials_nothing_goes() {
    let folder = TempDir::new().unwrap();
    let settings = settings(folder.path());
    let server = Server::start(settings.clone()).unwrap();
    let mut secret = settings.clone();
    secret.secret_access_key.push('x');
    let mut unknown = settings.clone();
    unknown.access_key_id.push('x');
    let mut region = settings.clone();
    region.region = "cn-beijing".to_owned();
    let mut token = settings.clone();
    token.security_token = Some("token".to_owned());
    let mut bucket = settings.clone();
    bucket.bucket = "others".to_owned();
    for (client, code) in [
        (secret, "SignatureDoesNotMatch"),
        (unknown, "InvalidAccessKeyId"),
        (region, "InvalidArgument"),
        (token, "InvalidAccessKeyId"),
        (bucket, "NoSuchBucket"),
    ] {
        for suite in SUITES {
            let outcomes = run(suite, &server, &client, Through::Address, &[]);
            assert_eq!(outcomes, all(code), "{suite}");
        }
    }
    assert!(is_empty(folder.path()));
}

#[test]
fn with_bad_temporary_credentials_nothing_goes() {
    let folder = TempDir::new().unwrap();
    let mut settings = settings(folder.path());
    settings.security_token = Some("right".to_owned());
    let server = Server::start(settings.clone()).unwrap();
    let mut wrong = settings.clone();
    wrong.security_token = Some("wrong".to_owned());
    let mut none = settings.clone();
    none.security_token = None;
    for (client, code) in [(wrong, "InvalidSecurityToken"), (none, "InvalidAccessKeyId")] {
        for suite in SUITES {
            let outcomes = run(suite, &server, &client, Through::Address, &[]);
            assert_eq!(outcomes, all(code), "{suite}");
        }
    }
    assert!(is_empty(folder.path()));
}

/// Also a test of the tests: clients that compare checksums have to notice.
#[test]
fn clients_that_compare_checksums_notice_corrupted_bytes() {
    let folder = TempDir::new().unwrap();
    let settings = settings(folder.path());
    let server = Server::start(settings.clone()).unwrap();
    let plan = Plan {
        rate: 1.0,
        kinds: vec![Kind::CorruptStored],
        ..Plan::default()
    };
    server.plan(plan).unwrap();
    for suite in ["with_oss2.py", "with_oss_v2.py"] {
        for check in ["put_get", "multipart"] {
            let outcomes = run(suite, &server, &settings, Through::Address, &[check]);
            let outcome = outcomes[check].as_str().unwrap();
            assert!(outcome.contains("Inconsistent"), "{suite}: {outcome}");
        }
    }
    // This one compares nothing, but sends Content-MD5 with what it has in memory.
    let outcomes = run(FOR_NODE, &server, &settings, Through::Address, &["put_get"]);
    assert_eq!(outcomes, json!({ "put_get": "InvalidDigest" }));
}

#[test]
fn what_is_there_can_be_read_by_each_client_and_damage_is_noticed() {
    let folder = TempDir::new().unwrap();
    let settings = settings(&folder.path().join("data"));
    let server = Server::start(settings.clone()).unwrap();
    let check = run(
        "with_oss2.py",
        &server,
        &settings,
        Through::Address,
        &["multipart"],
    );
    assert_eq!(check, json!({ "multipart": "ok" }));
    let key = "oss2/multipart";
    let read = |name: &str, arguments: &[&str]| script(name, &server, &settings, Through::Address, arguments);
    let ask = |client: &str, what: &str, key: &str| -> Value {
        serde_json::from_str(&read("read.py", &[client, what, key]).unwrap()).unwrap()
    };
    let file = folder.path().join("copy");
    let path = file.to_str().unwrap();
    let whole = [vec![1; 102_400], vec![2; 102_401], vec![3; 5]].concat();
    for client in ["oss2", "v2"] {
        assert_eq!(ask(client, "list", "oss2/"), json!([key]));
        assert_eq!(ask(client, "multiparts", ""), json!([]));
        assert_eq!(ask(client, "head", "none"), Value::Null);
        assert_eq!(ask(client, "head", key)["size"], whole.len());
        read("read.py", &[client, "get", key, path]).unwrap();
        assert_eq!(std::fs::read(&file).unwrap(), whole);
        std::fs::remove_file(&file).unwrap();
    }
    read("read.mjs", &["get", key, path]).unwrap();
    assert_eq!(std::fs::read(&file).unwrap(), whole);

    for blob in std::fs::read_dir(settings.folder.join("blobs")).unwrap() {
        let blob = blob.unwrap().path();
        let mut bytes = std::fs::read(&blob).unwrap();
        bytes[0] ^= 1;
        std::fs::write(&blob, bytes).unwrap();
    }
    for client in ["oss2", "v2"] {
        let complaint = read("read.py", &[client, "get", key, path]).unwrap_err();
        assert!(complaint.contains("InconsistentError"), "{complaint}");
    }
}

fn is_empty(folder: &Path) -> bool {
    ["objects", "uploads", "blobs"].iter().all(|name| {
        let mut entries = std::fs::read_dir(folder.join(name)).unwrap();
        entries.next().is_none()
    })
}
