//! Proving that the local file has the bytes that the service has, so that they need not be sent.

use super::upload::{Engine, gone};
use super::{TransferError, blocking};
use crate::error::ApiError;
use crate::types::{Challenge, Upload, UploadState};
use domain::proof::{self, ByteRange, Proof};
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

/// Longest piece to read at once: what a challenge asks for need not fit into memory.
const BLOCK: usize = 64 * 1024;

impl Engine<'_> {
    /// Answers the challenge of an upload that has one, and returns the upload as it is then. An upload whose
    /// challenge cannot be answered stays as it is: it takes the bytes in the ordinary way.
    pub(super) async fn prove(&self, upload: Upload) -> Result<Upload, TransferError> {
        if upload.state != UploadState::ProofRequired {
            return Ok(upload);
        }
        let upload = match upload.challenge {
            Some(_) => upload,
            // A list need not show challenges.
            None => gone(self.api.upload(&upload.id).await)?,
        };
        let Some(Challenge::HmacSha256(challenge)) = &upload.challenge else {
            return Ok(upload);
        };
        if !within(challenge, self.source.plan.size()) {
            return Ok(upload);
        }
        let proof = answer(&self.source.path, challenge).await;
        // There is one try: an answer from bytes that are not those of the content id must not use it up.
        self.source.unchanged().await?;
        let proof = proof.map_err(|error| self.source.disk(error))?;
        match self.api.prove(&upload.id, &proof).await {
            // Ended, or completed by somebody else just now: looking at it will tell.
            Err(error) if error.is("upload_not_open") => Ok(upload),
            // The proof could not be checked, after all retries. The bytes can be sent all the same.
            Err(ApiError::Problem(problem)) if problem.status >= 500 => Ok(upload),
            proved => gone(proved),
        }
    }
}

/// Whether all that is asked for lies within a file of `size` bytes.
fn within(challenge: &proof::Challenge, size: u64) -> bool {
    let end = |range: &ByteRange| range.offset.checked_add(range.length);
    let inside = |range| end(range).is_some_and(|end| end <= size);
    challenge.ranges.iter().all(inside)
}

/// The answer to `challenge` from the file at `path`.
async fn answer(path: &Path, challenge: &proof::Challenge) -> io::Result<Proof> {
    let (path, challenge) = (path.to_owned(), challenge.clone());
    let read = move || {
        let mut file = File::open(path)?;
        let mut prover = challenge.prover();
        let mut block = vec![0; BLOCK];
        for range in &challenge.ranges {
            file.seek(SeekFrom::Start(range.offset))?;
            let mut left = range.length;
            while left > 0 {
                let want = usize::try_from(left).unwrap_or(BLOCK).min(BLOCK);
                file.read_exact(&mut block[..want])?;
                prover.update(&block[..want]);
                left -= want as u64;
            }
        }
        Ok(prover.proof())
    };
    blocking::run(read).await.flatten()
}
