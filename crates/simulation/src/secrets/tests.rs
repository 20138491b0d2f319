//! The double is put through the scenarios of `conformance`; here is what only the double has.

use super::*;
use crate::test_client::{Double, start};
use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::error::ProvideErrorMetadata;
use conformance::Pending;
use conformance::run::failures;
use conformance::secrets::{FIRST, Place, SCENARIOS};
use host::{Clock, Rng};
use std::rc::Rc;
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
async fn conformance() {
    let make = async || {
        let (double, client) = double();
        let double = Rc::new(double);
        let name = "targets".to_owned();
        let arn = set(&double, &name, FIRST);
        let put = move |value: &'static str| -> Pending<'static, ()> {
            let double = Rc::clone(&double);
            Box::pin(async move {
                double.wait(1).await;
                set(&double, "targets", value);
            })
        };
        Place {
            client,
            name,
            arn,
            put: Box::new(put),
        }
    };
    let failures = failures(SCENARIOS, &[], 1, make, async |_| ()).await;
    assert!(failures.is_empty(), "{}", failures.join("\n"));
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
