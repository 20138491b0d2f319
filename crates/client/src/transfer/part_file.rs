//! The unfinished download beside its target: `.<name>.<hash>.part` and the journal of its finished parts.

use super::TransferError;
use super::journal::{Journal, Parts};
use domain::content::{ContentId, PartDigest};
use std::ffi::OsStr;
use std::fmt::Write as _;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

/// Bytes of the target's name to keep, so that the longer names fit any file system.
const NAME_BYTES: usize = 180;
/// Bytes of the content's digest in the name: two contents under one name do not meet.
const HASH_BYTES: usize = 6;

/// An unfinished download that no other process touches while this exists.
pub(crate) struct PartFile {
    target: PathBuf,
    data: PathBuf,
    journal_path: PathBuf,
    /// Keeps the lock. The journal is locked rather than the data, which will get another name.
    lock: File,
}

impl PartFile {
    /// Takes over or makes the unfinished download of `content` to `target`.
    pub(crate) fn open(
        target: &Path,
        content: ContentId,
        size: u64,
    ) -> Result<(Self, Journal, Parts), TransferError> {
        let name = part_name(target, content);
        let data = target.with_file_name(&name);
        let journal_path = target.with_file_name(format!("{name}.journal"));
        let lock = lock(&journal_path, target)?;
        let writing = |path: &Path, error| disk("write", path, error);
        let copy = lock.try_clone().map_err(|error| writing(&journal_path, error))?;
        let (journal, parts) = Journal::open(copy, content).map_err(|error| writing(&journal_path, error))?;
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .open(&data);
        file.and_then(|file| file.set_len(size))
            .map_err(|error| writing(&data, error))?;
        Ok((
            Self {
                target: target.to_owned(),
                data,
                journal_path,
                lock,
            },
            journal,
            parts,
        ))
    }

    /// Where the bytes go.
    pub(crate) fn data(&self) -> &Path {
        &self.data
    }

    /// Gives the finished bytes their name, all at once.
    pub(crate) fn publish(self, overwrite: bool) -> Result<(), TransferError> {
        let failed = |error| disk("write", &self.target, error);
        OpenOptions::new()
            .write(true)
            .open(&self.data)
            .and_then(|file| file.sync_all())
            .map_err(failed)?;
        if overwrite {
            fs::rename(&self.data, &self.target).map_err(failed)?;
        } else {
            self.rename_to_nothing()?;
        }
        // The name is on the disk once its folder is. Not every system can sync a folder.
        if let Some(folder) = folder(&self.target) {
            let _ = File::open(folder).and_then(|folder| folder.sync_all());
        }
        let _ = fs::remove_file(&self.journal_path);
        drop(self.lock);
        Ok(())
    }

    /// A rename that never replaces: a link, where the file system has them.
    fn rename_to_nothing(&self) -> Result<(), TransferError> {
        let failed = |error| disk("write", &self.target, error);
        let exists = || TransferError::TargetExists(self.target.clone());
        match fs::hard_link(&self.data, &self.target) {
            Ok(()) => fs::remove_file(&self.data).map_err(failed),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(exists()),
            Err(_) if self.target.symlink_metadata().is_ok() => Err(exists()),
            Err(_) => fs::rename(&self.data, &self.target).map_err(failed),
        }
    }

    /// Removes what was downloaded, because it is of no use.
    pub(crate) fn discard(self) {
        let _ = fs::remove_file(&self.data);
        let _ = fs::remove_file(&self.journal_path);
        drop(self.lock);
    }
}

pub(crate) fn disk(action: &'static str, path: &Path, error: io::Error) -> TransferError {
    TransferError::Disk {
        action,
        path: path.to_owned(),
        error,
    }
}

fn folder(target: &Path) -> Option<&Path> {
    let folder = target.parent()?;
    Some(if folder.as_os_str().is_empty() {
        Path::new(".")
    } else {
        folder
    })
}

fn part_name(target: &Path, content: ContentId) -> String {
    let name = target
        .file_name()
        .unwrap_or(OsStr::new("download"))
        .to_string_lossy();
    let short = &name[..name.floor_char_boundary(NAME_BYTES)];
    let digest = PartDigest::of(content.to_string().as_bytes());
    let mut name = format!(".{short}.");
    for byte in &digest.as_bytes()[..HASH_BYTES] {
        let _ = write!(name, "{byte:02x}");
    }
    name + ".part"
}

/// Opens and locks the file at `path`.
fn lock(path: &Path, target: &Path) -> Result<File, TransferError> {
    loop {
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path);
        let file = file.map_err(|error| disk("write", path, error))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(TransferError::InUse(target.to_owned())),
            Err(TryLockError::Error(error)) => return Err(disk("lock", path, error)),
        }
        // Whoever had the lock may have finished and removed the file just before we got it.
        if is_at(&file, path) {
            return Ok(file);
        }
    }
}

#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let id = |facts: fs::Metadata| (facts.dev(), facts.ino());
    match (file.metadata(), fs::metadata(path)) {
        (Ok(open), Ok(named)) => id(open) == id(named),
        _ => false,
    }
}

#[cfg(not(unix))]
fn is_at(_: &File, path: &Path) -> bool {
    path.exists()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn content(text: &str) -> ContentId {
        ContentId::of_parts(&[PartDigest::of(text.as_bytes())]).unwrap()
    }

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<_> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn only_one_at_a_time_and_nothing_left_behind() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("a.bin");
        let (first, _, _) = PartFile::open(&target, content("x"), 5).unwrap();
        assert!(matches!(
            PartFile::open(&target, content("x"), 5),
            Err(TransferError::InUse(_))
        ));
        let (other, _, _) = PartFile::open(&target, content("y"), 5).unwrap();
        other.discard();
        fs::write(first.data(), b"bytes").unwrap();
        first.publish(false).unwrap();
        assert_eq!(names(folder.path()), ["a.bin"]);
        assert_eq!(fs::read(&target).unwrap(), b"bytes");
    }

    #[test]
    fn publishing_never_replaces_unasked() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("a.bin");
        fs::write(&target, b"mine").unwrap();
        let (part, _, _) = PartFile::open(&target, content("x"), 0).unwrap();
        assert!(matches!(part.publish(false), Err(TransferError::TargetExists(_))));
        assert_eq!(fs::read(&target).unwrap(), b"mine");
        let (part, _, _) = PartFile::open(&target, content("x"), 0).unwrap();
        part.publish(true).unwrap();
        assert_eq!(fs::read(&target).unwrap(), b"");
        assert_eq!(names(folder.path()), ["a.bin"]);
    }

    #[test]
    fn a_lock_on_a_removed_journal_is_worth_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("a");
        let path = folder.path().join("journal");
        let old = lock(&path, &target).unwrap();
        fs::remove_file(&path).unwrap();
        let new = lock(&path, &target).unwrap();
        assert!(!is_at(&old, &path) && is_at(&new, &path));
    }

    #[test]
    fn the_longest_name_still_fits() {
        let target = PathBuf::from("é".repeat(127));
        let name = part_name(&target, content("x"));
        assert!(name.len() + ".journal".len() <= 255 && name.starts_with(".éé"));
        assert_ne!(name, part_name(&target, content("y")));
    }
}
