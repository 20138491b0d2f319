//! What happens on the way.

use crate::multiparts::{done_or_gone, fresh_parts, send};
use crate::objects::is_there;
use crate::secrets;
use crate::test_targets::{TestTarget, copy, fresh_bytes, fresh_key};
use std::time::{Duration, Instant};
use targets::ReplicaError;
use targets::error::Failure;

/// A changed byte is noticed by the target, or by us: it was refused, or is told to be corrupt.
fn noticed(error: &ReplicaError, place: &TestTarget) {
    secrets::untold(error, &place.settings);
    match error {
        ReplicaError::TargetCorrupt { .. } => {}
        error => assert_eq!(error.failure(), Some(Failure::Passing), "{error}"),
    }
}

pub(crate) async fn changed_object(place: &TestTarget) {
    let (relay, target) = place.behind_relay().await;
    let (key, bytes) = (fresh_key(), fresh_bytes(300_000));
    relay.change_a_byte();
    let error = target.put(&key, copy(&bytes)).await.unwrap_err();
    assert!(relay.has_changed());
    noticed(&error, place);
    let again = match target.put(&key, copy(&bytes)).await {
        Ok(checksum) => checksum,
        Err(_) => target.put(&key, copy(&bytes)).await.unwrap(),
    };
    is_there(&*place.target(), &key, &bytes, &again).await;
    target.delete(&key).await.unwrap();
}

pub(crate) async fn changed_part(place: &TestTarget) {
    let (relay, target) = place.behind_relay().await;
    let (key, parts) = (fresh_key(), fresh_parts());
    let id = target.begin_multipart(&key).await.unwrap();
    relay.change_a_byte();
    let error = target.put_part(&key, &id, 1, copy(&parts[0])).await.unwrap_err();
    assert!(relay.has_changed());
    noticed(&error, place);
    let (receipts, checksum) = send(&*target, &key, &id, &parts).await;
    target.complete_multipart(&key, &id, &receipts).await.unwrap();
    is_there(&*place.target(), &key, &parts.concat(), &checksum).await;
    target.delete(&key).await.unwrap();
}

pub(crate) async fn lost_answer_of_put(place: &TestTarget) {
    let (relay, target) = place.behind_relay().await;
    let (key, bytes) = (fresh_key(), fresh_bytes(300_000));
    // So that a connection is there, whose greetings cannot be taken for the answer.
    assert_eq!(target.head(&key).await.unwrap(), None);
    relay.lose_answers();
    let error = target.put(&key, copy(&bytes)).await.unwrap_err();
    assert_eq!(error.failure(), Some(Failure::Passing), "{error}");
    secrets::untold(&error, &place.settings);
    assert!(relay.lost() > 0);
    let target = place.target();
    assert!(target.head(&key).await.unwrap().is_some(), "the request arrived");
    let checksum = target.put(&key, copy(&bytes)).await.unwrap();
    is_there(&*target, &key, &bytes, &checksum).await;
    target.delete(&key).await.unwrap();
}

pub(crate) async fn lost_answer_of_complete(place: &TestTarget) {
    let (relay, behind) = place.behind_relay().await;
    let (target, key, parts) = (place.target(), fresh_key(), fresh_parts());
    let id = target.begin_multipart(&key).await.unwrap();
    let (receipts, checksum) = send(&*target, &key, &id, &parts).await;
    assert_eq!(behind.head(&key).await.unwrap(), None);
    relay.lose_answers();
    let error = behind.complete_multipart(&key, &id, &receipts).await.unwrap_err();
    assert_eq!(error.failure(), Some(Failure::Passing), "{error}");
    secrets::untold(&error, &place.settings);
    assert!(relay.lost() > 0);
    // A read finds it, and a repeated request does no harm.
    is_there(&*target, &key, &parts.concat(), &checksum).await;
    done_or_gone(target.complete_multipart(&key, &id, &receipts).await);
    is_there(&*target, &key, &parts.concat(), &checksum).await;
    target.delete(&key).await.unwrap();
}

/// A target with a limited speed gets no more than that, from all that is sent at once.
pub(crate) async fn paced(place: &TestTarget) {
    let target = place.with(|settings| settings.max_bytes_per_second = Some(400_000));
    let (key, bytes) = (fresh_key(), fresh_bytes(200_000));
    let other = format!("{key}0");
    let begun = Instant::now();
    let (one, two) = tokio::join!(target.put(&key, copy(&bytes)), target.put(&other, copy(&bytes)));
    // A second's worth, less the last piece and a tenth of a second that may be caught up.
    assert!(
        begun.elapsed() >= Duration::from_millis(800),
        "{:?}",
        begun.elapsed()
    );
    assert_eq!(one.unwrap(), two.unwrap());
    for key in [&key, &other] {
        target.delete(key).await.unwrap();
    }
}
