//! `cargo xtask release`: what a release consists of, and putting one into an environment.
//!
//! A release is one archive: what `sam build` made, the template and samconfig.toml. So any release can be deployed
//! again later exactly as it was, by the same command: that is how to roll back.

mod package;

use crate::{process, sam, ui, workspace};
use anyhow::{Context, Result, bail, ensure};
use clap::Subcommand;
use serde_json::Value;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

const CHECKSUMS: &str = "SHA256SUMS";

/// What is to be done.
#[derive(Debug, Subcommand)]
pub(crate) enum Release {
    /// Build one
    Package {
        /// Such as v1.2.3
        version: String,
        #[arg(default_value = "arm64", value_parser = ["arm64", "x86_64"])]
        architecture: String,
    },
    /// Put one into an environment, also an older one to roll back
    Deploy {
        archive: PathBuf,
        /// One of samconfig.toml
        environment: String,
    },
    /// Say which one is in an environment
    Deployed {
        /// One of samconfig.toml
        environment: String,
    },
}

pub(crate) fn run(what: &Release) -> Result<()> {
    match what {
        Release::Package {
            version,
            architecture,
        } => package::package(version, architecture),
        Release::Deploy { archive, environment } => deploy(&std::path::absolute(archive)?, environment),
        Release::Deployed { environment } => {
            // A stack from before there were releases has no such output.
            let version = outputs(environment)?.and_then(|outputs| output(&outputs, "Version").ok());
            // Nothing deployed is an answer, too.
            tell("version", &version.unwrap_or_default())
        }
    }
}

/// Where the archives are put.
fn releases() -> PathBuf {
    workspace::target().join("releases")
}

/// Deploys an archive into an environment of the samconfig.toml that is in it. Where the account is shared, the
/// environment says which bucket the functions go through, and with which role the stack is made.
fn deploy(archive: &Path, environment: &str) -> Result<()> {
    let folder = archive.parent().context("the archive is in no folder")?;
    let name = archive
        .file_name()
        .and_then(|name| name.to_str())
        .unwrap_or_default();
    let name = name
        .strip_suffix(".tar.gz")
        .with_context(|| format!("{} is no .tar.gz", archive.display()))?;
    check_sum(folder, archive)?;
    let unpacked = releases().join(format!("deploying-{}", std::process::id()));
    let _ = fs::remove_dir_all(&unpacked);
    fs::create_dir_all(&unpacked)?;
    let mut tar = Command::new("tar");
    process::output(
        tar.args(["--extract", "--gzip", "--file"])
            .arg(archive)
            .arg("--directory")
            .arg(&unpacked),
    )?;
    ui::step(&format!("Deploying {name} to {environment}"), || {
        let mut command = sam::command()?;
        command
            .args([
                "deploy",
                "--no-confirm-changeset",
                "--no-fail-on-empty-changeset",
                "--template-file",
            ])
            .args([
                "template.yaml",
                "--config-file",
                "samconfig.toml",
                "--config-env",
                environment,
            ])
            .current_dir(unpacked.join(name));
        match std::env::var("LONGSHORE_ARTIFACTS_BUCKET") {
            Ok(bucket) if !bucket.is_empty() => command.args(["--s3-bucket", &bucket]),
            // SAM's own bucket, which it makes.
            _ => command.arg("--resolve-s3"),
        };
        if let Ok(role) = std::env::var("LONGSHORE_STACK_ROLE")
            && !role.is_empty()
        {
            command.args(["--role-arn", &role]);
        }
        process::run(&mut command)
    })?;
    fs::remove_dir_all(&unpacked)?;
    let outputs = outputs(environment)?.context("there is no stack after the deployment")?;
    ui::detail(&format!(
        "{} is deployed to {environment}",
        output(&outputs, "Version")?
    ));
    tell("stack", &crate::deploy::stack_of(environment)?)?;
    tell("api", &api(&outputs)?)
}

/// Whether the archive is the one that its checksum was made of. Who made both is what the attestation says.
fn check_sum(folder: &Path, archive: &Path) -> Result<()> {
    let name = archive.file_name().unwrap_or_default().to_string_lossy();
    let sums = folder.join(CHECKSUMS);
    let text = fs::read_to_string(&sums).with_context(|| format!("cannot read {}", sums.display()))?;
    let said = process::output(Command::new("sha256sum").arg(archive))?;
    let sum = said.split(' ').next().unwrap_or_default();
    let listed = text
        .lines()
        .any(|line| line.split_once("  ") == Some((sum, &*name)));
    ensure!(
        listed,
        "{} is not what {CHECKSUMS} says: download both again",
        archive.display()
    );
    Ok(())
}

/// The outputs of an environment's stack, or nothing when there is no stack.
fn outputs(environment: &str) -> Result<Option<Vec<Value>>> {
    let mut command = sam::command()?;
    command.args([
        "list",
        "stack-outputs",
        "--output",
        "json",
        "--config-env",
        environment,
    ]);
    match process::output(&mut command) {
        Ok(said) => {
            let outputs =
                serde_json::from_str(&said).with_context(|| format!("not a list of outputs: {said}"))?;
            Ok(Some(outputs))
        }
        Err(error) if error.to_string().contains("does not exist") => Ok(None),
        Err(error) => bail!(error.context(format!("cannot ask what is deployed to {environment}"))),
    }
}

fn output(outputs: &[Value], key: &str) -> Result<String> {
    outputs
        .iter()
        .find(|output| output["OutputKey"] == key)
        .and_then(|output| output["OutputValue"].as_str())
        .map(str::to_owned)
        .with_context(|| format!("the stack has no output {key:?}"))
}

/// Where the API is: on AWS as the stack says, on an emulator below its own address.
fn api(outputs: &[Value]) -> Result<String> {
    match std::env::var("AWS_ENDPOINT_URL") {
        Ok(endpoint) if !endpoint.is_empty() => {
            let id = output(outputs, "ApiId")?;
            Ok(format!(
                "{}/_aws/execute-api/{id}/live",
                endpoint.trim_end_matches('/')
            ))
        }
        _ => output(outputs, "ApiUrl"),
    }
}

/// Says a result as `name=value`, and to the workflow's next steps if this is one.
fn tell(name: &str, value: &str) -> Result<()> {
    ui::line(&format!("{name}={value}"));
    if let Some(file) = std::env::var_os("GITHUB_OUTPUT") {
        let mut file = fs::File::options().create(true).append(true).open(file)?;
        writeln!(file, "{name}={value}")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_archive_must_be_the_one_listed() {
        let folder = tempfolder("sums");
        let archive = folder.join("a.tar.gz");
        fs::write(&archive, "bytes").unwrap();
        let sum = process::output(Command::new("sha256sum").arg("a.tar.gz").current_dir(&folder)).unwrap();
        fs::write(folder.join(CHECKSUMS), &sum).unwrap();
        assert!(check_sum(&folder, &archive).is_ok());
        fs::write(&archive, "other bytes").unwrap();
        assert!(check_sum(&folder, &archive).is_err());
        fs::write(&archive, "bytes").unwrap();
        fs::write(folder.join(CHECKSUMS), sum.replace("a.tar.gz", "b.tar.gz")).unwrap();
        assert!(check_sum(&folder, &archive).is_err());
        fs::remove_dir_all(folder).unwrap();
    }

    fn tempfolder(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("longshore-xtask-{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        folder
    }
}
