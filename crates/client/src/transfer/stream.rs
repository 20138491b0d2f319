//! Downloads to where bytes can only be passed on: standard output, a pipe, a device.
//!
//! The bytes go in order, and each is hashed before it is passed on. What was passed on cannot be taken back: whether it was
//! right is known at the end, and nothing is a success before that.

use super::download::{Downloaded, after, facts, fatal};
use super::fetch::BLOCK;
use super::origin::{Origin, Stop, Tries};
use super::part_file::disk;
use super::{Options, TransferError, TransferEvent, blocking};
use crate::api::Api;
use crate::types::Node;
use bytes::BytesMut;
use domain::content::{ContentId, PartDigest, PartPlan};
use sha2::{Digest, Sha256};
use std::io::{self, Write};
use std::path::PathBuf;

/// Where the bytes go.
pub struct Output {
    /// What to call it.
    pub name: PathBuf,
    /// Takes them in order, away from the threads that move bytes.
    pub writer: Box<dyn Write + Send>,
}

/// Downloads a file to an output, from the beginning, whatever earlier downloads have left. A file that is replaced before
/// the first byte is passed on is downloaded as it is then.
///
/// # Errors
/// See [`TransferError`]; [`TransferError::Wrong`] when other bytes than the file's were passed on.
pub async fn stream(
    api: &Api,
    file: &Node,
    output: Output,
    options: &Options,
) -> Result<Downloaded, TransferError> {
    let api = api.clone().with_retry(options.retry);
    let mut file = file.clone();
    let mut flow = Flow::new(output);
    let mut begun = 1;
    loop {
        let error = match once(&api, &file, &mut flow, options).await {
            Ok(done) => return Ok(done),
            Err(error) => error,
        };
        let now = after(&api, &file, error, begun, options).await?;
        if flow.taken > 0 {
            return Err(TransferError::Replaced(file.name));
        }
        file = now;
        begun += 1;
    }
}

async fn once(
    api: &Api,
    file: &Node,
    flow: &mut Flow,
    options: &Options,
) -> Result<Downloaded, TransferError> {
    let (size, expected) = facts(file)?;
    let plan = PartPlan::for_size(size)?;
    options.observer.tell(TransferEvent::TransferBegan {
        total: size,
        kept: 0,
        parts: plan.part_count(),
        kept_parts: 0,
    });
    let origin = Origin::new(api, file, plan, options);
    let (mut tries, mut in_one_go) = (Tries::default(), false);
    while flow.taken < size {
        let before = flow.taken;
        match pump(&origin, flow, in_one_go, &tries).await {
            Ok(()) => {}
            Err(Stop::RangeIgnored) if !in_one_go => in_one_go = true,
            Err(stop) => {
                if flow.taken > before {
                    tries = Tries::default();
                }
                origin
                    .next_try(flow.part(), stop, &mut tries)
                    .await
                    .map_err(fatal)?;
            }
        }
    }
    let found = flow.finish(size).await?;
    if found != Some(expected) {
        return Err(
            found.map_or(TransferError::NotConverging, |found| TransferError::Wrong {
                expected,
                found,
            }),
        );
    }
    Ok(Downloaded {
        content_id: expected,
        size,
        parts_fetched: plan.part_count(),
        parts_kept: 0,
    })
}

/// Passes on what is left of the file, as far as one answer carries.
async fn pump(origin: &Origin<'_>, flow: &mut Flow, in_one_go: bool, tries: &Tries) -> Result<(), Stop> {
    let size = origin.plan().size();
    let mut incoming = if in_one_go {
        let mut incoming = origin.request(None, tries).await?;
        incoming.skip(flow.taken).await?;
        incoming
    } else {
        origin.request(Some(flow.taken..size), tries).await?
    };
    while flow.taken < size {
        let end = origin.plan().range(flow.part()).map_or(size, |range| range.end);
        let bytes = incoming.next(end - flow.taken).await?;
        flow.take(&bytes, end).await?;
        origin
            .options()
            .observer
            .tell(TransferEvent::Moved(bytes.len() as u64));
        if flow.taken == end {
            origin
                .options()
                .observer
                .tell(TransferEvent::PartDone(flow.part() - 1));
        }
    }
    Ok(())
}

/// The output, and what went there.
struct Flow {
    name: PathBuf,
    /// Only gone while a blocking thread has it, or after that one failed.
    writer: Option<(Box<dyn Write + Send>, Sha256)>,
    /// Bytes taken, passed on or gathered.
    taken: u64,
    gathered: BytesMut,
    digests: Vec<PartDigest>,
}

impl Flow {
    fn new(output: Output) -> Self {
        Self {
            name: output.name,
            writer: Some((output.writer, Sha256::new())),
            taken: 0,
            gathered: BytesMut::new(),
            digests: Vec::new(),
        }
    }

    /// The part that the next byte is of.
    fn part(&self) -> u32 {
        u32::try_from(self.digests.len())
            .unwrap_or(u32::MAX)
            .saturating_add(1)
    }

    /// Takes some bytes of a part that ends at `end`.
    async fn take(&mut self, bytes: &[u8], end: u64) -> Result<(), TransferError> {
        self.gathered.extend_from_slice(bytes);
        self.taken += bytes.len() as u64;
        if self.gathered.len() >= BLOCK || self.taken == end {
            self.pass_on(self.taken == end).await?;
        }
        Ok(())
    }

    /// What all bytes together are. An empty file has one part, and no byte that could have ended it.
    async fn finish(&mut self, size: u64) -> Result<Option<ContentId>, TransferError> {
        if size == 0 {
            self.pass_on(true).await?;
        }
        Ok(ContentId::of_parts(&self.digests))
    }

    async fn pass_on(&mut self, ends_part: bool) -> Result<(), TransferError> {
        let block = self.gathered.split();
        let failed = |error| disk("write", &self.name, error);
        let (mut writer, mut hasher) = self
            .writer
            .take()
            .ok_or_else(|| failed(io::Error::other("an earlier write failed")))?;
        let write = move || {
            hasher.update(&block);
            writer.write_all(&block)?;
            if ends_part {
                writer.flush()?;
            }
            Ok((writer, hasher))
        };
        let written = blocking::run(write).await.flatten();
        let (writer, mut hasher) = written.map_err(failed)?;
        if ends_part {
            let digest = hasher.finalize_reset();
            self.digests.push(PartDigest::from_bytes(digest.into()));
        }
        self.writer = Some((writer, hasher));
        Ok(())
    }
}
