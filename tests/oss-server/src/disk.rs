//! What the bucket holds, on disk and in memory.
//!
//! Bytes are in `blobs/`, one file for each object or part, written once. `objects/` has a JSON file for each object, and
//! `uploads/` a folder for each multipart upload with a JSON file for each part. Whatever happens becomes true by one of
//! those files being renamed into place, so the process may be killed at any moment. What is in memory is read from them
//! when the server starts.

mod load;
mod multipart;
mod records;

pub(crate) use records::{Completion, Object, Part, Piece, Upload};

use crate::refusal::Refusal;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The bucket.
pub(crate) struct Disk {
    folder: PathBuf,
    held: Mutex<Held>,
}

#[derive(Default)]
struct Held {
    objects: BTreeMap<String, Arc<Object>>,
    /// By key and id: the order in which they are listed.
    uploads: BTreeMap<(String, String), Upload>,
}

/// A blob that is being written. It goes unless it is kept.
pub(crate) struct NewBlob {
    pub(crate) name: String,
    pub(crate) file: File,
    path: PathBuf,
    kept: bool,
}

impl NewBlob {
    fn keep(mut self) {
        self.kept = true;
    }
}

impl Drop for NewBlob {
    fn drop(&mut self) {
        if !self.kept {
            let _ = fs::remove_file(&self.path);
        }
    }
}

impl Disk {
    fn held(&self) -> MutexGuard<'_, Held> {
        // What is held is changed in one go after everything that can fail.
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn new_blob(&self) -> io::Result<NewBlob> {
        let name = random_id();
        let path = self.blob(&name);
        let file = File::create_new(&path)?;
        Ok(NewBlob {
            name,
            file,
            path,
            kept: false,
        })
    }

    /// Where a blob is.
    pub(crate) fn blob(&self, name: &str) -> PathBuf {
        self.folder.join("blobs").join(name)
    }

    pub(crate) fn object(&self, key: &str) -> Option<Arc<Object>> {
        self.held().objects.get(key).cloned()
    }

    /// All objects, in the order of their keys.
    pub(crate) fn objects(&self) -> Vec<Arc<Object>> {
        self.held().objects.values().cloned().collect()
    }

    /// Makes an object of a blob.
    pub(crate) fn put(&self, object: Object, blob: NewBlob, forbid_overwriting: bool) -> Result<(), Refusal> {
        let mut held = self.held();
        if forbid_overwriting && held.objects.contains_key(&object.key) {
            return Err(Refusal::already_exists());
        }
        self.place(&mut held, object)?;
        blob.keep();
        Ok(())
    }

    /// Writes the object down, and forgets the one that it replaces.
    fn place(&self, held: &mut Held, object: Object) -> io::Result<()> {
        self.write(&self.object_file(&object.key), &object)?;
        let key = object.key.clone();
        if let Some(old) = held.objects.insert(key, Arc::new(object)) {
            self.remove_blobs(old.pieces.iter().map(|piece| &piece.blob));
        }
        Ok(())
    }

    /// Removes an object. It is no error if there is none.
    pub(crate) fn delete(&self, key: &str) -> io::Result<()> {
        let mut held = self.held();
        let Some(object) = held.objects.get(key).cloned() else {
            return Ok(());
        };
        fs::remove_file(self.object_file(key))?;
        held.objects.remove(key);
        self.remove_blobs(object.pieces.iter().map(|piece| &piece.blob));
        Ok(())
    }

    /// What cannot be removed now is when the server starts again.
    fn remove_blobs<'a>(&self, names: impl IntoIterator<Item = &'a String>) {
        for name in names {
            let _ = fs::remove_file(self.blob(name));
        }
    }

    fn object_file(&self, key: &str) -> PathBuf {
        use sha2::{Digest, Sha256};
        let name = hex::encode(Sha256::digest(key));
        self.folder.join("objects").join(format!("{name}.json"))
    }

    /// Writes a JSON file in one step.
    fn write(&self, path: &Path, content: &impl Serialize) -> io::Result<()> {
        let draft = self.folder.join("drafts").join(random_id());
        fs::write(&draft, serde_json::to_vec(content)?)?;
        fs::rename(&draft, path)
    }
}

/// Whatever nobody can guess: 32 digits.
pub(crate) fn random_id() -> String {
    format!("{:032X}", rand::random::<u128>())
}
