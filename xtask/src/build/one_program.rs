//! All functions in one program, where they run as processes of this machine: linking it takes a twentieth of the time that
//! a program for each takes.

use super::{program, put};
use crate::{ui, workspace};
use anyhow::{Context, Result};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

const PROGRAM: &str = "all-functions";

/// Builds it for the stack in this state folder, and returns the folder that has a `bootstrap` for each function.
pub(crate) fn build(state: &Path) -> Result<PathBuf> {
    let names = workspace::functions()?;
    let title = format!("Building {} functions, in one program", names.len());
    ui::step(&title, || {
        let folder = state.join("functions");
        put_functions(&program(PROGRAM, PROGRAM)?, &names, &folder)
            .with_context(|| format!("cannot put functions to {}", folder.display()))?;
        Ok(folder)
    })
}

/// Each `bootstrap` is a script that becomes the program. They name its version, so another program is a new deployment.
fn put_functions(built: &Path, names: &[String], folder: &Path) -> Result<()> {
    fs::create_dir_all(folder)?;
    let folder = folder.canonicalize()?;
    let version = fs::metadata(built)?
        .modified()?
        .duration_since(UNIX_EPOCH)?
        .as_nanos();
    let program = folder.join(format!("{PROGRAM}-{version}"));
    if !program.exists() {
        // Older ones stay until nothing is started from them any more, which is after the deployment: the next build.
        let mut old = programs(&folder)?;
        old.sort();
        old.pop();
        for path in old {
            fs::remove_file(path)?;
        }
        put(built, &program)?;
    }
    let quoted = program.to_string_lossy().replace('\'', r"'\''");
    for name in names {
        let bootstrap = folder.join(name).join("bootstrap");
        fs::create_dir_all(folder.join(name))?;
        fs::write(&bootstrap, format!("#!/bin/sh\nexec '{quoted}' {name}\n"))?;
        fs::set_permissions(&bootstrap, fs::Permissions::from_mode(0o755))?;
    }
    Ok(())
}

fn programs(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with(PROGRAM) {
            found.push(entry.path());
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process;
    use std::process::Command;

    #[test]
    fn a_bootstrap_becomes_the_program_as_built_last() {
        let folder = std::env::temp_dir().join(format!("longshore-xtask-it's-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let built = folder.join("built");
        let names = ["file-get".to_owned(), "sweep".to_owned()];
        let functions = folder.join("functions");
        for (version, left) in [("one", 1), ("two", 2), ("three", 2)] {
            fs::write(&built, format!("#!/bin/sh\necho {version} \"$@\"\n")).unwrap();
            fs::set_permissions(&built, fs::Permissions::from_mode(0o755)).unwrap();
            for _ in 0..2 {
                put_functions(&built, &names, &functions).unwrap();
            }
            for name in &names {
                let said =
                    process::output(&mut Command::new(functions.join(name).join("bootstrap"))).unwrap();
                assert_eq!(said, format!("{version} {name}\n"));
            }
            assert_eq!(programs(&functions).unwrap().len(), left);
        }
        fs::remove_dir_all(folder).unwrap();
    }
}
