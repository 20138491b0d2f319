//! Fetching parts: ranged requests to a presigned URL, each part hashed as it arrives and continued where a lost
//! connection left it.

use super::journal::Journal;
use super::origin::{Incoming, Origin, Stop, Tries};
use super::part_file::disk;
use super::{Observer, TransferError, TransferEvent, blocking};
use bytes::BytesMut;
use domain::content::PartDigest;
use sha2::{Digest, Sha256};
use std::fs::{File, OpenOptions};
use std::io::{self, Seek, SeekFrom, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// Bytes to gather before they are hashed and written.
pub(crate) const BLOCK: usize = 1024 * 1024;

/// Fetches parts of one file into one unfinished download.
pub(crate) struct Fetcher<'a> {
    pub(crate) origin: Origin<'a>,
    pub(crate) data: &'a Path,
    pub(crate) journal: Arc<Mutex<Journal>>,
}

impl Fetcher<'_> {
    /// Fetches one part, however often the connection is lost.
    pub(crate) async fn part(&self, number: u32) -> Result<PartDigest, Stop> {
        let range = self.origin.plan().range(number).unwrap_or_default();
        let mut sink = self.sink(range.start).await?;
        let mut tries = Tries::default();
        loop {
            let before = sink.done;
            let stop = match self.try_part(&range, &mut sink, &tries).await {
                Ok(()) => return Ok(self.finish(number, sink).await?),
                Err(stop) => stop,
            };
            if sink.done > before {
                tries = Tries::default();
            }
            self.origin.next_try(number, stop, &mut tries).await?;
        }
    }

    async fn try_part(&self, range: &Range<u64>, sink: &mut Sink, tries: &Tries) -> Result<(), Stop> {
        let rest = range.start + sink.done..range.end;
        let mut incoming = self.origin.request(Some(rest), tries).await?;
        self.fill(&mut incoming, sink, range.end - range.start).await
    }

    /// Fetches the parts `wanted` with one request for everything, for a store that ignores ranges. Calls `done`
    /// for each as it arrives.
    pub(crate) async fn whole(
        &self,
        wanted: &mut Vec<u32>,
        mut done: impl FnMut(u32, PartDigest),
    ) -> Result<(), Stop> {
        let mut tries = Tries::default();
        while let Some(first) = wanted.first().copied() {
            let before = wanted.len();
            let Err(stop) = self.try_whole(wanted, &tries, &mut done).await else {
                return Ok(());
            };
            if wanted.len() < before {
                tries = Tries::default();
            }
            self.origin.next_try(first, stop, &mut tries).await?;
        }
        Ok(())
    }

    async fn try_whole(
        &self,
        wanted: &mut Vec<u32>,
        tries: &Tries,
        done: &mut impl FnMut(u32, PartDigest),
    ) -> Result<(), Stop> {
        let mut incoming = self.origin.request(None, tries).await?;
        for number in 1..=self.origin.plan().part_count() {
            let range = self.origin.plan().range(number).unwrap_or_default();
            let length = range.end - range.start;
            if wanted.first() != Some(&number) {
                incoming.skip(length).await?;
                continue;
            }
            let mut sink = self.sink(range.start).await?;
            self.fill(&mut incoming, &mut sink, length).await?;
            done(number, self.finish(number, sink).await?);
            wanted.remove(0);
        }
        Ok(())
    }

    async fn sink(&self, offset: u64) -> Result<Sink, TransferError> {
        Sink::open(self.data, offset, self.origin.options().observer.clone()).await
    }

    async fn fill(&self, incoming: &mut Incoming, sink: &mut Sink, length: u64) -> Result<(), Stop> {
        while sink.done < length {
            let bytes = incoming.next(length - sink.done).await?;
            sink.take(&bytes).await?;
        }
        Ok(())
    }

    /// Writes the rest, notes the part, and returns its digest.
    async fn finish(&self, number: u32, sink: Sink) -> Result<PartDigest, TransferError> {
        let digest = sink.finish().await?;
        let noted = self
            .journal
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .append(number, digest);
        noted.map_err(|error| disk("write", self.data, error))?;
        self.origin
            .options()
            .observer
            .tell(TransferEvent::PartDone(number));
        Ok(digest)
    }
}

/// Takes the bytes of one part, hashes and writes them away from the threads that move bytes. Those of a part that is
/// left unfinished will have to be moved again.
struct Sink {
    path: PathBuf,
    observer: Observer,
    /// Bytes taken of a part that is not finished.
    done: u64,
    gathered: BytesMut,
    /// Only gone while a blocking thread has it, or after that one failed.
    writer: Option<(File, Sha256)>,
}

impl Sink {
    async fn open(path: &Path, offset: u64, observer: Observer) -> Result<Self, TransferError> {
        let at = path.to_owned();
        let open = move || {
            let mut file = OpenOptions::new().write(true).open(at)?;
            file.seek(SeekFrom::Start(offset))?;
            Ok((file, Sha256::new()))
        };
        let writer = blocking::run(open).await.flatten();
        let writer = writer.map_err(|error| disk("write", path, error))?;
        Ok(Self {
            path: path.to_owned(),
            observer,
            done: 0,
            gathered: BytesMut::new(),
            writer: Some(writer),
        })
    }

    async fn take(&mut self, bytes: &[u8]) -> Result<(), TransferError> {
        self.gathered.extend_from_slice(bytes);
        self.done += bytes.len() as u64;
        self.observer.tell(TransferEvent::Moved(bytes.len() as u64));
        if self.gathered.len() >= BLOCK {
            self.flush().await
        } else {
            Ok(())
        }
    }

    async fn flush(&mut self) -> Result<(), TransferError> {
        let block = self.gathered.split();
        let writer = self
            .writer
            .take()
            .ok_or_else(|| io::Error::other("an earlier write failed"));
        let write = |(mut file, mut hasher): (File, Sha256)| {
            blocking::run(move || {
                hasher.update(&block);
                file.write_all(&block).map(|()| (file, hasher))
            })
        };
        let written = match writer {
            Ok(writer) => write(writer).await.flatten(),
            Err(error) => Err(error),
        };
        self.writer = Some(written.map_err(|error| disk("write", &self.path, error))?);
        Ok(())
    }

    /// Ends the part.
    async fn finish(mut self) -> Result<PartDigest, TransferError> {
        self.flush().await?;
        self.done = 0;
        let hasher = self.writer.take().map(|(_, hasher)| hasher).unwrap_or_default();
        Ok(PartDigest::from_bytes(hasher.finalize().into()))
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        if self.done > 0 {
            self.observer.tell(TransferEvent::Undone(self.done));
        }
    }
}
