//! Secrets Manager. A scenario knows a client and a secret, and gives it new values.

use crate::Pending;
use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::operation::get_secret_value::GetSecretValueOutput;

/// The value of a place's secret at first.
pub const FIRST: &str = r#"{"current":"1"}"#;

/// Gives the secret another value.
pub type Put = dyn Fn(&'static str) -> Pending<'static, ()>;

/// Where a scenario happens.
pub struct Place {
    /// Repeats nothing that fails.
    pub client: Client,
    /// The name of a secret with the value [`FIRST`].
    pub name: String,
    /// Its ARN.
    pub arn: String,
    /// Gives it another value.
    pub put: Box<Put>,
}

scenarios! { place: Place;
    scenario(place):
        a_secret_is_read_by_name_and_by_arn a_new_value_is_read_at_once a_value_has_an_id_and_a_date
        a_secret_that_is_not_there_is_refused;
}

async fn read(place: &Place, id: &str) -> GetSecretValueOutput {
    let read = place.client.get_secret_value().secret_id(id).send();
    read.await.unwrap()
}

mod scenario {
    use super::{FIRST, Place, read};
    use aws_sdk_secretsmanager::error::ProvideErrorMetadata;

    pub(super) async fn a_secret_is_read_by_name_and_by_arn(place: &Place) {
        for id in [&place.name, &place.arn] {
            let secret = read(place, id).await;
            assert_eq!(secret.secret_string(), Some(FIRST));
            assert_eq!(secret.name(), Some(place.name.as_str()));
            assert_eq!(secret.arn(), Some(place.arn.as_str()));
        }
    }

    /// The value with control characters and such as it was given: it is JSON as text.
    pub(super) async fn a_new_value_is_read_at_once(place: &Place) {
        for value in ["{\"a\": \"\\u0007 ä\"}\n", "{}"] {
            (place.put)(value).await;
            let secret = read(place, &place.arn).await;
            assert_eq!(secret.secret_string(), Some(value));
            assert_eq!(secret.version_stages(), ["AWSCURRENT"]);
        }
    }

    /// The date is that of the value, not of the secret: who signed with the one before is found out by it.
    pub(super) async fn a_value_has_an_id_and_a_date(place: &Place) {
        let first = read(place, &place.arn).await;
        let same = read(place, &place.arn).await;
        assert_eq!(first.version_id(), same.version_id());
        assert_eq!(first.created_date(), same.created_date());
        (place.put)("{}").await;
        let second = read(place, &place.arn).await;
        assert_ne!(first.version_id(), second.version_id());
        assert!(first.created_date().unwrap() < second.created_date().unwrap());
    }

    pub(super) async fn a_secret_that_is_not_there_is_refused(place: &Place) {
        for id in [
            format!("{}-other", place.name),
            place.arn.replace("secret:", "secret:other-"),
        ] {
            let error = place.client.get_secret_value().secret_id(id).send().await;
            let error = error.unwrap_err().into_service_error();
            assert!(error.is_resource_not_found_exception(), "{error:?}");
            assert!(error.message().is_some());
        }
    }
}
