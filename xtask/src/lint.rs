//! `cargo xtask lint`: the checks that are not the compiler's or Clippy's: the shape of the source files, the dependencies,
//! the templates, the workflows, their scripts.
//!
//! What each tool lets pass, and why, is in its own file: .cfnlintrc.yaml, .checkov.yaml, .github/zizmor.yml, and
//! `Metadata` in the templates.

mod sources;

use crate::build::{self, LinkedFor};
use crate::sam::{self, Build};
use crate::venv::{self, Tool, Venv};
use crate::{process, ui, workspace};
use anyhow::{Context, Result, bail, ensure};
use std::fs;
use std::path::Path;
use std::process::Command;

const WORKFLOWS: &str = ".github/workflows";

/// All of it, with the functions built before.
pub(crate) fn run() -> Result<()> {
    let mut failures = checks()?;
    build::functions(&venv::embedded()?, LinkedFor::ThisMachine)?;
    failures.extend(sam_build()?);
    if !failures.is_empty() {
        bail!("failed: {}", failures.join(", "));
    }
    Ok(())
}

/// What needs nothing built. Returns the names of the checks that failed.
pub(crate) fn checks() -> Result<Vec<&'static str>> {
    let lint = venv::tool(&Tool::Lint)?;
    let checkov = venv::tool(&Tool::Checkov)?;
    let mut failures = Vec::new();
    let mut check = |name: &'static str, title: &str, work: &dyn Fn() -> Result<()>| {
        if let Err(error) = ui::step(title, work) {
            ui::detail(&error.to_string());
            failures.push(name);
        }
    };
    let run = |program: &str, arguments: &[&str]| {
        process::run(
            Command::new(lint.program(program))
                .args(arguments)
                .current_dir(workspace::root()),
        )
    };
    check(
        "source files",
        "Checking the length and the imports of source files",
        &sources::check,
    );
    check(
        "cargo-deny",
        "Checking the dependencies with cargo-deny",
        &dependencies,
    );
    check("sam validate", "Checking the template with SAM", &|| {
        process::run(sam::command()?.args(["validate", "--lint", "--region", "us-east-1"]))
    });
    check("cfn-lint", "Checking the templates with cfn-lint", &|| {
        run("cfn-lint", &[])
    });
    check("checkov", "Checking the templates with checkov", &|| {
        process::run(in_checkov(&checkov).args(["--config-file", ".checkov.yaml"]))
    });
    check("actionlint", "Checking the workflows with actionlint", &|| {
        let shellcheck = lint.program("shellcheck");
        run(
            "actionlint",
            &["-no-color", "-shellcheck", &shellcheck.to_string_lossy()],
        )
    });
    check("zizmor", "Checking the workflows with zizmor", &|| {
        let settings = ["--offline", "--quiet", "--no-progress", "--persona", "pedantic"];
        run("zizmor", &[&settings[..], &[".github"]].concat())
    });
    check(
        "checkov (workflows)",
        "Checking the workflows with checkov",
        &|| checkov_on_workflows(&checkov),
    );
    check("shellcheck", "Checking the scripts with shellcheck", &|| {
        let folder = workspace::root().join("infra/release");
        let mut scripts = vec![".ci/run".to_owned()];
        for entry in fs::read_dir(&folder)? {
            scripts.push(entry?.path().to_string_lossy().into_owned());
        }
        run(
            "shellcheck",
            &scripts.iter().map(String::as_str).collect::<Vec<_>>(),
        )
    });
    Ok(failures)
}

/// What dependencies there are, from where, and under which licences (deny.toml). Which of them have known weaknesses is in
/// a database on the network, so the CI workflow asks for that.
fn dependencies() -> Result<()> {
    const VERSION: &str = "0.20.2";
    let folder = workspace::root().join(format!(".longshore/cargo-deny-{VERSION}"));
    let program = folder.join("bin/cargo-deny");
    if !program.exists() {
        ui::detail(&format!("installing cargo-deny {VERSION}"));
        // As quickly as it can be compiled: it runs for a second.
        let mut install = build::cargo(&[
            "install",
            "cargo-deny",
            "--version",
            VERSION,
            "--locked",
            "--debug",
        ]);
        install.env("CARGO_PROFILE_DEV_DEBUG", "false");
        process::run(install.arg("--root").arg(&folder))?;
    }
    let settings = ["--all-features", "--locked", "check", "--hide-inclusion-graph"];
    process::run(
        Command::new(program)
            .args(settings)
            .args(["bans", "licenses", "sources"])
            .current_dir(workspace::root()),
    )
}

/// checkov, which otherwise asks its vendor for the names that its checks have there.
fn in_checkov(checkov: &Venv) -> Command {
    let mut command = Command::new(checkov.program("checkov"));
    command
        .current_dir(workspace::root())
        .env("BC_SKIP_MAPPING", "TRUE")
        .env("LOG_LEVEL", "WARNING");
    command
}

/// checkov leaves out, without a word, a workflow with anything that it does not know, and it does not know
/// `attestations` among the permissions. So it gets copies without that, and must find something to check in each.
fn checkov_on_workflows(checkov: &Venv) -> Result<()> {
    let copies = workspace::target().join("checkov");
    let folder = copies.join(WORKFLOWS);
    let _ = fs::remove_dir_all(&copies);
    fs::create_dir_all(&folder)?;
    for entry in fs::read_dir(workspace::root().join(WORKFLOWS))? {
        let path = entry?.path();
        let copy = folder.join(path.file_name().context("a workflow without a name")?);
        write_without(&path, &copy, "attestations:")?;
        let mut command = in_checkov(checkov);
        command
            .args([
                "--framework",
                "github_actions",
                "--compact",
                "--skip-download",
                "--file",
            ])
            .arg(&copy);
        let said = process::output(&mut command)?;
        let passed = said
            .split_once("Passed checks: ")
            .and_then(|(_, rest)| rest.split(',').next()?.parse().ok())
            .unwrap_or(0_u32);
        ensure!(passed > 0, "checkov found nothing to check in {}", path.display());
        ui::detail(&format!("{passed} checks passed in {}", path.display()));
    }
    fs::remove_dir_all(&copies)?;
    Ok(())
}

fn write_without(original: &Path, copy: &Path, word: &str) -> Result<()> {
    let text = fs::read_to_string(original).with_context(|| format!("cannot read {}", original.display()))?;
    let kept: Vec<&str> = text
        .lines()
        .filter(|line| !line.trim_start().starts_with(word))
        .collect();
    fs::write(copy, kept.join("\n"))?;
    Ok(())
}

/// `sam build` of the whole template, with what is compiled already. Returns its name if it failed.
pub(crate) fn sam_build() -> Result<Option<&'static str>> {
    let folder = workspace::target().join("sam-check");
    let built = ui::step("Building the template with SAM", || {
        let architecture = format!("Architecture={}", build::architecture());
        let overrides = ["--parameter-overrides".to_owned(), architecture];
        sam::build(Build::AsHere, &folder, &overrides)?;
        let packed = fs::read_dir(&folder)?
            .flatten()
            .filter(|entry| entry.path().join("bootstrap").is_file())
            .count();
        let wanted = workspace::functions()?.len();
        ensure!(
            packed == wanted,
            "SAM built {packed} functions, and functions/src/bin has {wanted}: is each in infra/template.yaml?"
        );
        Ok(())
    });
    if let Err(error) = built {
        ui::detail(&error.to_string());
        return Ok(Some("sam build"));
    }
    fs::remove_dir_all(&folder)?;
    Ok(None)
}
