use super::*;
use aws_sdk_s3::primitives::ByteStream;
use http_body_util::{BodyExt, StreamBody};
use std::io;
use std::time::Duration;
use tokio::time::Instant;

fn copy(pieces: &[&'static str], length: u64, expected: &str) -> Copy {
    let frames = pieces.iter().map(|piece| match *piece {
        "(broken)" => Err(io::Error::other("broken")),
        piece => Ok(Frame::data(Bytes::from_static(piece.as_bytes()))),
    });
    let frames: Vec<_> = frames.collect();
    Copy {
        source: ByteStream::from_body_1_x(StreamBody::new(futures::stream::iter(frames))),
        length,
        digest: PartDigest::of(expected.as_bytes()),
    }
}

fn hello(pieces: &[&'static str]) -> (VerifiedBody, Verdict) {
    VerifiedBody::new(
        copy(pieces, 11, "hello world"),
        RequestedChecksum::Crc64,
        &Arc::default(),
    )
}

/// What passed before it ended badly.
async fn passed(body: &mut VerifiedBody) -> (usize, BodyError) {
    let mut passed = 0;
    loop {
        match body.frame().await {
            Some(Ok(frame)) => passed += frame.into_data().unwrap().len(),
            Some(Err(error)) => return (passed, error),
            None => panic!("ended well"),
        }
    }
}

fn sums() -> Sums {
    Sums {
        md5: [0; 16],
        crc64: crc_fast::checksum(Crc64Xz, b"hello world"),
    }
}

#[tokio::test]
async fn right_bytes_pass() {
    let (body, verdict) = hello(&["hello ", "", "world"]);
    assert_eq!(body.collect().await.unwrap().to_bytes(), "hello world");
    assert_eq!(verdict.sums(), Some(sums()));
    assert!(verdict.source().is_ok());
}

#[tokio::test]
async fn with_the_last_piece_it_is_over() {
    for rate_limiter in [None, Some(1 << 10)] {
        let copy = copy(&["hello ", "world"], 11, "hello world");
        let (mut body, _verdict) = VerifiedBody::new(
            copy,
            RequestedChecksum::Crc64,
            &Arc::new(RateLimiter::new(rate_limiter)),
        );
        for piece in ["hello ", "world"] {
            assert!(!body.is_end_stream(), "before {piece}");
            let frame = body.frame().await.unwrap().unwrap();
            assert_eq!(frame.into_data().unwrap(), piece);
        }
        assert!(body.is_end_stream());
    }
}

#[tokio::test]
async fn wrong_bytes_break_off_before_they_are_complete() {
    for pieces in [
        &["hello ", "w0rld"][..],
        &["hello "],
        &["hello w0rld", "!"],
        &["hello ", "world", "!"],
        &["hello world!"],
        &[],
    ] {
        let (mut body, verdict) = hello(pieces);
        let (passed, error) = passed(&mut body).await;
        assert!(matches!(error, BodyError::Digest));
        assert!(passed < 11, "{passed} bytes of {pieces:?}");
        assert!(matches!(verdict.source(), Err(ReplicaError::SourceCorrupt)));
        assert!(verdict.sums().is_none());
    }
}

#[tokio::test]
async fn a_source_that_breaks_off_is_not_the_targets_fault() {
    let (mut body, verdict) = hello(&["hello ", "world", "(broken)"]);
    let (passed, error) = passed(&mut body).await;
    assert!(matches!(error, BodyError::Source) && passed < 11);
    assert!(matches!(verdict.source(), Err(ReplicaError::Store(_))));
}

#[tokio::test]
async fn what_should_be_empty_is_looked_at() {
    let of = async |pieces: &[&'static str]| {
        let copy = copy(pieces, 0, "");
        VerifiedBody::for_request(copy, RequestedChecksum::Md5, &Arc::default()).await
    };
    let (_, verdict) = of(&[]).await.unwrap();
    assert_eq!(verdict.sums().unwrap().md5, <[u8; 16]>::from(Md5::digest(b"")));
    assert!(matches!(of(&["x"]).await, Err(ReplicaError::SourceCorrupt)));
}

#[tokio::test]
async fn what_was_refused_can_be_read_to_its_end() {
    let (mut body, verdict) = hello(&["hello ", "wor", "ld"]);
    body.frame().await.unwrap().unwrap();
    assert_eq!(verdict.drain().await.unwrap(), Some(sums()));
    let error = body.frame().await.unwrap().unwrap_err();
    assert!(matches!(error, BodyError::TakenBack));
    let (_, verdict) = hello(&["hello "]);
    assert!(matches!(verdict.drain().await, Err(ReplicaError::SourceCorrupt)));
}

#[tokio::test]
async fn a_limited_target_is_not_sent_more_than_it_takes() {
    let rate_limiter = Arc::new(RateLimiter::new(Some(40)));
    let begin = Instant::now();
    let send = async || {
        let copy = copy(&["hello ", "world"], 11, "hello world");
        let (body, _) = VerifiedBody::new(copy, RequestedChecksum::Nothing, &rate_limiter);
        body.collect().await.unwrap().to_bytes()
    };
    let (one, two) = tokio::join!(send(), send());
    assert_eq!((one, two), ("hello world".into(), "hello world".into()));
    // 22 bytes, of which the last piece (5) and what a tenth of a second allows (4) need not be waited for.
    assert!(begin.elapsed() >= Duration::from_millis(13 * 1000 / 40));
}
