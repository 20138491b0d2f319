//! Where things are in this repository.

use anyhow::{Context, Result};
use std::fs;
use std::path::{Path, PathBuf};

/// The repository's root.
pub(crate) fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_path_buf()
}

/// A file of the embedded stack's own.
pub(crate) fn embedded(name: &str) -> PathBuf {
    root().join("infra/embedded").join(name)
}

/// What LocalStack needs.
pub(crate) fn localstack() -> PathBuf {
    root().join("infra/localstack")
}

/// Where Cargo builds.
pub(crate) fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), |dir| root().join(dir))
}

/// Where cargo-lambda puts each function's `bootstrap`. The template's `CodeUri` lines name this folder, so it does
/// not follow `CARGO_TARGET_DIR`.
pub(crate) fn bootstraps() -> PathBuf {
    root().join("target/lambda")
}

/// The command line as a person runs it.
pub(crate) fn cli() -> PathBuf {
    target().join("release/longshore")
}

/// The functions: the programs in `functions/src/bin`.
pub(crate) fn functions() -> Result<Vec<String>> {
    let path = root().join("functions/src/bin");
    let mut names = Vec::new();
    for entry in fs::read_dir(&path).with_context(|| format!("cannot list {}", path.display()))? {
        if let Some(stem) = entry?.path().file_stem() {
            names.push(stem.to_string_lossy().into_owned());
        }
    }
    names.sort();
    Ok(names)
}

/// The library crates.
pub(crate) fn crates() -> Result<Vec<String>> {
    let path = root().join("crates");
    let mut names = Vec::new();
    for entry in fs::read_dir(&path).with_context(|| format!("cannot list {}", path.display()))? {
        let entry = entry?;
        if entry.path().join("Cargo.toml").is_file() {
            names.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    names.sort();
    Ok(names)
}
