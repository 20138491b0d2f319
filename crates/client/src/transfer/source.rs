//! The local file of an upload: what it was when the upload began, and its parts as request bodies.

use super::blocking;
use super::error::{Ends, TransferError};
use super::options::{Observer, TransferEvent};
use bytes::Bytes;
use domain::content::PartPlan;
use futures::stream::{self, Stream};
use std::fs::{File, FileType, Metadata};
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

const BLOCK: usize = 256 * 1024;

/// A file about to be uploaded.
pub(crate) struct Source {
    pub(crate) path: PathBuf,
    pub(crate) plan: PartPlan,
    modified: Option<SystemTime>,
}

impl Source {
    pub(crate) async fn open(path: &Path) -> Result<Self, TransferError> {
        let at = path.to_owned();
        let facts = blocking::run(move || plain_file(&at)).await;
        let facts = facts.map_err(|error| unreadable(path, error))??;
        let plan = PartPlan::for_size(facts.len())?;
        Ok(Self {
            path: path.to_owned(),
            plan,
            modified: facts.modified().ok(),
        })
    }

    /// Fails when the file is no longer what it was. The bytes of every part are checked by the store in any
    /// case; this finds what was written to parts already sent.
    pub(crate) async fn unchanged(&self) -> Result<(), TransferError> {
        let facts = look(&self.path).await?;
        if facts.len() == self.plan.size() && facts.modified().ok() == self.modified {
            Ok(())
        } else {
            Err(TransferError::Changed(self.path.clone()))
        }
    }

    /// Why the file ends elsewhere than its size says: somebody writes to it, or its size is not meant to be believed.
    pub(crate) async fn unlike(&self, ends: Ends) -> TransferError {
        match look(&self.path).await {
            Err(error) => error,
            Ok(facts) if facts.len() != self.plan.size() => TransferError::Changed(self.path.clone()),
            Ok(_) => TransferError::SizeUntrue {
                path: self.path.clone(),
                size: self.plan.size(),
                ends,
            },
        }
    }

    pub(crate) fn disk(&self, error: io::Error) -> TransferError {
        unreadable(&self.path, error)
    }
}

/// Says what keeps the file at `path` from being uploaded, as far as that shows without reading it.
///
/// # Errors
/// [`TransferError::Folder`], [`TransferError::Special`], [`TransferError::Dangling`], [`TransferError::Disk`].
pub fn uploadable(path: &Path) -> Result<(), TransferError> {
    plain_file(path).map(drop)
}

fn plain_file(path: &Path) -> Result<Metadata, TransferError> {
    let facts = std::fs::metadata(path).map_err(|error| match std::fs::read_link(path) {
        Ok(target) if error.kind() == io::ErrorKind::NotFound => TransferError::Dangling {
            path: path.to_owned(),
            target,
        },
        _ => unreadable(path, error),
    })?;
    let path = || path.to_owned();
    match facts.file_type() {
        kind if kind.is_file() => Ok(facts),
        kind if kind.is_dir() => Err(TransferError::Folder(path())),
        kind => Err(TransferError::Special {
            path: path(),
            what: what(kind),
        }),
    }
}

#[cfg(unix)]
fn what(kind: FileType) -> &'static str {
    use std::os::unix::fs::FileTypeExt;
    if kind.is_fifo() {
        "a pipe"
    } else if kind.is_socket() {
        "a socket"
    } else if kind.is_block_device() || kind.is_char_device() {
        "a device"
    } else {
        "something else"
    }
}

#[cfg(not(unix))]
fn what(_: FileType) -> &'static str {
    "something else"
}

fn unreadable(path: &Path, error: io::Error) -> TransferError {
    TransferError::Disk {
        action: "read",
        path: path.to_owned(),
        error,
    }
}

async fn look(path: &Path) -> Result<Metadata, TransferError> {
    let at = path.to_owned();
    let facts = blocking::run(move || std::fs::metadata(at)).await.flatten();
    facts.map_err(|error| unreadable(path, error))
}

