//! LocalStack as a Python package, with the plug-ins in `infra/localstack`: no container, no token, no download.

use super::dynamodb;
use crate::venv;
use anyhow::Result;
use std::fs;
use std::path::Path;
use std::process::Command;

pub(super) const PROGRAM: &str = "longshore_localstack";

/// The command that starts it. It begins with nothing each time: LocalStack keeps no data.
pub(super) fn command(folder: &Path, port: u16) -> Result<Command> {
    for name in ["home", "root", "tmp"] {
        let path = folder.join(name);
        if path.exists() {
            fs::remove_dir_all(&path)?;
        }
        fs::create_dir_all(&path)?;
    }
    let address = format!("127.0.0.1:{port}");
    let mut command = Command::new(venv::localstack()?.python());
    command
        .args(["-m", PROGRAM])
        .current_dir(folder)
        .env("HOME", folder.join("home"))
        .env("FILESYSTEM_ROOT", folder.join("root"))
        .env("TMPDIR", folder.join("tmp"))
        // Its own way of naming an address, and the same for the URLs that it hands out.
        .env("GATEWAY_LISTEN", &address)
        .env("LOCALSTACK_HOST", &address)
        .env("SQS_ENDPOINT_STRATEGY", "path")
        // Ours: see infra/localstack/longshore_localstack/__init__.py.
        .env("GATEWAY_SERVER", "local")
        .env("LAMBDA_RUNTIME_EXECUTOR", "process")
        .env("PROVIDER_OVERRIDE_DYNAMODB", "dynoxide")
        .env("LONGSHORE_DYNAMODB", dynamodb::address_file(folder))
        // As strict as it can be: a presigned URL is good for what was signed, and nothing else.
        .env("S3_SKIP_SIGNATURE_VALIDATION", "0")
        // It asks an idle queue every ten seconds otherwise.
        .env("LAMBDA_EVENT_SOURCE_MAPPING_MAX_BACKOFF_ON_EMPTY_POLL_SEC", "1")
        .env("LAMBDA_KEEPALIVE_MS", "60000")
        // When it asks for the fifth time whether a resource is there, it begins to wait a second in between.
        .env("CFN_NO_WAIT_ITERATIONS", "200")
        // Nothing leaves the machine: no usage data, no certificate, no name server.
        .env("DISABLE_EVENTS", "1")
        .env("SKIP_SSL_CERT_DOWNLOAD", "1")
        .env("DNS_ADDRESS", "0")
        .env("EAGER_SERVICE_LOADING", "0");
    Ok(command)
}
