//! Private Python environments: one for the embedded stack (MiniStack, cargo-lambda, what the deployment script
//! needs), one for LocalStack, one for each tool that checks or deploys the template.

use crate::python::{self, ANY, FOR_LOCALSTACK, FOR_SCHEMATHESIS, Wanted};
use crate::{process, ui, workspace};
use anyhow::{Context, Result};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// An environment with everything installed.
pub(crate) struct Venv {
    folder: PathBuf,
}

impl Venv {
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(crate) fn python(&self) -> PathBuf {
        self.program("python")
    }

    pub(crate) fn program(&self, name: &str) -> PathBuf {
        self.folder.join("bin").join(name)
    }
}

/// The environment of the embedded stack. It does not belong to a state folder: tests share it.
pub(crate) fn embedded() -> Result<Venv> {
    let requirements = workspace::embedded("requirements.txt");
    ensure("venv", &requirements, &ANY)
}

/// A tool that is not needed to run the stack, in an environment of its own: they want different versions of the same
/// packages.
pub(crate) enum Tool {
    /// The SAM CLI.
    Sam,
    /// The linker for Amazon Linux.
    Zig,
    /// cfn-lint, actionlint, shellcheck and zizmor.
    Lint,
    Checkov,
    /// What replication is compared with.
    Rclone,
    /// schemathesis.
    Fuzz,
    /// cargo-nextest, which runs the tests.
    Nextest,
}

impl Tool {
    fn name(&self) -> &'static str {
        match self {
            Self::Sam => "sam",
            Self::Zig => "zig",
            Self::Lint => "lint",
            Self::Checkov => "checkov",
            Self::Rclone => "rclone",
            Self::Fuzz => "fuzz",
            Self::Nextest => "nextest",
        }
    }
}

/// The environment of a tool.
pub(crate) fn tool(tool: &Tool) -> Result<Venv> {
    let name = tool.name();
    let requirements = workspace::root().join(format!("infra/tools/requirements-{name}.txt"));
    let python = match tool {
        Tool::Fuzz => &FOR_SCHEMATHESIS,
        _ => &ANY,
    };
    ensure(&format!("venv-{name}"), &requirements, python)
}

/// Why there can be no schemathesis here, if that is so.
pub(crate) fn no_schemathesis() -> Option<String> {
    let there = python::find(&FOR_SCHEMATHESIS);
    there.err().map(|error| error.to_string())
}

/// The environment of the official OSS clients.
pub(crate) fn oss_clients(requirements: &Path) -> Result<Venv> {
    ensure("venv-oss-clients", requirements, &ANY)
}

/// The environment of LocalStack, with our plug-ins.
pub(crate) fn localstack() -> Result<Venv> {
    let folder = workspace::localstack();
    let venv = ensure(
        "venv-localstack",
        &folder.join("requirements.txt"),
        &FOR_LOCALSTACK,
    )?;
    ensure_package(&venv, &folder)?;
    Ok(venv)
}

/// Why there can be no LocalStack here, if that is so.
pub(crate) fn no_localstack() -> Option<String> {
    if works(&place("venv-localstack").python()) {
        return None;
    }
    python::find(&FOR_LOCALSTACK).err().map(|error| error.to_string())
}

/// Creates the environment, or installs into it, only when the requirements changed.
fn ensure(name: &str, requirements: &Path, python: &Wanted) -> Result<Venv> {
    once_installed(name, requirements, |venv, wanted| {
        let python = python::find(python)?;
        let uv = uv()?;
        process::output(
            uv.command(&["venv", "--clear", "--python"])
                .arg(&python)
                .arg(&venv.folder),
        )
        .context("uv could not make a virtual environment")?;
        ui::detail("installing packages with uv");
        let mut install = uv.install_into(venv);
        install.arg("--requirements").arg(requirements);
        if complete(wanted) {
            install.arg("--no-deps");
        }
        process::run(&mut install).context("uv could not install what Longshore needs")
    })
}

/// What installs, itself installed by the pip that comes with Python.
struct Uv(PathBuf);

