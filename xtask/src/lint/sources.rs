//! The shape of our Rust source files: none is too long, and no two import each other.

mod imports;
#[cfg(test)]
mod tests;

use crate::{process, workspace};
use anyhow::{Result, bail};
use imports::{Circle, Sources};
use std::fs;
use std::path::PathBuf;
use std::process::Command;

/// The most lines of a file.
const MOST_LINES: usize = 400;

/// Checks all source files that git knows, or would if they were added.
pub(super) fn check() -> Result<()> {
    let mut git = Command::new("git");
    git.args(["ls-files", "--cached", "--others", "--exclude-standard", "*.rs"])
        .current_dir(workspace::root());
    let mut sources = Sources::new();
    for path in process::output(&mut git)?.lines() {
        // What is deleted may be in git's index still.
        if let Ok(text) = fs::read_to_string(workspace::root().join(path)) {
            sources.insert(PathBuf::from(path), text);
        }
    }
    let mut problems = too_long(&sources);
    problems.extend(circles(&imports::circles(&sources)?));
    if !problems.is_empty() {
        bail!("{}", problems.join("\n"));
    }
    Ok(())
}

fn too_long(sources: &Sources) -> Vec<String> {
    let mut problems = Vec::new();
    for (path, text) in sources {
        let lines = text.lines().count();
        if lines > MOST_LINES {
            problems.push(format!(
                "{} has {lines} lines: split it by subject into files of at most {MOST_LINES}",
                path.display()
            ));
        }
    }
    problems
}

fn circles(found: &[Circle]) -> Vec<String> {
    let problems = found.iter().map(|(one, other)| {
        format!(
            "{} and {} import each other: move what both need to where it belongs, or to a file of its own",
            one.display(),
            other.display()
        )
    });
    problems.collect()
}
