//! Fetching parts: ranged requests to a presigned URL, each part hashed as it arrives and continued where a lost
//! connection left it.
//!
//! The URL is asked for anew when it expires, and when the place it leads to has lost the file or keeps failing: the
//! file may be at another store by then. So one download, even one part, may come from several places. That is as
//! good as from one: the bytes are judged by their digests, whoever sent them.

use super::journal::Journal;
use super::part_file::disk;
use super::store::{self, Failure};
use super::{Event, Observer, Options, TransferError};
use crate::api::Api;
use crate::secret::SignedUrl;
use bytes::{Bytes, BytesMut};
use domain::content::{PartDigest, PartPlan};
use reqwest::header::{CONTENT_RANGE, HeaderValue, RANGE};
use reqwest::{Response, StatusCode};
use sha2::{Digest, Sha256};
use std::fs::{File, OpenOptions};
use std::io::{self, Seek, SeekFrom, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::task::spawn_blocking;
use tokio::time::timeout;

/// Bytes to gather before they are hashed and written.
const BLOCK: usize = 1024 * 1024;
/// New URLs to ask for in a row when the store denies them or has no file there.
const RENEWALS: u32 = 3;

/// Why a part, or one try of it, ended early.
pub(crate) enum Stop {
    /// The store or the network.
    Store(Failure),
    /// The store sends the whole object whatever range is asked for.
    RangeIgnored,
    /// Nothing that another try would help.
    Fatal(TransferError),
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        Self::Store(failure)
    }
}

impl From<TransferError> for Stop {
    fn from(error: TransferError) -> Self {
        Self::Fatal(error)
    }
}

/// Fetches parts of one file into one unfinished download.
pub(crate) struct Fetcher<'a> {
    pub(crate) api: &'a Api,
    pub(crate) file: &'a str,
    pub(crate) plan: PartPlan,
    pub(crate) data: &'a Path,
    pub(crate) journal: Arc<Mutex<Journal>>,
    pub(crate) options: &'a Options,
    /// The URL in use.
    pub(crate) url: tokio::sync::Mutex<Option<SignedUrl>>,
}

impl Fetcher<'_> {
    /// Fetches one part, however often the connection is lost.
    pub(crate) async fn part(&self, number: u32) -> Result<PartDigest, Stop> {
        let range = self.plan.range(number).unwrap_or_default();
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
            self.next_try(number, stop, &mut tries).await?;
        }
    }

    async fn try_part(&self, range: &Range<u64>, sink: &mut Sink, tries: &Tries) -> Result<(), Stop> {
        let rest = range.start + sink.done..range.end;
        let mut incoming = self.request(Some(rest), tries).await?;
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
            self.next_try(first, stop, &mut tries).await?;
        }
        Ok(())
    }

    async fn try_whole(
        &self,
        wanted: &mut Vec<u32>,
        tries: &Tries,
        done: &mut impl FnMut(u32, PartDigest),
    ) -> Result<(), Stop> {
        let mut incoming = self.request(None, tries).await?;
        for number in 1..=self.plan.part_count() {
            let range = self.plan.range(number).unwrap_or_default();
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
        Sink::open(self.data, offset, self.options.observer.clone()).await
    }

    async fn fill(&self, incoming: &mut Incoming, sink: &mut Sink, length: u64) -> Result<(), Stop> {
        while sink.done < length {
            let bytes = incoming.next(length - sink.done).await?;
            sink.take(&bytes).await?;
        }
        Ok(())
    }

    /// Writes the rest, notes the part, and gives its digest.
    async fn finish(&self, number: u32, sink: Sink) -> Result<PartDigest, TransferError> {
        let digest = sink.finish().await?;
        let noted = self
            .journal
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .append(number, digest);
        noted.map_err(|error| disk("write", self.data, error))?;
        self.options.observer.tell(Event::PartDone(number));
        Ok(digest)
    }

    /// Decides what to do about a failure: gives up, or waits.
    async fn next_try(&self, part: u32, stop: Stop, tries: &mut Tries) -> Result<(), Stop> {
        let reason = match stop {
            Stop::Store(Failure::Denied(reason)) if tries.may_renew() => {
                format!("the URL was not accepted any more: {reason}")
            }
            Stop::Store(Failure::Missing) if tries.may_renew() => {
                "the store has the file no more; asking for another copy".to_owned()
            }
            Stop::Store(Failure::Denied(reason) | Failure::Refused(reason)) => {
                return Err(TransferError::StoreRefused { part, reason }.into());
            }
            Stop::Store(Failure::Missing) => return Err(TransferError::StoreLost(part).into()),
            Stop::Store(Failure::Foreign(answer)) if tries.failed + 1 >= store::FOREIGN => {
                return Err(TransferError::NotTheStore { part, answer }.into());
            }
            Stop::Store(Failure::Foreign(answer)) => {
                format!("something other than the store answered: {answer}")
            }
            Stop::Store(Failure::Transient(reason)) => reason,
            Stop::Store(Failure::BadDigest) => "the store takes the request for damaged".to_owned(),
            other => return Err(other),
        };
        tries.failed += 1;
        let Some(wait) = self.options.retry.wait(tries.failed) else {
            return Err(TransferError::StoreUnreachable { part, reason }.into());
        };
        self.options.observer.tell(Event::Retrying { part, reason, wait });
        tokio::time::sleep(wait).await;
        Ok(())
    }

    async fn current_url(&self) -> Result<SignedUrl, TransferError> {
        let mut current = self.url.lock().await;
        if let Some(url) = &*current {
            return Ok(url.clone());
        }
        Ok(current.insert(self.api.content_url(self.file).await?).clone())
    }

    /// Lets whoever needs a URL next ask for a new one, unless somebody else already did.
    async fn forget(&self, url: &SignedUrl) {
        let mut current = self.url.lock().await;
        if current.as_ref() == Some(url) {
            *current = None;
        }
    }

    async fn request(&self, range: Option<Range<u64>>, tries: &Tries) -> Result<Incoming, Stop> {
        let url = self.current_url().await?;
        let answered = self.ask(&url, range).await;
        let renew = match &answered {
            Err(Stop::Store(Failure::Denied(_) | Failure::Missing)) => true,
            // Failing once is nothing; whoever fails again and again may have been replaced by another place.
            Err(Stop::Store(Failure::Transient(_) | Failure::Foreign(_))) => tries.failed > 0,
            _ => false,
        };
        if renew {
            self.forget(&url).await;
        }
        answered
    }

    async fn ask(&self, url: &SignedUrl, range: Option<Range<u64>>) -> Result<Incoming, Stop> {
        let mut request = self.api.store_client().get(url.reveal());
        if let Some(range) = &range {
            let value =
                HeaderValue::try_from(format!("bytes={}-{}", range.start, range.end.saturating_sub(1)));
            request = request.header(RANGE, value.map_err(|error| Failure::Refused(error.to_string()))?);
        }
        let response = timeout(self.options.stall, request.send())
            .await
            .map_err(|_| Failure::stalled())?;
        let response = response.map_err(Failure::network)?;
        let size = self.plan.size();
        match (response.status(), range) {
            (StatusCode::PARTIAL_CONTENT, Some(range)) if answers(&response, &range, size) => {}
            (StatusCode::PARTIAL_CONTENT, _) => {
                return Err(Failure::Refused("it sent other bytes than were asked for".to_owned()).into());
            }
            (StatusCode::OK, range) => {
                store::gave(&response, size)?;
                if let Some(length) = response.content_length().filter(|length| *length != size) {
                    return Err(
                        Failure::Refused(format!("the object has {length} bytes, not {size}")).into(),
                    );
                }
                if range.is_some_and(|range| range != (0..size)) {
                    return Err(Stop::RangeIgnored);
                }
            }
            _ => return Err(Failure::of(response, self.options.stall).await.into()),
        }
        Ok(Incoming {
            response,
            rest: Bytes::new(),
            options: self.options.clone(),
        })
    }
}

