//! The double is put through the scenarios of `conformance`; here is what only the double has.

mod lambda;

use super::*;
use crate::test_client::{Double, start};
use aws_sdk_sqs::Client;
use aws_sdk_sqs::error::ProvideErrorMetadata;
use aws_sdk_sqs::types::Message as Received;
use conformance::run::failures;
use conformance::sqs::{MAX_RECEIVES, Place, SCENARIOS, VISIBILITY, attribute, receipt, receive, send};
use host::{Clock, Rng};
use jiff::SignedDuration;
use store::{DeadLetters, Environment, Queue};

const URL: &str = "https://sqs.us-east-1.amazonaws.com/123456789012/replicate";
const DEAD: &str = "https://sqs.us-east-1.amazonaws.com/123456789012/dead";

fn double() -> (Double<Sqs>, Client) {
    double_with(&QueueSettings::default())
}

/// A queue and that of its dead letters, both with these settings.
fn double_with(settings: &QueueSettings) -> (Double<Sqs>, Client) {
    let mut sqs = Sqs::new();
    sqs.create(DEAD, settings.clone());
    let redrive = Redrive {
        dead_letters: DEAD.to_owned(),
        max_receives: MAX_RECEIVES,
    };
    let settings = QueueSettings {
        redrive: Some(redrive),
        ..settings.clone()
    };
    sqs.create(URL, settings);
    let double = Double::new(sqs, Sqs::answer);
    let client = Client::new(&double.sdk());
    (double, client)
}

#[tokio::test]
async fn conformance() {
    let make = async || {
        let settings = QueueSettings {
            visibility_seconds: VISIBILITY.into(),
            ..QueueSettings::default()
        };
        let (double, client) = double_with(&settings);
        Place {
            client,
            url: URL.to_owned(),
            dead: DEAD.to_owned(),
            wait: Box::new(move |seconds| Box::pin(double.wait(seconds))),
        }
    };
    let failures = failures(SCENARIOS, &[], 1, make, async |_| ()).await;
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// What the functions do, by way of the store.
#[tokio::test]
async fn the_store_sends_defers_and_gives_up() {
    let (double, client) = double();
    let variables = [
        ("REPLICATE_QUEUE_URL", URL),
        ("COPY_QUEUE_URL", URL),
        ("DEAD_LETTER_QUEUE_URL", DEAD),
    ];
    let variables = variables.map(|(name, url)| (name.to_owned(), url.to_owned()));
    let environment = Environment::new(double.sdk(), Clock::set_to(start()), Rng::seeded(1));
    let environment = environment.with_variables(variables.into());
    let queue = Queue::from_env(&environment).unwrap();
    let targets: Vec<String> = (0..12).map(|number| format!("t{number}")).collect();
    queue
        .starts()
        .start(&"b1".parse().unwrap(), &targets)
        .await
        .unwrap();
    assert_eq!(receive(&client, URL).await.len(), 10);
    let [one, _] = receive(&client, URL).await.try_into().unwrap();
    let message: domain::replica::Message = serde_json::from_str(one.body().unwrap()).unwrap();
    queue
        .defer(&message, SignedDuration::from_secs(60), 3)
        .await
        .unwrap();
    let visible_in = SignedDuration::from_secs(100);
    queue
        .change_visibility(&message, receipt(&one), visible_in)
        .await
        .unwrap();
    queue
        .change_visibility_of(&[(&message, receipt(&one))], visible_in)
        .await
        .unwrap();
    double.wait(60).await;
    let mut received = receive(&client, URL).await;
    received.extend(receive(&client, URL).await);
    let attributes = received.iter().filter_map(Received::message_attributes);
    let attempts: Vec<_> = attributes.map(|all| all["attempts"].clone()).collect();
    assert_eq!(attempts, [attribute("Number", "3")]);
    let dead = DeadLetters::from_env(&environment).unwrap();
    dead.put("body", "a\0reason", 7).await.unwrap();
    let [letter] = dead.take().await.unwrap().try_into().ok().unwrap();
    assert_eq!(letter.body, "body");
    dead.put_back(&letter).await.unwrap();
    let [letter] = dead.take().await.unwrap().try_into().ok().unwrap();
    dead.delete(&letter).await.unwrap();
    assert!(dead.take().await.unwrap().is_empty());
}

#[tokio::test]
async fn other_operations_and_parameters_are_refused_by_name() {
    let (_, client) = double();
    let error = client.purge_queue().queue_url(URL).send().await.unwrap_err();
    let error = error.into_service_error();
    assert_eq!(error.code(), Some("NotImplemented"));
    assert!(error.message().unwrap().contains("PurgeQueue"));
    let grouped = client.send_message().queue_url(URL).message_body("a");
    let error = grouped
        .message_group_id("g")
        .send()
        .await
        .unwrap_err()
        .into_service_error();
    assert_eq!(error.code(), Some("NotImplemented"));
    assert!(error.message().unwrap().contains("MessageGroupId"), "{error:?}");
}
