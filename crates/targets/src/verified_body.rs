//! A stream that ends with an error if its bytes are not the expected ones.
//!
//! It hashes what passes and holds the last piece back until the digest is verified. If it is wrong, the stream
//! breaks off instead: the receiver never gets the announced length, so it stores nothing. Memory is constant
//! whatever the length.

use crate::error::ReplicaError;
use crate::progress::{Progress, Still, watch};
use crate::rate_limiter::RateLimiter;
use crate::target::Copy;
use aws_sdk_s3::primitives::SdkBody;
use bytes::Bytes;
use crc_fast::CrcAlgorithm::Crc64Xz;
use domain::content::PartDigest;
use http_body::{Body, Frame, SizeHint};
use md5::Md5;
use sha2::{Digest, Sha256};
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use store::StoreError;
use tokio::time::{Sleep, sleep};

/// What the receiver of the stream sees instead of its end.
#[derive(Debug, thiserror::Error)]
pub enum BodyError {
    /// Other bytes than expected.
    #[error("the bytes do not have the expected SHA-256")]
    Digest,
    /// The source broke off.
    #[error("reading the source failed")]
    Source,
    /// The maker of the stream reads it now, because the receiver refused it.
    #[error("the receiver has refused the bytes")]
    TakenBack,
}

/// Which sums of the bytes are computed besides the SHA-256.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequestedChecksum {
    /// None.
    Nothing,
    /// The MD5.
    Md5,
    /// The CRC-64/XZ.
    Crc64,
}

/// The sums of all bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sums {
    /// Zeros, unless it was wanted.
    pub md5: [u8; 16],
    /// Zero, unless it was wanted.
    pub crc64: u64,
}

/// The state of the source.
enum SourceState {
    Right(Sums),
    Corrupt,
    Unreadable(String),
}

/// The source, as far as it was read.
struct Reading {
    source: SdkBody,
    left: u64,
    expected: PartDigest,
    sha256: Sha256,
    md5: Option<Md5>,
    crc64: Option<crc_fast::Digest>,
    held: Option<Bytes>,
    outcome: Option<SourceState>,
    taken_back: bool,
    progress: Progress,
}

impl Reading {
    /// The next piece that may be passed on.
    fn poll_piece(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, BodyError>>> {
        while self.outcome.is_none() {
            match ready!(Pin::new(&mut self.source).poll_frame(context)) {
                Some(Ok(frame)) => {
                    let Ok(data) = frame.into_data() else { continue };
                    if data.is_empty() {
                        continue;
                    }
                    // What is too long must not get as far as being complete.
                    let length = u64::try_from(data.len()).unwrap_or(u64::MAX);
                    let Some(left) = self.left.checked_sub(length) else {
                        self.outcome = Some(SourceState::Corrupt);
                        return Poll::Ready(Some(Err(BodyError::Digest)));
                    };
                    self.left = left;
                    self.hash(&data);
                    if let Some(earlier) = self.held.replace(data) {
                        return Poll::Ready(Some(Ok(earlier)));
                    }
                }
                Some(Err(error)) => {
                    let cause = store::error::describe(error.as_ref());
                    self.outcome = Some(SourceState::Unreadable(cause));
                    return Poll::Ready(Some(Err(BodyError::Source)));
                }
                None => return Poll::Ready(self.end()),
            }
        }
        Poll::Ready(None)
    }

    fn hash(&mut self, data: &[u8]) {
        self.sha256.update(data);
        if let Some(md5) = &mut self.md5 {
            md5.update(data);
        }
        if let Some(crc64) = &mut self.crc64 {
            crc64.update(data);
        }
    }

    fn end(&mut self) -> Option<Result<Bytes, BodyError>> {
        let digest = PartDigest::from_bytes(self.sha256.finalize_reset().into());
        if digest != self.expected || self.left != 0 {
            self.outcome = Some(SourceState::Corrupt);
            return Some(Err(BodyError::Digest));
        }
        let md5 = self.md5.take().map(|md5| md5.finalize().into());
        let crc64 = self.crc64.take().map(|crc64| crc64.finalize());
        self.outcome = Some(SourceState::Right(Sums {
            md5: md5.unwrap_or_default(),
            crc64: crc64.unwrap_or_default(),
        }));
        self.held.take().map(Ok)
    }
}

/// The result of the stream, for its maker.
pub struct Verdict(Arc<Mutex<Reading>>);

impl Verdict {
    fn reading(&self) -> MutexGuard<'_, Reading> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The sums of all bytes, once they have passed and were right.
    #[must_use]
    pub fn sums(&self) -> Option<Sums> {
        match self.reading().outcome {
            Some(SourceState::Right(sums)) => Some(sums),
            _ => None,
        }
    }