fn uv() -> Result<Uv> {
    let requirements = workspace::root().join("infra/tools/requirements-uv.txt");
    let venv = once_installed("venv-uv", &requirements, |venv, _| {
        process::output(
            Command::new(python::find(&ANY)?)
                .args(["-m", "venv", "--clear"])
                .arg(&venv.folder),
        )
        .context("Python could not make a virtual environment")?;
        ui::detail("installing uv with pip");
        let mut pip = Command::new(venv.python());
        pip.args([
            "-m",
            "pip",
            "install",
            "--disable-pip-version-check",
            "--no-input",
        ])
        .args(["--quiet", "--requirement"])
        .arg(&requirements);
        process::run(&mut pip).context("pip could not install uv")
    })?;
    Ok(Uv(venv.program("uv")))
}

impl Uv {
    /// It takes the Python that is here, and downloads none.
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.0);
        command.args(["--quiet", "--no-python-downloads"]).args(arguments);
        command
    }

    /// Modules are compiled now: the emulators are told not to leave anything behind when they run.
    fn install_into(&self, venv: &Venv) -> Command {
        let mut command = self.command(&["pip", "install", "--compile-bytecode", "--python"]);
        command.arg(venv.python());
        command
    }
}

/// The environment, after it was made if it is not there or its requirements changed.
fn once_installed(
    name: &str,
    requirements: &Path,
    make: impl FnOnce(&Venv, &str) -> Result<()>,
) -> Result<Venv> {
    let venv = place(name);
    let wanted = fs::read_to_string(requirements)
        .with_context(|| format!("cannot read {}", requirements.display()))?;
    let stamp = venv.folder.join("installed.txt");
    if fs::read_to_string(&stamp).is_ok_and(|there| there == wanted) && works(&venv.python()) {
        return Ok(venv);
    }
    ui::step(&format!("Python environment in .longshore/{name}"), || {
        let _ = fs::remove_file(&stamp);
        fs::create_dir_all(venv.folder.parent().unwrap_or(&venv.folder))?;
        make(&venv, &wanted)?;
        fs::write(&stamp, &wanted)?;
        Ok(())
    })?;
    Ok(venv)
}

fn place(name: &str) -> Venv {
    Venv {
        folder: workspace::root().join(".longshore").join(name),
    }
}

/// Installs a Python package of ours, when it changed. From a copy: setuptools leaves folders where it builds.
fn ensure_package(venv: &Venv, source: &Path) -> Result<()> {
    let mut files = vec![source.join("pyproject.toml")];
    let name = "longshore_localstack";
    for entry in fs::read_dir(source.join(name))? {
        files.push(entry?.path());
    }
    files.retain(|path| path.is_file());
    files.sort();
    let mut wanted = String::new();
    for path in &files {
        wanted += &fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    }
    let stamp = venv.folder.join("package.txt");
    if fs::read_to_string(&stamp).is_ok_and(|there| there == wanted) {
        return Ok(());
    }
    let copy = venv.folder.join("package");
    let _ = fs::remove_dir_all(&copy);
    for path in &files {
        let to = copy.join(path.strip_prefix(source)?);
        fs::create_dir_all(to.parent().unwrap_or(&copy))?;
        fs::copy(path, to)?;
    }
    let mut install = uv()?.install_into(venv);
    install
        .args(["--no-deps", "--no-build-isolation", "--reinstall"])
        .arg(&copy);
    process::run(&mut install).context("uv could not install the LocalStack plug-ins")?;
    fs::remove_dir_all(&copy)?;
    fs::write(&stamp, &wanted).context("cannot remember what was installed")
}

/// Whether the file says that it names everything, dependencies included.
fn complete(requirements: &str) -> bool {
    requirements.contains("--no-deps")
}

fn works(python: &Path) -> bool {
    process::output(Command::new(python).args(["-c", "import ssl"])).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requirements_are_pinned() {
        let localstack = workspace::localstack().join("requirements.txt");
        let embedded = workspace::embedded("requirements.txt");
        let tools = fs::read_dir(workspace::root().join("infra/tools")).unwrap();
        let tools = tools.map(|file| file.unwrap().path());
        let whole = [
            embedded,
            localstack,
            workspace::root().join("tests/oss-clients/requirements.txt"),
        ];
        for file in whole.iter().cloned().chain(tools) {
            let text = fs::read_to_string(&file).unwrap();
            assert!(complete(&text) || !whole.contains(&file));
            let loose = |line: &&str| !line.starts_with('#') && !line.is_empty() && !line.contains("==");
            assert_eq!(text.lines().find(loose), None, "every line pins a version");
        }
    }
}
