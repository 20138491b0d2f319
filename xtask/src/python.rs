//! Finding a Python that is new enough, and not too new.

use crate::{process, ui};
use anyhow::{Result, bail};
use std::fs;
use std::path::PathBuf;
use std::process::Command;

/// Which Python an environment can be made with.
pub(crate) struct Wanted {
    /// The oldest version that everything in the requirements runs on.
    oldest: &'static str,
    /// The first version that it does not run on.
    too_new: &'static str,
    /// Tried in this order.
    names: &'static [&'static str],
    /// What to do where none is found.
    advice: &'static str,
}

pub(crate) const ANY: Wanted = Wanted {
    oldest: "3.10",
    too_new: "4.0",
    names: &[
        "python3",
        "python3.14",
        "python3.13",
        "python3.12",
        "python3.11",
        "python3.10",
        "python",
    ],
    advice: "On Debian and Ubuntu: apt-get install python3 python3-venv. On macOS: brew install python3",
};

/// LocalStack 4.14 is made for 3.13 and runs on 3.12.
pub(crate) const FOR_LOCALSTACK: Wanted = Wanted {
    oldest: "3.12",
    too_new: "3.14",
    names: &["python3.13", "python3.12", "python3", "python"],
    advice: "On Debian 13 and Ubuntu 24.04: apt-get install python3 python3-venv. Elsewhere: uv python install 3.13, or \
             pyenv install 3.13. What they install is found where they put it",
};

/// What schemathesis 4.32 wants.
pub(crate) const FOR_SCHEMATHESIS: Wanted = Wanted {
    oldest: "3.11",
    ..ANY
};

/// A Python that is new enough and can make environments.
pub(crate) fn find(wanted: &Wanted) -> Result<PathBuf> {
    let version = |text: &str| text.replace('.', ",");
    let check = format!(
        "import sys; print('.'.join(map(str, sys.version_info[:3]))); \
         sys.exit(not ({}) <= sys.version_info < ({}))",
        version(wanted.oldest),
        version(wanted.too_new)
    );
    let mut unfit = Vec::new();
    let mut without_venv = None;
    for python in candidates(wanted.names) {
        let shown = python.display();
        let Ok(out) = Command::new(&python).args(["-c", &check]).output() else {
            continue;
        };
        let version = String::from_utf8_lossy(&out.stdout).trim().to_owned();
        if !out.status.success() {
            if !version.is_empty() {
                unfit.push(format!("{shown} is {version}"));
            }
        } else if process::output(Command::new(&python).args(["-c", "import venv, ensurepip"])).is_err() {
            without_venv.get_or_insert((python.clone(), version));
        } else {
            ui::detail(&format!("{shown} is Python {version}"));
            return Ok(python);
        }
    }
    if let Some((python, version)) = without_venv {
        bail!(
            "{} (Python {version}) comes without its venv module.\n  \
             On Debian and Ubuntu: apt-get install python3-venv",
            python.display()
        );
    }
    let found = if unfit.is_empty() {
        "none was found".to_owned()
    } else {
        unfit.join(", ")
    };
    let range = if wanted.too_new == ANY.too_new {
        format!("{} or newer", wanted.oldest)
    } else {
        format!("from {} to before {}", wanted.oldest, wanted.too_new)
    };
    bail!("Python {range} is needed, and {found}.\n  {}", wanted.advice);
}

/// Names for the path, then what uv and pyenv installed: they put nothing on the path by themselves.
fn candidates(names: &[&str]) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = names.iter().map(PathBuf::from).collect();
    let home = std::env::var_os("HOME").map(PathBuf::from).unwrap_or_default();
    let pyenv = std::env::var_os("PYENV_ROOT").map_or(home.join(".pyenv"), PathBuf::from);
    for folder in [home.join(".local/share/uv/python"), pyenv.join("versions")] {
        let mut installed: Vec<_> = fs::read_dir(folder)
            .into_iter()
            .flatten()
            .flatten()
            .map(|entry| entry.path().join("bin/python3"))
            .collect();
        installed.sort();
        found.extend(installed.into_iter().rev());
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_python_is_found_or_the_error_says_what_to_do() {
        assert!(find(&ANY).is_ok());
        let none = Wanted {
            oldest: "9.1",
            too_new: "9.2",
            ..ANY
        };
        let said = find(&none).unwrap_err().to_string();
        assert!(said.contains("Python from 9.1 to before 9.2 is needed"), "{said}");
        assert!(said.contains("python3 is 3."), "{said}");
        assert!(said.contains(ANY.advice), "{said}");
    }
}