/// Whether a 206 carries `range` of an object of `size` bytes.
fn answers(response: &Response, range: &Range<u64>, size: u64) -> bool {
    let value = response
        .headers()
        .get(CONTENT_RANGE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let begins = format!("bytes {}-{}/", range.start, range.end.saturating_sub(1));
    value
        .strip_prefix(&begins)
        .is_some_and(|total| total == "*" || total.parse() == Ok(size))
}

/// What went wrong in a row, without a byte in between.
#[derive(Default)]
struct Tries {
    failed: u32,
    renewed: u32,
}

impl Tries {
    /// Whether a new URL may help, once more.
    fn may_renew(&mut self) -> bool {
        self.renewed += 1;
        self.renewed <= RENEWALS
    }
}

/// The body of an answer.
struct Incoming {
    response: Response,
    rest: Bytes,
    options: Options,
}

impl Incoming {
    /// Some more bytes, at most `most`.
    async fn next(&mut self, most: u64) -> Result<Bytes, Failure> {
        while self.rest.is_empty() {
            let chunk = timeout(self.options.stall, self.response.chunk()).await;
            let chunk = chunk.map_err(|_| Failure::stalled())?.map_err(Failure::network)?;
            self.rest = chunk.ok_or_else(|| Failure::Transient("the answer ended early".to_owned()))?;
        }
        let count = usize::try_from(most).unwrap_or(usize::MAX).min(self.rest.len());
        Ok(self.rest.split_to(count))
    }

    async fn skip(&mut self, mut bytes: u64) -> Result<(), Failure> {
        while bytes > 0 {
            bytes -= self.next(bytes).await?.len() as u64;
        }
        Ok(())
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
        let writer = spawn_blocking(open).await.map_err(io::Error::other).flatten();
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
        self.observer.tell(Event::Moved(bytes.len() as u64));
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
            spawn_blocking(move || {
                hasher.update(&block);
                file.write_all(&block).map(|()| (file, hasher))
            })
        };
        let written = match writer {
            Ok(writer) => write(writer).await.map_err(io::Error::other).flatten(),
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
            self.observer.tell(Event::Undone(self.done));
        }
    }
}
