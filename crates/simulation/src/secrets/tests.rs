use super::*;
use crate::test_client::{Double, start};
use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::error::ProvideErrorMetadata;
use host::{Clock, Rng};
use store::{Environment, ErrorKind};

fn double() -> (Double<Secrets>, Client) {
    let double = Double::new(Secrets::new(), Secrets::answer);
    let client = Client::new(&double.sdk());
    (double, client)
}

fn set(double: &Double<Secrets>, name: &str, text: &str) -> String {
    let (secrets, now) = &mut *double.lock();
    secrets.set(name, text, *now)
}

#[tokio::test]
async fn a_secret_is_read_by_name_and_by_arn() {
    let (double, client) = double();
    let arn = set(&double, "targets", "{}");
    set(&double, "other", "x");
    for id in ["targets", &arn] {
        let secret = client.get_secret_value().secret_id(id).send().await.unwrap();
        assert_eq!(secret.secret_string(), Some("{}"));
        assert_eq!(secret.name(), Some("targets"));
        assert_eq!(secret.arn(), Some(arn.as_str()));
        assert_eq!(secret.version_stages(), ["AWSCURRENT"]);
    }
}

#[tokio::test]
async fn a_new_version_has_another_id_and_date() {
    let (double, client) = double();
    let arn = set(&double, "targets", "old");
    let read = async || {
        client
            .get_secret_value()
            .secret_id("targets")
            .send()
            .await
            .unwrap()
    };
    let old = read().await;
    double.wait(90).await;
    assert_eq!(set(&double, "targets", "new"), arn);
    let new = read().await;
    assert_eq!(new.secret_string(), Some("new"));
    assert_ne!(old.version_id(), new.version_id());
    assert_eq!(old.created_date().unwrap().secs(), start().as_second());
    assert_eq!(new.created_date().unwrap().secs(), start().as_second() + 90);
}

#[tokio::test]
async fn what_is_not_there_is_refused() {
    let (_, client) = double();
    let error = client.get_secret_value().secret_id("x").send().await.unwrap_err();
    let error = error.into_service_error();
    assert!(error.is_resource_not_found_exception(), "{error:?}");
    assert!(error.message().unwrap().contains("can't find"));
}

#[tokio::test]
async fn other_operations_and_parameters_are_refused_by_name() {
    let (double, client) = double();
    set(&double, "targets", "{}");
    let error = client.describe_secret().secret_id("targets").send().await;
    let error = error.unwrap_err().into_service_error();
    assert_eq!(error.code(), Some("NotImplemented"));
    assert!(error.message().unwrap().contains("DescribeSecret"));
    let old = client
        .get_secret_value()
        .secret_id("targets")
        .version_id("1")
        .send();
    let error = old.await.unwrap_err().into_service_error();
    assert_eq!(error.code(), Some("NotImplemented"));
    assert!(error.message().unwrap().contains("VersionId"), "{error:?}");
}

#[tokio::test]
async fn the_store_reads_it() {
    let (double, _) = double();
    set(&double, "targets", "text");
    let environment = Environment::new(double.sdk(), Clock::set_to(start()), Rng::seeded(1));
    let secret = environment.secret("targets").await.unwrap();
    assert_eq!(secret.since, start());
    let missing = environment.secret("x").await.err().unwrap();
    assert_eq!(missing.kind, ErrorKind::Misconfigured);
}
