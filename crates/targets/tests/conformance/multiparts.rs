//! Multipart uploads.

use crate::objects::is_there;
use crate::test_targets::{TestTarget, copy, copy_of, fresh_bytes, fresh_key};
use futures::future::try_join_all;
use futures::stream::{self, StreamExt, TryStreamExt};
use std::collections::BTreeSet;
use targets::target::Receipt;
use targets::{ReplicaError, ReplicaTarget};

/// The least that S3 takes of a part that is not the last.
const PART: usize = 5 * 1024 * 1024;

/// The bytes of a file, in parts.
pub(crate) fn fresh_parts() -> Vec<Vec<u8>> {
    vec![fresh_bytes(PART), fresh_bytes(PART + 1), fresh_bytes(12_345)]
}

/// Sends all parts, at once, and returns their receipts and the checksum of the whole.
pub(crate) async fn send(
    target: &dyn ReplicaTarget,
    key: &str,
    id: &str,
    parts: &[Vec<u8>],
) -> (Vec<Receipt>, String) {
    // Parts may come in any order.
    let numbered: Vec<_> = (1..).zip(parts).collect();
    let mut receipts = try_join_all(numbered.into_iter().rev().map(async |(number, part)| {
        let receipt = target.put_part(key, id, number, copy(part)).await?;
        Ok::<_, ReplicaError>((number, receipt, part.len() as u64))
    }))
    .await
    .unwrap();
    receipts.sort();
    let lengths: Vec<_> = receipts
        .into_iter()
        .map(|(_, receipt, length)| (receipt, length))
        .collect();
    let checksum = target.checksum_of(&lengths).expect("receipts of this target");
    let receipts = lengths.into_iter().map(|(receipt, _)| receipt).collect();
    (receipts, checksum)
}

pub(crate) async fn whole_way(place: &TestTarget) {
    let (target, key, parts) = (place.target(), fresh_key(), fresh_parts());
    let id = target.begin_multipart(&key).await.unwrap();
    assert_eq!(target.multiparts(&key).await.unwrap(), [id.as_str()]);
    let (receipts, checksum) = send(&*target, &key, &id, &parts).await;
    assert_eq!(target.head(&key).await.unwrap(), None);
    target.complete_multipart(&key, &id, &receipts).await.unwrap();
    is_there(&*target, &key, &parts.concat(), &checksum).await;
    assert!(target.multiparts(&key).await.unwrap().is_empty());
    assert_eq!(target.checksum_of(&[("?".to_owned(), 1)]), None);
    target.delete(&key).await.unwrap();
}

/// As when a message comes twice: the part that was sent last counts.
pub(crate) async fn part_again(place: &TestTarget) {
    let (target, key, parts) = (place.target(), fresh_key(), fresh_parts());
    let id = target.begin_multipart(&key).await.unwrap();
    let other = fresh_bytes(PART);
    target.put_part(&key, &id, 1, copy(&other)).await.unwrap();
    send(&*target, &key, &id, &parts).await;
    let (receipts, checksum) = send(&*target, &key, &id, &parts).await;
    target.complete_multipart(&key, &id, &receipts).await.unwrap();
    is_there(&*target, &key, &parts.concat(), &checksum).await;
    target.delete(&key).await.unwrap();
}

pub(crate) async fn wrong_source_in_a_part(place: &TestTarget) {
    let (target, key, parts) = (place.target(), fresh_key(), fresh_parts());
    let id = target.begin_multipart(&key).await.unwrap();
    let mut wrong = parts[1].clone();
    wrong[PART] ^= 1;
    let shorter = &parts[1][..PART];
    for wrong in [&wrong, shorter] {
        let copy = copy_of(wrong, &parts[1]);
        let error = target.put_part(&key, &id, 2, copy).await.unwrap_err();
        assert!(matches!(error, ReplicaError::SourceCorrupt), "{error}");
    }
    let (receipts, checksum) = send(&*target, &key, &id, &parts).await;
    // A late one spoils nothing.
    let late = copy_of(&wrong, &parts[1]);
    target.put_part(&key, &id, 2, late).await.unwrap_err();
    target.complete_multipart(&key, &id, &receipts).await.unwrap();
    is_there(&*target, &key, &parts.concat(), &checksum).await;
    target.delete(&key).await.unwrap();
}

pub(crate) async fn completed_twice(place: &TestTarget) {
    let (target, key, parts) = (place.target(), fresh_key(), fresh_parts());
    let id = target.begin_multipart(&key).await.unwrap();
    let (receipts, checksum) = send(&*target, &key, &id, &parts).await;
    target.complete_multipart(&key, &id, &receipts).await.unwrap();
    done_or_gone(target.complete_multipart(&key, &id, &receipts).await);
    is_there(&*target, &key, &parts.concat(), &checksum).await;
    target.delete(&key).await.unwrap();
}

