//! Files that this program makes for itself under names that can be foreseen, in folders where others may have put something
//! in their place: a link to another file, a pipe, a file that they can read.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind};
use std::path::Path;

/// Opens the file at `path` for reading and writing, or makes it. What is there must be a plain file of this user, with no
/// second name; a link is not followed, not even one that leads nowhere.
///
/// # Errors
/// Whatever the system says, and [`ErrorKind::AlreadyExists`] when something else is there.
pub fn open_or_make(path: &Path) -> io::Result<File> {
    open_or_make_if(path, is_mine)
}

/// The same whosever the file is, for one that is only locked.
///
/// # Errors
/// Those of [`open_or_make`], but for the owner and the number of names.
pub fn open_or_make_of_anybody(path: &Path) -> io::Result<File> {
    open_or_make_if(path, |_, _| Ok(true))
}

fn open_or_make_if(path: &Path, fits: impl Fn(&File, &Path) -> io::Result<bool>) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true);
    loop {
        match options.clone().create_new(true).open(path) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            made => return made,
        }
        match plain(path, &options) {
            // It went away in between.
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Ok(file) if !fits(&file, path)? => return Err(in_the_way()),
            opened => return opened,
        }
    }
}

/// Opens the file at `path` for reading. A link is not followed.
///
/// # Errors
/// Whatever the system says, and [`ErrorKind::AlreadyExists`] when it is no plain file.
pub fn open(path: &Path) -> io::Result<File> {
    plain(path, OpenOptions::new().read(true))
}

/// Whether the name still leads to the open file, and not through a link.
#[cfg(unix)]
#[must_use]
pub fn is_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let id = |facts: fs::Metadata| (facts.dev(), facts.ino());
    match (file.metadata(), fs::symlink_metadata(path)) {
        (Ok(open), Ok(named)) => id(open) == id(named),
        _ => false,
    }
}

/// Whether the name still leads to a file.
#[cfg(not(unix))]
#[must_use]
pub fn is_at(_: &File, path: &Path) -> bool {
    path.exists()
}

/// Opens what is there, if it is a plain file: opening a pipe would wait for its other end.
fn plain(path: &Path, options: &OpenOptions) -> io::Result<File> {
    if !fs::symlink_metadata(path)?.is_file() {
        return Err(in_the_way());
    }
    let file = options.open(path)?;
    if is_at(&file, path) {
        Ok(file)
    } else {
        Err(ErrorKind::NotFound.into())
    }
}

fn in_the_way() -> io::Error {
    io::Error::new(
        ErrorKind::AlreadyExists,
        "something that is not longshore's is in this place; remove it or choose another folder",
    )
}

/// Whether the file has this user's new files' owner, and one name only.
#[cfg(unix)]
fn is_mine(file: &File, path: &Path) -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt;
    let facts = file.metadata()?;
    if facts.nlink() > 1 {
        return Ok(false);
    }
    let probe = path.with_file_name(format!(".longshore-{:016x}", fastrand::u64(..)));
    let made = OpenOptions::new().write(true).create_new(true).open(&probe)?;
    let mine = made.metadata().map(|mine| mine.uid());
    fs::remove_file(&probe)?;
    Ok(mine? == facts.uid())
}

#[cfg(not(unix))]
fn is_mine(_: &File, _: &Path) -> io::Result<bool> {
    Ok(true)
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::io::{Read, Write};
    use std::os::unix::fs::{chown, symlink};
    use std::process::Command;

    #[test]
    fn what_was_made_is_opened_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mine");
        open_or_make(&path).unwrap().write_all(b"here").unwrap();
        let mut text = String::new();
        open_or_make(&path).unwrap().read_to_string(&mut text).unwrap();
        open(&path).unwrap().read_to_string(&mut text).unwrap();
        assert_eq!(text, "herehere");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn what_others_put_there_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let (path, other) = (folder.path().join("part"), folder.path().join("other"));
        let refused = |what: &str| {
            for error in [open_or_make(&path).unwrap_err(), open(&path).unwrap_err()] {
                assert_eq!(error.kind(), ErrorKind::AlreadyExists, "{what}: {error}");
            }
            fs::remove_file(&path).unwrap();
        };
        symlink(&other, &path).unwrap();
        refused("a link to nothing");
        assert!(!other.exists());
        fs::write(&other, b"theirs").unwrap();
        symlink(&other, &path).unwrap();
        refused("a link to a file");
        assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
        refused("a pipe");
        fs::hard_link(&other, &path).unwrap();
        assert_eq!(
            open_or_make(&path).unwrap_err().kind(),
            ErrorKind::AlreadyExists,
            "a second name"
        );
        fs::remove_file(&path).unwrap();
        assert_eq!(fs::read(&other).unwrap(), b"theirs");
        // Only root can give files away.
        fs::write(&path, b"").unwrap();
        if chown(&path, Some(12_345), None).is_ok() {
            assert_eq!(
                open_or_make(&path).unwrap_err().kind(),
                ErrorKind::AlreadyExists,
                "another user's"
            );
        }
    }
}
