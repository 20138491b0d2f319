//! Hashing a file on this disk, several parts at a time, away from the threads that move bytes.

use super::{Observer, TransferEvent, blocking};
use domain::content::{PartDigest, PartPlan};
use futures::future::try_join_all;
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::num::NonZeroUsize;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

const BLOCK: usize = 1024 * 1024;
/// More readers than this only make a disk seek.
const MOST_THREADS: usize = 8;

/// Tells blocking threads to stop when the future that waits for them is dropped.
struct StopOnDrop(Arc<AtomicBool>);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Digests of the parts `numbers` of the file at `path`, in the same order; `None` for a part the file is too
/// short for.
pub(crate) async fn parts(
    path: &Path,
    plan: PartPlan,
    numbers: Vec<u32>,
    observer: &Observer,
) -> io::Result<Vec<Option<PartDigest>>> {
    let threads = thread::available_parallelism()
        .map_or(1, NonZeroUsize::get)
        .clamp(1, MOST_THREADS);
    let stop = StopOnDrop(Arc::default());
    let next = Arc::new(AtomicUsize::new(0));
    let numbers: Arc<[u32]> = numbers.into();
    let mut digests = vec![None; numbers.len()];
    let jobs = (0..threads.min(numbers.len())).map(|_| {
        let job = HashJob {
            path: path.to_owned(),
            plan,
            numbers: Arc::clone(&numbers),
            next: Arc::clone(&next),
            stop: Arc::clone(&stop.0),
            observer: observer.clone(),
        };
        async { blocking::run(|| job.run()).await.flatten() }
    });
    for (index, digest) in try_join_all(jobs).await?.into_iter().flatten() {
        digests[index] = digest;
    }
    Ok(digests)
}

/// Whether the file at `path` has no byte after the first `size`. Files that are made up as they are read may say any size.
pub(crate) async fn ends_at(path: &Path, size: u64) -> io::Result<bool> {
    let path = path.to_owned();
    let read = move || {
        let mut file = File::open(path)?;
        file.seek(SeekFrom::Start(size))?;
        loop {
            match file.read(&mut [0]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => return read.map(|count| count == 0),
            }
        }
    };
    blocking::run(read).await.flatten()
}

/// The work of one thread: takes the next part nobody took until none is left.
struct HashJob {
    path: PathBuf,
    plan: PartPlan,
    numbers: Arc<[u32]>,
    next: Arc<AtomicUsize>,
    stop: Arc<AtomicBool>,
    observer: Observer,
}

impl HashJob {
    fn run(self) -> io::Result<Vec<(usize, Option<PartDigest>)>> {
        let mut file = File::open(&self.path)?;
        let mut block = vec![0; BLOCK];
        let mut done = Vec::new();
        loop {
            let index = self.next.fetch_add(1, Ordering::Relaxed);
            let Some(number) = self.numbers.get(index) else {
                return Ok(done);
            };
            let digest = match self.plan.range(*number) {
                Some(range) => self.hash(&mut file, range, &mut block)?,
                None => None,
            };
            done.push((index, digest));
        }
    }

    fn hash(&self, file: &mut File, range: Range<u64>, block: &mut [u8]) -> io::Result<Option<PartDigest>> {
        let mut hasher = Sha256::new();
        let mut left = range.end - range.start;
        file.seek(SeekFrom::Start(range.start))?;
        while left > 0 {
            if self.stop.load(Ordering::Relaxed) {
                return Err(io::ErrorKind::Interrupted.into());
            }
            let want = usize::try_from(left).unwrap_or(BLOCK).min(BLOCK);
            let got = match file.read(&mut block[..want]) {
                Ok(0) => return Ok(None),
                Ok(got) => got,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            hasher.update(&block[..got]);
            left -= got as u64;
            self.observer.tell(TransferEvent::Hashed(got as u64));
        }
        Ok(Some(PartDigest::from_bytes(hasher.finalize().into())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn parts_hash_as_their_bytes() {
        let bytes: Vec<u8> = (0..20 * 1024 * 1024u32).map(|n| (n % 251) as u8).collect();
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), &bytes).unwrap();
        let plan = PartPlan::for_size(bytes.len() as u64).unwrap();
        let found = parts(file.path(), plan, vec![3, 1, 9], &Observer::silent())
            .await
            .unwrap();
        assert_eq!(found[0], Some(PartDigest::of(&bytes[16 << 20..])));
        assert_eq!(found[1], Some(PartDigest::of(&bytes[..8 << 20])));
        assert_eq!(found[2], None);
    }

    #[tokio::test]
    async fn a_file_that_got_shorter_has_no_digest() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), b"short").unwrap();
        let plan = PartPlan::for_size(6).unwrap();
        assert_eq!(
            parts(file.path(), plan, vec![1], &Observer::silent())
                .await
                .unwrap(),
            [None]
        );
    }

    #[tokio::test]
    async fn where_a_file_ends_is_found_by_reading() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), b"12345").unwrap();
        let ends = async |size| ends_at(file.path(), size).await.unwrap();
        assert_eq!([ends(4).await, ends(5).await], [false, true]);
    }

    #[tokio::test]
    async fn an_empty_file_has_one_empty_part() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let plan = PartPlan::for_size(0).unwrap();
        let found = parts(file.path(), plan, vec![1], &Observer::silent())
            .await
            .unwrap();
        assert_eq!(found, [Some(PartDigest::of(b""))]);
    }
}
