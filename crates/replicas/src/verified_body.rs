//! A stream that never ends well with other bytes than expected.
//!
//! It hashes what passes and holds the last piece back until the digest is right. If it is not, the stream
//! breaks off instead: the receiver never gets the announced length, so it stores nothing. Memory is constant
//! whatever the length.

use bytes::Bytes;
use domain::content::PartDigest;
use http_body::{Body, Frame, SizeHint};
use md5::Md5;
use sha2::{Digest, Sha256};
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, ready};

/// What the receiver of the stream sees instead of its end.
#[derive(Debug, thiserror::Error)]
pub enum BodyError {
    /// Other bytes than expected.
    #[error("the bytes do not have the expected SHA-256")]
    Digest,
    /// The source broke off.
    #[error("reading the source failed: {0}")]
    Source(Box<dyn std::error::Error + Send + Sync>),
}

/// What became of the stream, for whoever made it.
#[derive(Clone, Default)]
pub struct Verdict(Arc<OnceLock<Result<[u8; 16], ()>>>);

impl Verdict {
    /// The MD5 of all bytes, once they have passed and were right.
    #[must_use]
    pub fn md5(&self) -> Option<[u8; 16]> {
        self.0.get().copied()?.ok()
    }

    /// The source ended, and was not what was expected.
    #[must_use]
    pub fn is_corrupt(&self) -> bool {
        matches!(self.0.get(), Some(Err(())))
    }
}

/// The stream.
pub struct VerifiedBody<B> {
    source: B,
    length: u64,
    expected: PartDigest,
    sha256: Sha256,
    md5: Md5,
    held: Option<Bytes>,
    ended: bool,
    verdict: Verdict,
}

impl<B> VerifiedBody<B> {
    /// Passes on `source`, which is expected to have `length` bytes with the digest `expected`.
    pub fn new(source: B, length: u64, expected: PartDigest) -> (Self, Verdict) {
        let verdict = Verdict::default();
        let (sha256, md5, held) = (Sha256::new(), Md5::new(), None);
        let body = Self {
            source,
            length,
            expected,
            sha256,
            md5,
            held,
            ended: false,
            verdict: verdict.clone(),
        };
        (body, verdict)
    }

    fn end(&mut self) -> Option<Result<Frame<Bytes>, BodyError>> {
        self.ended = true;
        let digest = PartDigest::from_bytes(self.sha256.finalize_reset().into());
        let right = digest == self.expected;
        let result = if right {
            Ok(self.md5.finalize_reset().into())
        } else {
            Err(())
        };
        // Set at most once: a stream ends once.
        let _ = self.verdict.0.set(result);
        if right {
            self.held.take().map(|last| Ok(Frame::data(last)))
        } else {
            Some(Err(BodyError::Digest))
        }
    }
}

impl<B> Body for VerifiedBody<B>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let this = &mut *self;
        while !this.ended {
            match ready!(Pin::new(&mut this.source).poll_frame(context)) {
                Some(Ok(frame)) => {
                    let Ok(data) = frame.into_data() else { continue };
                    if data.is_empty() {
                        continue;
                    }
                    this.sha256.update(&data);
                    this.md5.update(&data);
                    if let Some(earlier) = this.held.replace(data) {
                        return Poll::Ready(Some(Ok(Frame::data(earlier))));
                    }
                }
                Some(Err(error)) => {
                    this.ended = true;
                    return Poll::Ready(Some(Err(BodyError::Source(error.into()))));
                }
                None => return Poll::Ready(this.end()),
            }
        }
        Poll::Ready(None)
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::executor::block_on;
    use http_body_util::{BodyExt, StreamBody};
    use std::convert::Infallible;

    fn source(pieces: &[&'static str]) -> impl Body<Data = Bytes, Error = Infallible> + Unpin + use<> {
        let frames: Vec<_> = pieces
            .iter()
            .map(|p| Ok(Frame::data(Bytes::from_static(p.as_bytes()))))
            .collect();
        StreamBody::new(futures::stream::iter(frames))
    }

    #[test]
    fn right_bytes_pass() {
        let (body, verdict) = VerifiedBody::new(
            source(&["hello ", "", "world"]),
            11,
            PartDigest::of(b"hello world"),
        );
        assert_eq!(block_on(body.collect()).unwrap().to_bytes(), "hello world");
        assert_eq!(verdict.md5(), Some(Md5::digest(b"hello world").into()));
    }

    #[test]
    fn wrong_bytes_break_off_before_the_last_piece() {
        for pieces in [
            &["hello ", "w0rld"][..],
            &["hello "],
            &["hello ", "world", "!"],
            &[],
        ] {
            let (mut body, verdict) = VerifiedBody::new(source(pieces), 11, PartDigest::of(b"hello world"));
            let mut passed = 0;
            let error = loop {
                match block_on(body.frame()) {
                    Some(Ok(frame)) => passed += frame.into_data().unwrap().len(),
                    Some(Err(error)) => break error,
                    None => panic!("ended well: {pieces:?}"),
                }
            };
            assert!(matches!(error, BodyError::Digest));
            let held: usize = pieces.last().map_or(0, |last| last.len());
            assert_eq!(passed + held, pieces.iter().map(|p| p.len()).sum::<usize>());
            assert!(verdict.is_corrupt() && verdict.md5().is_none());
        }
    }
}
