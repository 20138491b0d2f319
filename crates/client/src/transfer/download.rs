//! The download engine.
//!
//! Bytes go to an unfinished download beside the target (see `part_file`), part by part, each hashed as it
//! arrives. Parts that an earlier process finished are hashed again from the disk and kept. When all digests
//! together give the file's content id, and only then, the bytes get their name.

use super::fetch::{Fetcher, Stop};
use super::journal::Parts;
use super::part_file::{PartFile, disk};
use super::{Event, Options, TransferError, hash};
use crate::api::Api;
use crate::types::{Node, NodeKind};
use domain::content::{ContentId, PartDigest, PartPlan};
use futures::future::try_join_all;
use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::task::spawn_blocking;

/// What to download.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DownloadRequest {
    /// The file, as the API describes it.
    pub file: Node,
    /// Where to.
    pub target: PathBuf,
    /// Whether to replace what is there.
    pub overwrite: bool,
}

/// A finished download.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Downloaded {
    /// What the bytes are, verified.
    pub content_id: ContentId,
    /// Parts fetched by this call.
    pub parts_fetched: u32,
    /// Parts that an earlier call had fetched.
    pub parts_kept: u32,
}

/// Downloads a file, carrying on with an earlier download of it if there is one.
///
/// # Errors
/// See [`TransferError`]. What was fetched is kept beside the target, except after
/// [`TransferError::Mismatch`].
pub async fn download(
    api: &Api,
    request: &DownloadRequest,
    options: &Options,
) -> Result<Downloaded, TransferError> {
    let file = &request.file;
    let (NodeKind::File, Some(size), Some(expected)) = (file.kind, file.size, file.content_id) else {
        return Err(TransferError::NotDownloadable(file.name.clone()));
    };
    if !request.overwrite && tokio::fs::symlink_metadata(&request.target).await.is_ok() {
        return Err(TransferError::TargetExists(request.target.clone()));
    }
    let plan = PartPlan::for_size(size)?;
    let target = request.target.clone();
    let (part_file, journal, noted) =
        blocking(&request.target, move || PartFile::open(&target, expected, size)).await?;
    let mut digests = check(&part_file, plan, &noted, options).await?;
    let missing: Vec<u32> = (1..=plan.part_count())
        .filter(|&number| at(&digests, number).is_none())
        .collect();
    let parts_fetched = u32::try_from(missing.len()).unwrap_or(u32::MAX);
    let parts_kept = plan.part_count() - parts_fetched;
    let lacking: u64 = missing
        .iter()
        .filter_map(|&number| plan.part_length(number))
        .sum();
    options.observer.tell(Event::TransferBegan {
        total: size,
        kept: size - lacking,
        parts: plan.part_count(),
        kept_parts: parts_kept,
    });
    // The bytes in between may take hours; a network that fails for a while must not end that.
    let api = api.clone().with_retry(options.retry);
    let fetcher = Fetcher {
        api: &api,
        file: &file.id,
        plan,
        data: part_file.data(),
        journal: Arc::new(Mutex::new(journal)),
        options,
        url: tokio::sync::Mutex::default(),
    };
    fetch(&fetcher, missing, &mut digests).await?;
    // Keeps the lock with `part_file` alone.
    drop(fetcher);
    let digests: Vec<PartDigest> = digests.into_iter().flatten().collect();
    let overwrite = request.overwrite;
    blocking(&request.target, move || match ContentId::of_parts(&digests) {
        Some(found) if found == expected => part_file.publish(overwrite),
        Some(found) => {
            part_file.discard();
            Err(TransferError::Mismatch { expected, found })
        }
        None => Err(TransferError::NotConverging),
    })
    .await?;
    Ok(Downloaded {
        content_id: expected,
        parts_fetched,
        parts_kept,
    })
}

/// Hashes the parts an earlier process noted and gives the digests of those that are as noted.
async fn check(
    part_file: &PartFile,
    plan: PartPlan,
    noted: &Parts,
    options: &Options,
) -> Result<Vec<Option<PartDigest>>, TransferError> {
    let mut digests = vec![None; plan.part_count() as usize];
    let numbers: Vec<u32> = noted
        .keys()
        .copied()
        .filter(|number| plan.range(*number).is_some())
        .collect();
    if numbers.is_empty() {
        return Ok(digests);
    }
    let bytes = numbers
        .iter()
        .filter_map(|&number| plan.part_length(number))
        .sum();
    options.observer.tell(Event::HashingBegan(bytes));
    let found = hash::parts(part_file.data(), plan, numbers.clone(), &options.observer).await;
    let found = found.map_err(|error| disk("read", part_file.data(), error))?;
    for (number, found) in numbers.into_iter().zip(found) {
        if let Some(slot) = slot(&mut digests, number) {
            *slot = found.filter(|digest| noted.get(&number) == Some(digest));
        }
    }
    Ok(digests)
}

/// Fetches the parts `missing`, several at a time if the store lets us.
async fn fetch(
    fetcher: &Fetcher<'_>,
    missing: Vec<u32>,
    digests: &mut [Option<PartDigest>],
) -> Result<(), TransferError> {
    // An empty file's only part is empty: there is no byte to ask for.
    if fetcher.plan.size() == 0 {
        digests.fill(Some(PartDigest::of(b"")));
        return Ok(());
    }
    let streams = fetcher.options.streams.get().min(missing.len());
    let queue = Mutex::new(VecDeque::from(missing));
    let fetched = Mutex::new(Vec::new());
    let stream = || async {
        loop {
            let next = queue.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
            let Some(number) = next else { return Ok(()) };
            let digest = fetcher.part(number).await?;
            fetched
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push((number, digest));
        }
    };
    let ended = try_join_all((0..streams).map(|_| stream())).await;
    for (number, digest) in fetched.into_inner().unwrap_or_else(PoisonError::into_inner) {
        if let Some(slot) = slot(digests, number) {
            *slot = Some(digest);
        }
    }
    match ended {
        Ok(_) => Ok(()),
        Err(Stop::RangeIgnored) => fetch_whole(fetcher, digests).await,
        Err(stop) => Err(fatal(stop)),
    }
}

async fn fetch_whole(fetcher: &Fetcher<'_>, digests: &mut [Option<PartDigest>]) -> Result<(), TransferError> {
    let mut wanted: Vec<u32> = (1..=fetcher.plan.part_count())
        .filter(|&number| at(digests, number).is_none())
        .collect();
    let done = |number, digest| {
        if let Some(slot) = slot(digests, number) {
            *slot = Some(digest);
        }
    };
    fetcher.whole(&mut wanted, done).await.map_err(fatal)
}

fn fatal(stop: Stop) -> TransferError {
    match stop {
        Stop::Fatal(error) => error,
        // Both are dealt with where they come up.
        Stop::RangeIgnored | Stop::Store(_) => TransferError::NotConverging,
    }
}

fn at(digests: &[Option<PartDigest>], number: u32) -> Option<PartDigest> {
    digests.get(number.checked_sub(1)? as usize).copied().flatten()
}

fn slot(digests: &mut [Option<PartDigest>], number: u32) -> Option<&mut Option<PartDigest>> {
    digests.get_mut(number.checked_sub(1)? as usize)
}

async fn blocking<T: Send + 'static>(
    path: &Path,
    work: impl FnOnce() -> Result<T, TransferError> + Send + 'static,
) -> Result<T, TransferError> {
    let done = spawn_blocking(work).await;
    done.map_err(|error| disk("write", path, std::io::Error::other(error)))
        .flatten()
}
