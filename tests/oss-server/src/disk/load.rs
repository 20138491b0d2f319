//! Reading everything back when the server starts, and clearing away what a killed one left.

use super::{Disk, Held, Object, Part, Upload};
use serde::de::DeserializeOwned;
use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

impl Disk {
    /// Opens the folder, or makes it.
    pub(crate) fn open(folder: &Path) -> io::Result<Self> {
        for name in ["blobs", "objects", "uploads", "drafts"] {
            fs::create_dir_all(folder.join(name))?;
        }
        let mut held = Held::default();
        for path in entries(&folder.join("objects"))? {
            let object: Object = read(&path)?;
            held.objects.insert(object.key.clone(), Arc::new(object));
        }
        for path in entries(&folder.join("uploads"))? {
            match load_upload(&path)? {
                // Killed between completing an upload and forgetting it.
                Some(upload) if is_complete(&held, &upload) => fs::remove_dir_all(&path)?,
                Some(upload) => {
                    held.uploads
                        .insert((upload.key.clone(), upload.id.clone()), upload);
                }
                // Killed while an upload began or ended.
                None => fs::remove_dir_all(&path)?,
            }
        }
        for path in entries(&folder.join("drafts"))? {
            fs::remove_file(path)?;
        }
        remove_unused_blobs(folder, &held)?;
        Ok(Self {
            folder: folder.to_owned(),
            held: Mutex::new(held),
        })
    }
}

fn is_complete(held: &Held, upload: &Upload) -> bool {
    let object = held.objects.get(&upload.key);
    object.is_some_and(|object| object.upload.as_ref() == Some(&upload.id))
}

fn load_upload(folder: &Path) -> io::Result<Option<Upload>> {
    let about = folder.join("upload.json");
    if !about.exists() {
        return Ok(None);
    }
    let mut upload: Upload = read(&about)?;
    for path in entries(folder)? {
        if path != about {
            let part: Part = read(&path)?;
            upload.parts.insert(part.number, part);
        }
    }
    Ok(Some(upload))
}

/// Blobs that were being written, and those of objects that were being removed.
fn remove_unused_blobs(folder: &Path, held: &Held) -> io::Result<()> {
    let of_objects = held.objects.values().flat_map(|object| &object.pieces);
    let of_parts = held.uploads.values().flat_map(|upload| upload.parts.values());
    let used: HashSet<&str> = of_objects
        .map(|piece| piece.blob.as_str())
        .chain(of_parts.map(|part| part.blob.as_str()))
        .collect();
    for path in entries(&folder.join("blobs"))? {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if !used.contains(name.as_ref()) {
            fs::remove_file(&path)?;
        }
    }
    Ok(())
}

fn entries(folder: &Path) -> io::Result<Vec<PathBuf>> {
    fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect()
}

fn read<T: DeserializeOwned>(path: &Path) -> io::Result<T> {
    let text = fs::read(path)?;
    serde_json::from_slice(&text)
        .map_err(|error| io::Error::other(format!("cannot read {}: {error}", path.display())))
}
