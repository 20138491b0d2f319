//! Making a release: the functions for AWS with their template, the command line, and the checksums of both.

use super::{CHECKSUMS, releases, tell};
use crate::sam::{self, Build};
use crate::{build, process, ui, workspace};
use anyhow::{Context, Result, ensure};
use std::fs;
use std::path::Path;
use std::process::Command;

/// In the template's output `Version`, until a release is made of it.
const UNRELEASED: &str = "Value: unreleased";

/// Builds a release: the functions for AWS, the command line for this machine, and their checksums.
pub(super) fn package(version: &str, architecture: &str) -> Result<()> {
    check_version(version)?;
    let folder = releases().join(version);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;

    let content = releases().join(format!("longshore-{version}-{architecture}"));
    let _ = fs::remove_dir_all(&content);
    ui::step(&format!("Building {version} for AWS ({architecture})"), || {
        let overrides = [
            "--parameter-overrides".to_owned(),
            format!("Architecture={architecture}"),
        ];
        sam::build(Build::ForAws, &content, &overrides)
    })?;
    mark(&content.join("template.yaml"), version)?;
    fs::copy(
        workspace::root().join("infra/samconfig.toml"),
        content.join("samconfig.toml"),
    )?;
    pack(&content, &folder)?;

    build::cli()?;
    let cli = releases().join(format!("longshore-cli-{version}-{}", build::host()?));
    fs::create_dir_all(&cli)?;
    fs::copy(workspace::cli(), cli.join("longshore"))?;
    pack(&cli, &folder)?;

    ui::step("Writing the checksums", || {
        let sums = process::output(
            Command::new("sh")
                .args(["-c", "sha256sum -- *.tar.gz"])
                .current_dir(&folder),
        )?;
        fs::write(folder.join(CHECKSUMS), &sums)?;
        ui::detail(sums.trim_end().replace('\n', "\n    ").as_str());
        Ok(())
    })?;
    tell("folder", &folder.to_string_lossy())
}

/// A release is called by the version in Cargo.toml, and may say more after a hyphen (`v0.1.0-rc.1`).
fn check_version(version: &str) -> Result<()> {
    let wanted = concat!("v", env!("CARGO_PKG_VERSION"));
    let rest = version.strip_prefix(wanted);
    let plain = version
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || ".-".contains(c));
    ensure!(
        plain && rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('-')),
        "the release {version:?} is not of the version in Cargo.toml: call it {wanted} or {wanted}-<something>, or \
         change `version` there first"
    );
    Ok(())
}

/// Writes the version into the template's output, where `release deployed` and people look for it.
fn mark(template: &Path, version: &str) -> Result<()> {
    let text = fs::read_to_string(template).with_context(|| format!("cannot read {}", template.display()))?;
    ensure!(
        text.matches(UNRELEASED).count() == 1,
        "{} needs one output with `{UNRELEASED}`",
        template.display()
    );
    fs::write(template, text.replace(UNRELEASED, &format!("Value: {version}")))?;
    Ok(())
}

/// An archive of a folder that comes out the same whenever and by whomever it is made of the same files.
fn pack(content: &Path, into: &Path) -> Result<()> {
    let name = content
        .file_name()
        .context("the folder has no name")?
        .to_string_lossy();
    let archive = into.join(format!("{name}.tar.gz"));
    ui::step(&format!("Packing {name}.tar.gz"), || {
        let mut tar = Command::new("tar");
        tar.args([
            "--create",
            "--gzip",
            "--sort=name",
            "--owner=0",
            "--group=0",
            "--numeric-owner",
        ])
        .args([
            "--mtime=2000-01-01 00:00Z",
            "--mode=u=rwX,go=rX",
            "--format=ustar",
        ])
        .arg("--file")
        .arg(&archive)
        .arg("--directory")
        .arg(releases())
        .arg(&*name);
        process::output(&mut tar)?;
        fs::remove_dir_all(content)?;
        ui::detail(&ui::size(fs::metadata(&archive)?.len()));
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_release_is_called_by_its_version() {
        let version = env!("CARGO_PKG_VERSION");
        for right in [format!("v{version}"), format!("v{version}-rc.1")] {
            assert!(check_version(&right).is_ok(), "{right}");
        }
        for wrong in [
            version.to_owned(),
            format!("v{version}0"),
            format!("v{version}-a/b"),
            "v".to_owned(),
        ] {
            assert!(check_version(&wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_template_has_a_place_for_the_version() {
        let text = fs::read_to_string(workspace::root().join("infra/template.yaml")).unwrap();
        assert_eq!(text.matches(UNRELEASED).count(), 1);
    }
}
