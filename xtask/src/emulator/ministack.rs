//! MiniStack: starts in a second, answers quickly, keeps its state in files.

use super::{REGION, dynamodb};
use crate::{venv, workspace};
use anyhow::Result;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

pub(super) const PROGRAM: &str = "ministack_server.py";

/// Where it writes down what each role was allowed to do.
pub(super) fn roles_file(folder: &Path) -> PathBuf {
    folder.join("roles.jsonl")
}

/// The command that starts it.
pub(super) fn command(folder: &Path, port: u16) -> Result<Command> {
    for name in ["state", "objects", "parts", "tmp"] {
        fs::create_dir_all(folder.join(name))?;
    }
    let mut command = Command::new(venv::embedded()?.python());
    command
        .arg(workspace::embedded(PROGRAM))
        // Each function has what its role allows, as on AWS, and nothing else.
        .env("AUTH", "true")
        .env("AWS_ACCESS_KEY_ID", "test")
        .env("AWS_SECRET_ACCESS_KEY", "test")
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env("AWS_REGION", REGION)
        // Where the functions find S3, DynamoDB and the rest; without it they would try the real AWS.
        .env("AWS_ENDPOINT_URL", format!("http://127.0.0.1:{port}"))
        .env("BIND_HOST", "127.0.0.1")
        .env("GATEWAY_PORT", port.to_string())
        // Each function that idles costs a little, all the time; a start costs next to nothing.
        .env("LAMBDA_WARM_TTL_SECONDS", "15")
        .env("LONGSHORE_DYNAMODB", dynamodb::address_file(folder))
        .env("LONGSHORE_PARTS_DIR", folder.join("parts"))
        .env("LONGSHORE_ROLES_FILE", roles_file(folder))
        .env("MINISTACK_REGION", REGION)
        .env("PERSIST_STATE", "1")
        .env("S3_DATA_DIR", folder.join("objects"))
        .env("S3_PERSIST", "1")
        .env("STATE_DIR", folder.join("state"))
        .env("TMPDIR", folder.join("tmp"));
    Ok(command)
}
