//! The download engine.
//!
//! Bytes go to an unfinished download beside the target (see `part_file`), part by part, each hashed as it
//! arrives. Parts that an earlier process finished are hashed again from the disk and kept. When all digests
//! together give the file's content id, and only then, the bytes get their name.

use super::fetch::Fetcher;
use super::journal::Parts;
use super::origin::{Origin, Stop, replacement};
use super::part_file::{PartFile, disk};
use super::{Options, TransferError, TransferEvent, blocking, hash};
use crate::api::Api;
use crate::types::{Node, NodeKind};
use domain::content::{ContentId, PartDigest, PartPlan};
use futures::future::try_join_all;
use std::collections::VecDeque;
use std::fs::{self, Metadata};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

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
    /// How many there are. More or fewer than at first if the file was replaced meanwhile.
    pub size: u64,
    /// Parts fetched by this call.
    pub parts_fetched: u32,
    /// Parts that an earlier call had fetched.
    pub parts_kept: u32,
}

/// Times to begin with a file that is replaced again and again.
pub(super) const BEGINNINGS: u32 = 3;

/// Downloads a file, carrying on with an earlier download of it if there is one. A file that is replaced meanwhile is
/// downloaded as it is then.
///
/// # Errors
/// See [`TransferError`]. What was fetched is kept beside the target, except after
/// [`TransferError::Mismatch`].
pub async fn download(
    api: &Api,
    request: &DownloadRequest,
    options: &Options,
) -> Result<Downloaded, TransferError> {
    // The bytes may take hours; a network that fails for a while must not end that.
    let api = api.clone().with_retry(options.retry);
    let mut file = request.file.clone();
    let mut begun = 1;
    loop {
        let error = match once(&api, &file, request, options).await {
            Ok(done) => return Ok(done),
            Err(error) => error,
        };
        file = after(&api, &file, error, begun, options).await?;
        begun += 1;
    }
}

/// The file to begin anew with after `error`, if that is the remedy: it is another one by now.
pub(super) async fn after(
    api: &Api,
    file: &Node,
    error: TransferError,
    begun: u32,
    options: &Options,
) -> Result<Node, TransferError> {
    let is_suspect = matches!(
        error,
        TransferError::Replaced(_)
            | TransferError::Mismatch { .. }
            | TransferError::Wrong { .. }
            | TransferError::StoreRefused { .. }
            | TransferError::StoreLost(_)
    );
    let now = if is_suspect {
        replacement(api, file).await.ok().flatten()
    } else {
        None
    };
    match now {
        Some(now) if begun < BEGINNINGS => {
            options.observer.tell(TransferEvent::Replaced);
            Ok(now)
        }
        Some(now) => Err(TransferError::Replaced(now.name)),
        None => Err(error),
    }
}

/// What there is to fetch of a file.
pub(super) fn facts(file: &Node) -> Result<(u64, ContentId), TransferError> {
    match (file.kind, file.size, file.content_id) {
        (NodeKind::File, Some(size), Some(content)) => Ok((size, content)),
        _ => Err(TransferError::NotDownloadable(file.name.clone())),
    }
}

/// What can be known before the first byte about whether the target can have the file.
async fn check_target(request: &DownloadRequest) -> Result<(), TransferError> {
    let target = &request.target;
    match look(target).await {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(disk("write", target, error)),
        Ok(_) if !request.overwrite => Err(TransferError::TargetExists(target.clone())),
        Ok(there) if there.is_file() => Ok(()),
        // It would take the place of a pipe or a device, and of a folder it cannot.
        Ok(_) => Err(disk(
            "replace",
            target,
            io::Error::other("it is not a plain file"),
        )),
    }
}

async fn look(path: &Path) -> io::Result<Metadata> {
    let path = path.to_owned();
    blocking::run(move || fs::symlink_metadata(path)).await.flatten()
}

async fn once(
    api: &Api,
    file: &Node,
    request: &DownloadRequest,
    options: &Options,
) -> Result<Downloaded, TransferError> {
    let (size, expected) = facts(file)?;
    check_target(request).await?;
    let plan = PartPlan::for_size(size)?;
    let target = request.target.clone();
    let (part_file, journal, noted) =
        to_disk(&request.target, move || PartFile::open(&target, expected, size)).await?;
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
    options.observer.tell(TransferEvent::TransferBegan {
        total: size,
        kept: size - lacking,
        parts: plan.part_count(),
        kept_parts: parts_kept,
    });
    let fetcher = Fetcher {
        origin: Origin::new(api, file, plan, options),
        data: part_file.data(),
        journal: Arc::new(Mutex::new(journal)),
    };
    fetch(&fetcher, missing, &mut digests).await?;
    // Keeps the lock with `part_file` alone.
    drop(fetcher);
    let digests: Vec<PartDigest> = digests.into_iter().flatten().collect();
    let overwrite = request.overwrite;
    to_disk(&request.target, move || match ContentId::of_parts(&digests) {
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
        size,
        parts_fetched,
        parts_kept,
    })
}

/// Hashes the parts an earlier process noted and returns the digests of those that are as noted.
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
    options.observer.tell(TransferEvent::HashingBegan(bytes));
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
    if fetcher.origin.plan().size() == 0 {
        digests.fill(Some(PartDigest::of(b"")));
        return Ok(());
    }
    let streams = fetcher.origin.options().streams.get().min(missing.len());
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
    let mut wanted: Vec<u32> = (1..=fetcher.origin.plan().part_count())
        .filter(|&number| at(digests, number).is_none())
        .collect();
    let done = |number, digest| {
        if let Some(slot) = slot(digests, number) {
            *slot = Some(digest);
        }
    };
    fetcher.whole(&mut wanted, done).await.map_err(fatal)
}

pub(super) fn fatal(stop: Stop) -> TransferError {
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

async fn to_disk<T: Send + 'static>(
    path: &Path,
    work: impl FnOnce() -> Result<T, TransferError> + Send + 'static,
) -> Result<T, TransferError> {
    let done = blocking::run(work).await;
    done.map_err(|error| disk("write", path, error)).flatten()
}