    /// Whether it is the source's fault that the bytes did not arrive.
    ///
    /// # Errors
    /// [`ReplicaError::SourceCorrupt`], or [`ReplicaError::Store`] when it could not be read to its end.
    pub fn source(&self) -> Result<(), ReplicaError> {
        match &self.reading().outcome {
            Some(SourceState::Corrupt) => Err(ReplicaError::SourceCorrupt),
            Some(SourceState::Unreadable(cause)) => Err(StoreError::unavailable("GetObject", cause).into()),
            Some(SourceState::Right(_)) | None => Ok(()),
        }
    }

    /// Waits for the answer to the request that carries the stream, for as long as the stream makes progress.
    pub(crate) async fn watch<T>(
        &self,
        rate_limiter: &RateLimiter,
        request: impl Future<Output = T>,
    ) -> Result<T, Still> {
        watch(rate_limiter, || self.reading().progress, request).await
    }

    /// Reads what the receiver did not read, and returns the sums of all bytes.
    ///
    /// # Errors
    /// As [`Verdict::source`].
    pub async fn drain(&self) -> Result<Option<Sums>, ReplicaError> {
        self.reading().taken_back = true;
        while poll_fn(|context| self.reading().poll_piece(context))
            .await
            .is_some()
        {}
        self.source()?;
        Ok(self.sums())
    }
}

/// The stream.
pub struct VerifiedBody {
    reading: Arc<Mutex<Reading>>,
    length: u64,
    rate_limiter: Arc<RateLimiter>,
    waiting: Option<(Pin<Box<Sleep>>, Bytes)>,
}

impl VerifiedBody {
    /// Passes on the bytes of `copy`, at that rate.
    #[must_use]
    pub fn new(copy: Copy, requested: RequestedChecksum, rate_limiter: &Arc<RateLimiter>) -> (Self, Verdict) {
        let reading = Reading {
            source: copy.source.into_inner(),
            left: copy.length,
            expected: copy.digest,
            sha256: Sha256::new(),
            md5: (requested == RequestedChecksum::Md5).then(Md5::new),
            crc64: (requested == RequestedChecksum::Crc64).then(|| crc_fast::Digest::new(Crc64Xz)),
            held: None,
            outcome: None,
            taken_back: false,
            progress: Progress::begin(),
        };
        let reading = Arc::new(Mutex::new(reading));
        let body = Self {
            reading: Arc::clone(&reading),
            length: copy.length,
            rate_limiter: Arc::clone(rate_limiter),
            waiting: None,
        };
        (body, Verdict(reading))
    }

    /// As a request's body.
    ///
    /// # Errors
    /// As [`Verdict::source`], of a source that should be empty: the end of an empty body is never read, so it is checked
    /// here.
    pub async fn for_request(
        copy: Copy,
        requested: RequestedChecksum,
        rate_limiter: &Arc<RateLimiter>,
    ) -> Result<(SdkBody, Verdict), ReplicaError> {
        let empty = copy.length == 0;
        let (body, verdict) = Self::new(copy, requested, rate_limiter);
        if empty {
            verdict.drain().await?;
            return Ok((SdkBody::empty(), verdict));
        }
        Ok((SdkBody::from_body_1_x(body), verdict))
    }
}

impl Body for VerifiedBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let this = &mut *self;
        if this.waiting.is_none() {
            let mut reading = this.reading.lock().unwrap_or_else(PoisonError::into_inner);
            if reading.taken_back {
                return Poll::Ready(Some(Err(BodyError::TakenBack)));
            }
            let piece = match ready!(reading.poll_piece(context)) {
                Some(Ok(piece)) => piece,
                other => return Poll::Ready(other.map(|piece| piece.map(Frame::data))),
            };
            let pause = this.rate_limiter.pause(piece.len());
            reading.progress.took(piece.len(), pause);
            if pause.is_zero() {
                return Poll::Ready(Some(Ok(Frame::data(piece))));
            }
            this.waiting = Some((Box::pin(sleep(pause)), piece));
        }
        if let Some((pause, _)) = &mut this.waiting {
            ready!(pause.as_mut().poll(context));
        }
        Poll::Ready(this.waiting.take().map(|(_, piece)| Ok(Frame::data(piece))))
    }

    /// Must be true as soon as all has passed. No more than the length is read, and the SDK gives up after 20 seconds
    /// on a target that seems to take nothing of a body that seems to have more.
    fn is_end_stream(&self) -> bool {
        let reading = self.reading.lock().unwrap_or_else(PoisonError::into_inner);
        self.waiting.is_none()
            && !reading.taken_back
            && matches!(reading.outcome, Some(SourceState::Right(_)))
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.length)
    }
}

#[cfg(test)]
mod tests;
