//! Whole objects.

use crate::reading::get;
use crate::test_targets::{TestTarget, copy, copy_of, fresh_bytes, fresh_key};
use aws_sdk_s3::primitives::ByteStream;
use bytes::Bytes;
use domain::content::PartDigest;
use http_body::Frame;
use http_body_util::StreamBody;
use std::io;
use targets::target::{Copy, Stored};
use targets::{ReplicaError, ReplicaTarget};

/// The object is there with that checksum, and anybody who has the URL reads these bytes.
pub(crate) async fn is_there(target: &dyn ReplicaTarget, key: &str, bytes: &[u8], checksum: &str) {
    let stored = Stored {
        size: bytes.len().try_into().unwrap(),
        checksum: checksum.to_owned(),
    };
    assert_eq!(target.head(key).await.unwrap(), Some(stored));
    let disposition = "attachment; filename*=UTF-8''a%20b.txt";
    let url = target.sign_read(key, "text/x-odd", disposition).await.unwrap();
    let read = get(&url).await;
    assert_eq!(read.status, 200, "{}", String::from_utf8_lossy(&read.body));
    assert!(read.body == bytes, "other bytes are there");
    let media_type = read.header("content-type").unwrap();
    assert_eq!(media_type.split(';').next(), Some("text/x-odd"));
    assert_eq!(read.header("content-disposition"), Some(disposition));
}

pub(crate) async fn put_head_read_delete(place: &TestTarget) {
    let (target, key, bytes) = (place.target(), fresh_key(), fresh_bytes(200_000));
    assert_eq!(target.head(&key).await.unwrap(), None);
    let checksum = target.put(&key, copy(&bytes)).await.unwrap();
    is_there(&*target, &key, &bytes, &checksum).await;
    for _ in 0..2 {
        target.delete(&key).await.unwrap();
        assert_eq!(target.head(&key).await.unwrap(), None);
    }
}

pub(crate) async fn empty(place: &TestTarget) {
    let (target, key) = (place.target(), fresh_key());
    let error = target.put(&key, copy_of(b"x", b"")).await.unwrap_err();
    assert!(matches!(error, ReplicaError::SourceCorrupt), "{error}");
    assert_eq!(target.head(&key).await.unwrap(), None);
    let checksum = target.put(&key, copy(b"")).await.unwrap();
    is_there(&*target, &key, b"", &checksum).await;
    target.delete(&key).await.unwrap();
}

/// Prefixes may have all that there is in ASCII.
pub(crate) async fn odd_keys(place: &TestTarget) {
    let target = place.target();
    let key = format!("{}/a b+c=&d'(e)!*~,;:@$%2F[x]#?\"/f", fresh_key());
    let checksum = target.put(&key, copy(b"hello")).await.unwrap();
    is_there(&*target, &key, b"hello", &checksum).await;
    let id = target.begin_multipart(&key).await.unwrap();
    assert_eq!(target.multiparts(&key).await.unwrap(), [id]);
    target.abort_all_multiparts(&key).await.unwrap();
    assert!(target.multiparts(&key).await.unwrap().is_empty());
    target.delete(&key).await.unwrap();
    assert_eq!(target.head(&key).await.unwrap(), None);
}

pub(crate) async fn wrong_source(place: &TestTarget) {
    let (target, key, bytes) = (place.target(), fresh_key(), fresh_bytes(200_000));
    let (mut changed, mut longer) = (bytes.clone(), bytes.clone());
    changed[199_999] ^= 1;
    longer.push(0);
    let mut changed_and_longer = changed.clone();
    changed_and_longer.push(0);
    for wrong in [&changed, &bytes[..199_999].to_vec(), &longer, &changed_and_longer] {
        let error = target.put(&key, copy_of(wrong, &bytes)).await.unwrap_err();
        assert!(matches!(error, ReplicaError::SourceCorrupt), "{error}");
        assert_eq!(target.head(&key).await.unwrap(), None);
    }
}

pub(crate) async fn source_breaks_off(place: &TestTarget) {
    let (target, key, bytes) = (place.target(), fresh_key(), fresh_bytes(100_000));
    let frames = [
        Ok(Frame::data(Bytes::copy_from_slice(&bytes[..60_000]))),
        Err(io::Error::other("a fault that a test asked for")),
    ];
    let copy = Copy {
        source: ByteStream::from_body_1_x(StreamBody::new(futures::stream::iter(frames))),
        length: 100_000,
        digest: PartDigest::of(&bytes),
    };
    let error = target.put(&key, copy).await.unwrap_err();
    assert!(matches!(error, ReplicaError::Store(_)), "{error}");
    assert_eq!(target.head(&key).await.unwrap(), None);
}

/// As when a message comes twice.
pub(crate) async fn put_again(place: &TestTarget) {
    for size in [0, 10, 3_000_000] {
        let (target, key, bytes) = (place.target(), fresh_key(), fresh_bytes(size));
        let first = target.put(&key, copy(&bytes)).await.unwrap();
        let second = target.put(&key, copy(&bytes)).await.unwrap();
        assert_eq!(first, second);
        // And at once, by another worker.
        let (one, other) = (place.target(), place.target());
        let (one, other) = tokio::join!(one.put(&key, copy(&bytes)), other.put(&key, copy(&bytes)));
        assert_eq!((one.unwrap(), other.unwrap()), (first.clone(), first.clone()));
        is_there(&*target, &key, &bytes, &first).await;
        target.delete(&key).await.unwrap();
    }
}

/// As after something was damaged at the target: wrong bytes give way, at the second attempt at the latest.
pub(crate) async fn put_over_others(place: &TestTarget) {
    let (target, key, bytes) = (place.target(), fresh_key(), fresh_bytes(100_000));
    let wrong = target.put(&key, copy(&fresh_bytes(100_000))).await.unwrap();
    let right = match target.put(&key, copy(&bytes)).await {
        Ok(checksum) => checksum,
        Err(_) => target.put(&key, copy(&bytes)).await.unwrap(),
    };
    assert_ne!(wrong, right);
    is_there(&*target, &key, &bytes, &right).await;
    target.delete(&key).await.unwrap();
}
