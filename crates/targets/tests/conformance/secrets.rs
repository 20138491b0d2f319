//! Secrets: neither readers of errors nor eavesdroppers may see them.

use crate::multiparts::{fresh_parts, send};
use crate::objects::is_there;
use crate::test_targets::{TestTarget, copy, fresh_key};
use domain::targets::Target as Settings;
use secrecy::ExposeSecret;
use targets::ReplicaError;

/// The credentials. The emulator's secret is its key's id, and no secret.
fn of(settings: &Settings) -> Option<&str> {
    let credentials = &settings.credentials;
    let secret = credentials.secret_access_key.expose_secret();
    (secret != credentials.access_key_id).then_some(secret)
}

/// An error says nothing that lets anybody in: neither to users nor in the log.
pub(crate) fn untold(error: &ReplicaError, settings: &Settings) {
    let token = settings.credentials.session_token.as_ref();
    // And no signature, of a header or a URL.
    let untold = [
        of(settings),
        token.map(ExposeSecret::expose_secret),
        Some("signature="),
    ];
    for said in [error.to_string(), error.for_log(), format!("{error:?}")] {
        let said = said.to_lowercase();
        for secret in untold.iter().flatten() {
            assert!(!said.contains(&secret.to_lowercase()), "{said}");
        }
    }
    let key_id = &settings.credentials.access_key_id;
    assert!(!error.to_string().contains(key_id), "{error}");
}

/// The secret signs, and is never sent.
pub(crate) async fn stay_here(place: &TestTarget) {
    let (relay, target) = place.behind_relay().await;
    let (key, parts) = (fresh_key(), fresh_parts());
    let checksum = target.put(&key, copy(b"hello")).await.unwrap();
    let url = target.sign_read(&key, "text/plain", "inline").await.unwrap();
    is_there(&*place.target(), &key, b"hello", &checksum).await;
    target.delete(&key).await.unwrap();
    let id = target.begin_multipart(&key).await.unwrap();
    send(&*target, &key, &id, &parts[2..]).await;
    target.abort_all_multiparts(&key).await.unwrap();
    // Of what is encrypted nothing can be told.
    let readable = place.settings.endpoint.starts_with("http://");
    assert_eq!(relay.has_sent(&key), readable);
    if let Some(secret) = of(&place.settings) {
        assert!(!relay.has_sent(secret));
        assert!(!url.contains(secret), "{url}");
    }
}
