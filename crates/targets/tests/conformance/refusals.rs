//! What a target says when it refuses, or does not answer.

use crate::objects::is_there;
use crate::reading::get;
use crate::secrets;
use crate::test_targets::{TestTarget, copy, environment, fresh_key};
use domain::targets::Target as Settings;
use targets::ReplicaError;
use targets::error::Failure;

/// With these settings every operation that can tell says that, and nothing that is secret.
async fn refused(settings: &Settings, failure: Failure) {
    let target = targets::open(settings, &environment()).unwrap();
    let (key, id, receipts) = (fresh_key(), "an-upload", ["a-receipt".to_owned()]);
    let mut errors = vec![
        target.put(&key, copy(b"hello")).await.unwrap_err(),
        target.begin_multipart(&key).await.unwrap_err(),
        target.put_part(&key, id, 1, copy(b"hello")).await.unwrap_err(),
        target.complete_multipart(&key, id, &receipts).await.unwrap_err(),
        target.abort_multipart(&key, id).await.unwrap_err(),
        target.multiparts(&key).await.unwrap_err(),
        target.delete(&key).await.unwrap_err(),
    ];
    // Of an answer to HEAD S3 tells the status only, and 404 may be the object, too.
    match target.head(&key).await {
        Ok(stored) => assert_eq!(stored, None),
        Err(error) => errors.push(error),
    }
    for error in errors {
        assert_eq!(error.failure(), Some(failure), "{error}");
        secrets::untold(&error, settings);
    }
}

pub(crate) async fn wrong_secret(place: &TestTarget) {
    let wrong = String::from("nonsense").into();
    let settings = place.but(|settings| settings.credentials.secret_access_key = wrong);
    refused(&settings, Failure::Permanent).await;
}

pub(crate) async fn unknown_key_id(place: &TestTarget) {
    let settings = place.but(|settings| settings.credentials.access_key_id = String::from("NOBODY"));
    refused(&settings, Failure::Permanent).await;
}

pub(crate) async fn wrong_token(place: &TestTarget) {
    for token in [Some(String::from("nonsense").into()), None] {
        let settings = place.but(|settings| settings.credentials.session_token = token);
        refused(&settings, Failure::Permanent).await;
    }
}

pub(crate) async fn missing_bucket(place: &TestTarget) {
    let settings = place.but(|settings| settings.bucket = String::from("longshore-no-such-bucket"));
    refused(&settings, Failure::Permanent).await;
}

pub(crate) async fn dead_address(place: &TestTarget) {
    // A port that is taken and that nobody listens on: another test's server might get one that is free.
    let taken = tokio::net::TcpSocket::new_v4().unwrap();
    taken.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let port = taken.local_addr().unwrap().port();
    let settings = place.but(|settings| {
        let (host, _) = settings.endpoint.rsplit_once(':').unwrap();
        settings.endpoint = format!("{host}:{port}");
    });
    refused(&settings, Failure::Passing).await;
    drop(taken);
}

/// A certificate that no public authority has signed is refused without the CA bundle, and something that is no bundle
/// is told by its field.
pub(crate) async fn untrusted(place: &TestTarget) {
    let settings = place.but(|settings| settings.ca_bundle = None);
    refused(&settings, Failure::Passing).await;
    let bundle = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n".to_owned();
    let settings = place.but(|settings| settings.ca_bundle = Some(bundle));
    let Err(ReplicaError::Misconfigured(invalid)) = targets::open(&settings, &environment()) else {
        panic!("a useless bundle was taken");
    };
    assert_eq!(invalid.field, "targets.far.ca_bundle");
}

/// A URL is for one object, as it was signed.
pub(crate) async fn altered_url(place: &TestTarget) {
    let (target, key) = (place.target(), fresh_key());
    let other = format!("{key}0");
    let checksum = target.put(&key, copy(b"hello")).await.unwrap();
    target.put(&other, copy(b"others")).await.unwrap();
    is_there(&*target, &key, b"hello", &checksum).await;
    let url = target.sign_read(&key, "text/plain", "inline").await.unwrap();
    for altered in [
        url.replace(&key, &other),
        url.replace("text%2Fplain", "text%2Fhtml"),
        url.replace("=900", "=90000"),
        url.split('?').next().unwrap().to_owned(),
    ] {
        assert_ne!(altered, url);
        assert_eq!(get(&altered).await.status, 403, "{altered}");
    }
    assert_eq!(get(&url).await.status, 200);
    target.delete(&key).await.unwrap();
    target.delete(&other).await.unwrap();
}
