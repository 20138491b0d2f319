//! The private Python environment: MiniStack, cargo-lambda and what the deployment script needs.

use crate::{process, ui, workspace};
use anyhow::{Context, Result, bail};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The oldest Python that everything in requirements.txt runs on.
const OLDEST: &str = "3.10";
const CANDIDATES: [&str; 7] = [
    "python3",
    "python3.14",
    "python3.13",
    "python3.12",
    "python3.11",
    "python3.10",
    "python",
];

/// An environment with everything installed.
pub(crate) struct Venv {
    folder: PathBuf,
}

impl Venv {
    pub(crate) fn python(&self) -> PathBuf {
        self.program("python")
    }

    pub(crate) fn program(&self, name: &str) -> PathBuf {
        self.folder.join("bin").join(name)
    }
}

/// The environment of the embedded stack. It does not belong to a state folder: tests share it.
pub(crate) fn embedded() -> Result<Venv> {
    ensure("venv", "requirements.txt")
}

/// The environment that `cargo xtask deploy` needs on top.
pub(crate) fn deployment() -> Result<Venv> {
    ensure("venv-deploy", "requirements-deploy.txt")
}

/// Creates the environment, or installs into it, only when the requirements changed.
fn ensure(name: &str, requirements: &str) -> Result<Venv> {
    let folder = workspace::root().join(".longshore").join(name);
    let requirements = workspace::embedded(requirements);
    let wanted = fs::read_to_string(&requirements)
        .with_context(|| format!("cannot read {}", requirements.display()))?;
    let venv = Venv { folder };
    let stamp = venv.folder.join("installed.txt");
    if fs::read_to_string(&stamp).is_ok_and(|there| there == wanted) && works(&venv.python()) {
        return Ok(venv);
    }
    ui::step(&format!("Python environment in .longshore/{name}"), || {
        let python = find()?;
        let _ = fs::remove_file(&stamp);
        fs::create_dir_all(venv.folder.parent().unwrap_or(&venv.folder))?;
        process::output(
            Command::new(&python)
                .args(["-m", "venv", "--clear"])
                .arg(&venv.folder),
        )
        .context("Python could not make a virtual environment")?;
        ui::detail("installing packages with pip");
        let mut pip = Command::new(venv.python());
        pip.args([
            "-m",
            "pip",
            "install",
            "--disable-pip-version-check",
            "--no-input",
            "-r",
        ])
        .arg(&requirements);
        if complete(&wanted) {
            pip.arg("--no-deps");
        }
        // With a terminal pip draws progress bars; its line for every package found says nothing more.
        process::run(pip.arg("--quiet")).context("pip could not install what Longshore needs")?;
        fs::write(&stamp, &wanted)?;
        Ok(())
    })?;
    Ok(venv)
}

/// Whether the file says that it names everything, dependencies included.
fn complete(requirements: &str) -> bool {
    requirements.contains("--no-deps")
}

fn works(python: &Path) -> bool {
    process::output(Command::new(python).args(["-c", "import ssl"])).is_ok()
}

/// A Python that is new enough and can make environments.
fn find() -> Result<String> {
    let check = format!(
        "import sys; print('.'.join(map(str, sys.version_info[:3]))); sys.exit(sys.version_info < ({}))",
        OLDEST.replace('.', ",")
    );
    let mut too_old = Vec::new();
    let mut without_venv = None;
    for name in CANDIDATES {
        let Ok(out) = Command::new(name).args(["-c", &check]).output() else {
            continue;
        };
        let version = String::from_utf8_lossy(&out.stdout).trim().to_owned();
        if !out.status.success() {
            if !version.is_empty() {
                too_old.push(format!("{name} is {version}"));
            }
        } else if process::output(Command::new(name).args(["-c", "import venv, ensurepip"])).is_err() {
            without_venv.get_or_insert((name, version));
        } else {
            ui::detail(&format!("{name} is Python {version}"));
            return Ok(name.to_owned());
        }
    }
    if let Some((name, version)) = without_venv {
        bail!(
            "{name} (Python {version}) comes without its venv module.\n  \
             On Debian and Ubuntu: apt-get install python3-venv"
        );
    }
    let found = if too_old.is_empty() {
        "none was found".to_owned()
    } else {
        too_old.join(", ")
    };
    bail!(
        "Python {OLDEST} or newer is needed, and {found}.\n  \
         On Debian and Ubuntu: apt-get install python3 python3-venv. On macOS: brew install python3"
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_embedded_requirements_are_complete() {
        let text = fs::read_to_string(workspace::embedded("requirements.txt")).unwrap();
        assert!(complete(&text));
        let loose = |line: &&str| !line.starts_with('#') && !line.is_empty() && !line.contains("==");
        assert_eq!(text.lines().find(loose), None, "every line pins a version");
    }
}