/// Watches one request body from outside, where only the fate of the request can be seen.
pub(crate) struct Meter {
    observer: Observer,
    sent: AtomicU64,
    error: Mutex<Option<io::Error>>,
}

impl Meter {
    pub(crate) fn new(observer: Observer) -> Arc<Self> {
        Arc::new(Self {
            observer,
            sent: AtomicU64::new(0),
            error: Mutex::default(),
        })
    }

    /// Bytes handed to the network so far.
    pub(crate) fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    /// What went wrong on this side, if that is why the request failed.
    pub(crate) fn take_error(&self) -> Option<io::Error> {
        self.error.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn add(&self, bytes: u64) {
        self.sent.fetch_add(bytes, Ordering::Relaxed);
        self.observer.tell(TransferEvent::Moved(bytes));
    }

    fn fail(&self, error: io::Error) -> io::Error {
        let copy = io::Error::new(error.kind(), error.to_string());
        *self.error.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
        copy
    }
}

/// The bytes `range` of the file at `path`, read as the network takes them.
pub(crate) fn body(
    path: PathBuf,
    range: Range<u64>,
    meter: Arc<Meter>,
) -> impl Stream<Item = io::Result<Bytes>> + Send + 'static {
    let start = (None, range.end - range.start);
    stream::try_unfold(start, move |(file, left)| {
        let (path, meter, offset) = (path.clone(), Arc::clone(&meter), range.start);
        async move {
            match next_block(file, &path, offset, left).await {
                Ok(Some((block, file))) => {
                    meter.add(block.len() as u64);
                    let left = left - block.len() as u64;
                    Ok(Some((block, (Some(file), left))))
                }
                Ok(None) => Ok(None),
                Err(error) => Err(meter.fail(error)),
            }
        }
    })
}

async fn next_block(
    file: Option<File>,
    path: &Path,
    offset: u64,
    left: u64,
) -> io::Result<Option<(Bytes, File)>> {
    if left == 0 {
        return Ok(None);
    }
    let path = path.to_owned();
    let read = move || {
        let mut file = match file {
            Some(file) => file,
            None => {
                let mut file = File::open(path)?;
                file.seek(SeekFrom::Start(offset))?;
                file
            }
        };
        let want = usize::try_from(left).unwrap_or(BLOCK).min(BLOCK);
        let mut block = Vec::with_capacity(want);
        if (&mut file).take(want as u64).read_to_end(&mut block)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(Some((block.into(), file)))
    };
    blocking::run(read).await.flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::TryStreamExt;

    #[tokio::test]
    async fn a_body_is_the_range_and_is_counted() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let bytes: Vec<u8> = (0..1_000_000u32).map(|n| (n % 253) as u8).collect();
        std::fs::write(file.path(), &bytes).unwrap();
        let meter = Meter::new(Observer::silent());
        let body = body(file.path().to_owned(), 1000..900_001, Arc::clone(&meter));
        let read: Vec<Bytes> = body.try_collect().await.unwrap();
        assert_eq!(read.concat(), &bytes[1000..900_001]);
        assert_eq!(meter.sent(), 899_001);
    }

    #[tokio::test]
    async fn a_file_that_ends_early_is_an_error_on_this_side() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), b"12345").unwrap();
        let meter = Meter::new(Observer::silent());
        let body = body(file.path().to_owned(), 0..6, Arc::clone(&meter));
        assert!(body.try_collect::<Vec<_>>().await.is_err());
        assert_eq!(meter.take_error().unwrap().kind(), io::ErrorKind::UnexpectedEof);
    }

    #[tokio::test]
    async fn a_change_of_size_or_time_is_noticed() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), b"12345").unwrap();
        let source = Source::open(file.path()).await.unwrap();
        source.unchanged().await.unwrap();
        let later = SystemTime::now() + std::time::Duration::from_secs(5);
        file.as_file().set_modified(later).unwrap();
        assert!(matches!(source.unchanged().await, Err(TransferError::Changed(_))));
    }
}
