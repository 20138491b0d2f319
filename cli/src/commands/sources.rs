//! The local files that a command was given: which can be uploaded under which name, and what is wrong with each other.

use crate::exit::{Exit, Failure};
use crate::human;
use client::transfer::uploadable;
use domain::name::{InvalidName, Name};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// A file to upload, and its name over there.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Source<'a> {
    pub(super) path: &'a Path,
    pub(super) name: Name,
}

/// Judges each of `paths` on its own, and then together those that would get the same name: the later would be refused, or
/// replace the earlier, unless `keeps_both`.
pub(super) fn judge(paths: &[PathBuf], keeps_both: bool) -> (Vec<Source<'_>>, Vec<Failure>) {
    let (mut sources, mut failures) = (Vec::new(), Vec::new());
    for path in paths {
        match name_of(path) {
            Ok(name) => sources.push(Source { path, name }),
            Err(failure) => failures.push(failure),
        }
    }
    let sources = once(sources);
    if keeps_both {
        return (sources, failures);
    }
    let mut groups: BTreeMap<&Name, Vec<&Path>> = BTreeMap::new();
    for source in &sources {
        groups.entry(&source.name).or_default().push(source.path);
    }
    groups.retain(|_, paths| paths.len() > 1);
    failures.extend(sources.iter().filter_map(|source| {
        let others = groups
            .get(&source.name)?
            .iter()
            .filter(|path| **path != source.path);
        let others: Vec<_> = others.map(|path| shown(path)).collect();
        Some(collision(source, &others.join(", ")))
    }));
    let collided: Vec<Name> = groups.into_keys().cloned().collect();
    let alone = sources
        .into_iter()
        .filter(|source| !collided.contains(&source.name));
    (alone.collect(), failures)
}

fn collision(source: &Source<'_>, others: &str) -> Failure {
    let (path, name) = (shown(source.path), &source.name);
    Failure::new(
        Exit::Conflict,
        format!("{path}: would get the same name in the same folder as {others}: {name}"),
    )
    .then("upload them to different folders, one command each, or keep all with --on-conflict rename")
}

/// Leaves out what is named a second time: by the same path or by another one to the same file.
fn once(sources: Vec<Source<'_>>) -> Vec<Source<'_>> {
    let mut seen: BTreeMap<Name, Vec<PathBuf>> = BTreeMap::new();
    let is_new = |source: &Source<'_>| {
        let place = source.path.canonicalize();
        let place = place.unwrap_or_else(|_| source.path.to_owned());
        let places = seen.entry(source.name.clone()).or_default();
        let is_new = !places.contains(&place);
        places.push(place);
        is_new
    };
    let mut is_new = is_new;
    sources.into_iter().filter(|source| is_new(source)).collect()
}

fn name_of(path: &Path) -> Result<Name, Failure> {
    uploadable(path)?;
    let refused = |why: &str| {
        let message = format!("{} cannot be stored under its name: {why}", shown(path));
        Failure::new(Exit::Usage, message)
            .then("rename it, or give it a second name and upload that: ln -s <file> <name>")
    };
    let name = path.file_name().unwrap_or_default();
    let name = name.to_str().ok_or_else(|| refused("it is not UTF-8"))?;
    name.parse().map_err(|error| match error {
        // The API's words are for who makes a path a name.
        InvalidName::Separator => refused("a name may not contain a backslash"),
        error => refused(&error.to_string()),
    })
}

/// As people know it; as a shell takes it where it is no text.
pub(super) fn shown(path: &Path) -> String {
    path.to_str().map_or_else(|| human::quoted(path), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::ffi::OsStrExt;
    use tempfile::TempDir;

    /// A folder with these files.
    fn folder(names: &[&[u8]]) -> (TempDir, Vec<PathBuf>) {
        let folder = tempfile::tempdir().unwrap();
        let make = |name: &&[u8]| {
            let path = folder.path().join(std::ffi::OsStr::from_bytes(name));
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, name).unwrap();
            path
        };
        let paths = names.iter().map(make).collect();
        (folder, paths)
    }

    fn names(sources: &[Source<'_>]) -> Vec<String> {
        sources.iter().map(|source| source.name.to_string()).collect()
    }

    #[test]
    fn each_is_judged_on_its_own_with_its_true_reason() {
        let (folder, mut paths) = folder(&[b"ok.txt", b"caf\xe9", b"a\\b", b"a\nb", b"also ok"]);
        let add = |name: &str| folder.path().join(name);
        fs::create_dir(add("subfolder")).unwrap();
        std::os::unix::fs::symlink("nowhere", add("dangling")).unwrap();
        std::os::unix::fs::symlink("ok.txt", add("link")).unwrap();
        paths.extend(["subfolder", "dangling", "link", "none"].map(add));
        paths.push("/dev/null".into());
        let (sources, failures) = judge(&paths, false);
        assert_eq!(names(&sources), ["ok.txt", "also ok", "link"]);
        let told: Vec<_> = failures
            .iter()
            .map(|failure| (failure.exit, failure.message.as_str()))
            .collect();
        let expected = [
            (
                Exit::Usage,
                "caf\\xe9' cannot be stored under its name: it is not UTF-8",
            ),
            (
                Exit::Usage,
                "a\\b cannot be stored under its name: a name may not contain a backslash",
            ),
            (Exit::Usage, "control characters"),
            (Exit::Usage, "subfolder is a folder"),
            (
                Exit::NotFound,
                "dangling is a symbolic link to nowhere, which is not there",
            ),
            (Exit::NotFound, "none: No such file"),
            (Exit::Usage, "/dev/null is a device, not a plain file"),
        ];
        assert_eq!(told.len(), expected.len(), "{told:?}");
        for ((exit, message), (expected, words)) in told.iter().zip(expected) {
            assert!(*exit == expected && message.contains(words), "{exit:?} {message}");
        }
    }

    #[test]
    fn names_that_collide_are_told_with_each_other_and_others_go() {
        let composed = "caf\u{e9}".as_bytes();
        let (_folder, paths) = folder(&[composed, "cafe\u{301}".as_bytes(), b"a/x", b"X", b"y", b"b/x"]);
        let (sources, failures) = judge(&paths, false);
        assert_eq!(names(&sources), ["X", "y"]);
        assert_eq!(failures.len(), 4);
        let named = |failure: &Failure, path: usize| failure.message.contains(paths[path].to_str().unwrap());
        for (failure, (one, other)) in failures.iter().zip([(0, 1), (1, 0), (2, 5), (5, 2)]) {
            assert_eq!(failure.exit, Exit::Conflict);
            assert!(
                named(failure, one) && named(failure, other),
                "{}",
                failure.message
            );
        }
        let (sources, failures) = judge(&paths, true);
        assert_eq!((sources.len(), failures.len()), (6, 0));
    }

    #[test]
    fn the_same_file_twice_is_one() {
        let (folder, mut paths) = folder(&[b"a"]);
        paths.push(folder.path().join("./a"));
        paths.push(paths[0].clone());
        let (sources, failures) = judge(&paths, false);
        assert_eq!((names(&sources), failures), (vec!["a".to_owned()], vec![]));
    }
}
