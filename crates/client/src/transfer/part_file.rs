//! The unfinished download beside its target: `.<name>.<hash>.part` and the journal of its finished parts.

use super::TransferError;
use super::journal::{self, Journal, Parts};
use crate::own_file;
use domain::content::{ContentId, PartDigest};
use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

/// Bytes of the target's name to keep, so that the longer names fit any file system.
const NAME_BYTES: usize = 180;
/// Bytes of the content's digest in the name: two contents under one name do not meet.
const HASH_BYTES: usize = 6;
/// Bytes of the digest of a name that is not in the name as a whole.
const NAME_HASH_BYTES: usize = 4;
const PART: &str = ".part";
const JOURNAL: &str = ".journal";

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
        let journal_path = target.with_file_name(format!("{name}{JOURNAL}"));
        let lock = lock(&journal_path, target)?;
        let writing = |path: &Path, error| disk("write", path, error);
        let copy = lock.try_clone().map_err(|error| writing(&journal_path, error))?;
        let (journal, parts) = Journal::open(copy, content).map_err(|error| writing(&journal_path, error))?;
        forget_finished(target, &data);
        let sized = own_file::open_or_make(&data).and_then(|file| file.set_len(size));
        if let Err(error) = sized {
            if parts.is_empty() {
                let _ = fs::remove_file(&journal_path);
            }
            return Err(writing(&data, error));
        }
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
        remove_stale(&self.target);
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
    let hash = short_hash(content.to_string().as_bytes(), HASH_BYTES);
    format!("{}{hash}{PART}", prefix(target))
}

/// What the names of all unfinished downloads to `target` begin with, and those to no other place in its folder.
fn prefix(target: &Path) -> String {
    let name = target.file_name().unwrap_or(OsStr::new("download"));
    match name.to_str() {
        Some(whole) if whole.len() <= NAME_BYTES => format!(".{whole}."),
        // What a name loses here could be all that tells it from another.
        _ => {
            let text = name.to_string_lossy();
            let short = &text[..text.floor_char_boundary(NAME_BYTES)];
            format!(
                ".{short}~{}.",
                short_hash(name.as_encoded_bytes(), NAME_HASH_BYTES)
            )
        }
    }
}

fn short_hash(bytes: &[u8], length: usize) -> String {
    hex::encode(&PartDigest::of(bytes).as_bytes()[..length])
}

/// A crash between the two steps of [`PartFile::rename_to_nothing`] leaves the finished file with two names. The second one
/// must not be written through.
fn forget_finished(target: &Path, data: &Path) {
    if File::open(target).is_ok_and(|finished| own_file::is_at(&finished, data)) {
        let _ = fs::remove_file(data);
    }
}

/// Removes what downloads of other contents to `target` have left, unless they are going on: `target` is there now.
fn remove_stale(target: &Path) {
    let Some(entries) = folder(target).and_then(|folder| fs::read_dir(folder).ok()) else {
        return;
    };
    let prefix = prefix(target);
    let is_hash =
        |text: &str| text.len() == 2 * HASH_BYTES && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    for entry in entries.flatten() {
        let Ok(name) = entry.file_name().into_string() else {
            continue;
        };
        let part = name.strip_suffix(JOURNAL).unwrap_or(&name);
        let hash = part
            .strip_prefix(&prefix)
            .and_then(|rest| rest.strip_suffix(PART));
        if hash.is_some_and(is_hash) {
            remove_unless_in_use(&target.with_file_name(part));
        }
    }
}

fn remove_unless_in_use(data: &Path) {
    let mut journal_path = data.as_os_str().to_owned();
    journal_path.push(JOURNAL);
    let journal_path = Path::new(&journal_path);
    match own_file::open(journal_path) {
        Ok(mut file) => {
            if file.try_lock().is_err() || !journal::is_one(&mut file) {
                return;
            }
            let _ = fs::remove_file(data);
            let _ = fs::remove_file(journal_path);
        }
        // A process that goes on with a download makes the journal first. The bytes alone are of no use.
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let _ = fs::remove_file(data);
        }
        Err(_) => {}
    }
}

/// Opens and locks the file at `path`.
fn lock(path: &Path, target: &Path) -> Result<File, TransferError> {
    loop {
        let file = own_file::open_or_make(path).map_err(|error| disk("write", path, error))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(TransferError::InUse(target.to_owned())),
            Err(TryLockError::Error(error)) => return Err(disk("lock", path, error)),
        }
        // The process that had the lock may have finished and removed the file just before we got it.
        if own_file::is_at(&file, path) {
            return Ok(file);
        }
    }
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
        assert!(!own_file::is_at(&old, &path) && own_file::is_at(&new, &path));
    }

    #[test]
    fn the_longest_name_still_fits_and_is_no_others() {
        let target = PathBuf::from("é".repeat(127));
        let name = part_name(&target, content("x"));
        assert!(name.len() + ".journal".len() <= 255 && name.starts_with(".éé"));
        assert_ne!(name, part_name(&target, content("y")));
        let other = PathBuf::from("é".repeat(126));
        assert_ne!(name, part_name(&other, content("x")));
    }

    /// Two downloads of other contents to the same place were interrupted; one of them is going on by now.
    #[test]
    fn what_is_left_of_other_contents_is_removed_unless_it_is_in_use() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("a.bin");
        drop(PartFile::open(&target, content("old"), 5).unwrap());
        let orphan = part_name(&target, content("without a journal"));
        let others = [".a.bin.notes.part", "a.bin.0123456789ab.part", ".a.bin.part"];
        for name in [&[orphan.as_str()][..], &others].concat() {
            fs::write(folder.path().join(name), b"").unwrap();
        }
        drop(PartFile::open(&folder.path().join("a"), content("x"), 5).unwrap());
        let (going_on, _, _) = PartFile::open(&target, content("going on"), 5).unwrap();
        let (part, _, _) = PartFile::open(&target, content("new"), 5).unwrap();
        part.publish(false).unwrap();
        let mut left = others.map(str::to_owned).to_vec();
        left.push("a.bin".to_owned());
        for (name, text) in [("a", "x"), ("a.bin", "going on")] {
            let part = part_name(Path::new(name), content(text));
            left.extend([part.clone(), part + ".journal"]);
        }
        left.sort();
        assert_eq!(names(folder.path()), left);
        going_on.discard();
    }

    #[cfg(unix)]
    #[test]
    fn nothing_is_written_through_what_others_put_there() {
        use std::os::unix::fs::symlink;
        let folder = tempfile::tempdir().unwrap();
        let (target, victim) = (folder.path().join("a.bin"), folder.path().join("victim"));
        fs::write(&victim, b"precious").unwrap();
        let part = folder.path().join(part_name(&target, content("x")));
        let journal = folder
            .path()
            .join(format!("{}.journal", part_name(&target, content("x"))));
        for planted in [&part, &journal] {
            symlink(&victim, planted).unwrap();
            let refused = PartFile::open(&target, content("x"), 5);
            assert!(matches!(refused, Err(TransferError::Disk { .. })));
            fs::remove_file(planted).unwrap();
        }
        assert_eq!(fs::read(&victim).unwrap(), b"precious");
        // The finished file itself, after a crash at the wrong moment.
        fs::write(&target, b"finished").unwrap();
        let _ = fs::remove_file(&part);
        fs::hard_link(&target, &part).unwrap();
        drop(PartFile::open(&target, content("x"), 5).unwrap());
        assert_eq!(fs::read(&target).unwrap(), b"finished");
    }
}