/// The possible results of completing once more. The caller checks the object.
pub(crate) fn done_or_gone(result: Result<(), ReplicaError>) {
    if let Err(error) = result {
        assert!(error.multipart_is_gone(), "{error}");
    }
}

pub(crate) async fn aborted(place: &TestTarget) {
    let (target, key, parts) = (place.target(), fresh_key(), fresh_parts());
    let id = target.begin_multipart(&key).await.unwrap();
    let (receipts, _) = send(&*target, &key, &id, &parts).await;
    for _ in 0..2 {
        target.abort_multipart(&key, &id).await.unwrap();
    }
    assert!(target.multiparts(&key).await.unwrap().is_empty());
    let error = target.complete_multipart(&key, &id, &receipts).await.unwrap_err();
    assert!(error.multipart_is_gone(), "{error}");
    let error = target.put_part(&key, &id, 1, copy(&parts[0])).await.unwrap_err();
    assert!(error.multipart_is_gone(), "{error}");
    assert_eq!(target.head(&key).await.unwrap(), None);
}

/// A part that was recorded is not there any more: from the beginning, then.
pub(crate) async fn incomplete(place: &TestTarget) {
    let (target, key, parts) = (place.target(), fresh_key(), fresh_parts());
    let (recorded, id) = (
        target.begin_multipart(&key).await.unwrap(),
        target.begin_multipart(&key).await.unwrap(),
    );
    let (receipts, _) = send(&*target, &key, &recorded, &parts).await;
    send(&*target, &key, &id, &parts[..1]).await;
    let error = target.complete_multipart(&key, &id, &receipts).await.unwrap_err();
    assert!(error.multipart_is_gone(), "{error}");
    assert_eq!(target.head(&key).await.unwrap(), None);
    target.abort_all_multiparts(&key).await.unwrap();
}

pub(crate) async fn listed_and_aborted(place: &TestTarget) {
    let (target, key) = (place.target(), fresh_key());
    let longer = format!("{key}x");
    let mut ids = BTreeSet::new();
    for _ in 0..3 {
        ids.insert(target.begin_multipart(&key).await.unwrap());
    }
    let other = target.begin_multipart(&longer).await.unwrap();
    let listed: BTreeSet<_> = target.multiparts(&key).await.unwrap().into_iter().collect();
    assert_eq!(listed, ids);
    target.abort_all_multiparts(&key).await.unwrap();
    assert!(target.multiparts(&key).await.unwrap().is_empty());
    assert_eq!(target.multiparts(&longer).await.unwrap(), [other]);
    target.abort_all_multiparts(&longer).await.unwrap();
}

/// More than any server lists at once.
pub(crate) async fn many_are_found(place: &TestTarget) {
    const MANY: usize = 1005;
    let (target, key) = (place.target(), fresh_key());
    let begun = stream::iter(0..MANY).map(|_| target.begin_multipart(&key));
    let ids: BTreeSet<_> = begun.buffer_unordered(16).try_collect().await.unwrap();
    assert_eq!(ids.len(), MANY);
    let listed: BTreeSet<_> = target.multiparts(&key).await.unwrap().into_iter().collect();
    assert_eq!(listed, ids);
    let aborted = stream::iter(&ids).map(|id| target.abort_multipart(&key, id));
    aborted.buffer_unordered(16).try_collect::<()>().await.unwrap();
    assert!(target.multiparts(&key).await.unwrap().is_empty());
}

/// As after something was damaged at the target.
pub(crate) async fn over_others(place: &TestTarget) {
    let (target, key, parts) = (place.target(), fresh_key(), fresh_parts());
    // Before the beginning, and again before the end.
    target.put(&key, copy(b"others")).await.unwrap();
    let id = target.begin_multipart(&key).await.unwrap();
    let (receipts, checksum) = send(&*target, &key, &id, &parts).await;
    target.complete_multipart(&key, &id, &receipts).await.unwrap();
    is_there(&*target, &key, &parts.concat(), &checksum).await;
    target.delete(&key).await.unwrap();
    let id = target.begin_multipart(&key).await.unwrap();
    let (receipts, checksum) = send(&*target, &key, &id, &parts).await;
    target.put(&key, copy(b"others")).await.unwrap();
    target.complete_multipart(&key, &id, &receipts).await.unwrap();
    is_there(&*target, &key, &parts.concat(), &checksum).await;
    target.delete(&key).await.unwrap();
}
