//! What the event source mapping and the simulation do, past the wire.

use super::*;
use conformance::sqs::receive_one;

fn after(seconds: i64) -> Timestamp {
    start() + SignedDuration::from_secs(seconds)
}

fn bodies(messages: &[Message]) -> Vec<&str> {
    messages.iter().map(|message| message.body.as_str()).collect()
}

#[tokio::test]
async fn a_batch_is_received_and_deleted() {
    let (double, client) = double();
    for body in ["a", "b", "c"] {
        send(&client, URL, body).await;
    }
    let (sqs, _) = &mut *double.lock();
    let batch = sqs.receive(URL, 2, after(0)).unwrap();
    assert_eq!(bodies(&batch), ["a", "b"]);
    assert_eq!(batch[0].attributes["ApproximateReceiveCount"], "1");
    assert_eq!(
        batch[0].attributes["SentTimestamp"],
        start().as_millisecond().to_string()
    );
    sqs.delete(URL, &batch[0].receipt).unwrap();
    assert_eq!(sqs.next_visible_at(URL).unwrap(), Some(after(0)));
    assert_eq!(bodies(&sqs.receive(URL, 10, after(1)).unwrap()), ["c"]);
    assert_eq!(sqs.next_visible_at(URL).unwrap(), Some(after(30)));
    let all = sqs.receive(URL, 10, after(31)).unwrap();
    assert_eq!(bodies(&all), ["b", "c"], "by when they could be received");
    for message in &all {
        sqs.delete(URL, &message.receipt).unwrap();
    }
    assert_eq!(sqs.next_visible_at(URL).unwrap(), None);
    assert!(sqs.receive("x", 1, after(0)).is_err());
}

#[tokio::test]
async fn those_that_wait_longest_come_first() {
    let (double, client) = double();
    for (body, delay) in [("late", 20), ("early", 10), ("then", 10)] {
        let message = client.send_message().queue_url(URL).message_body(body);
        message.delay_seconds(delay).send().await.unwrap();
    }
    let (sqs, _) = &mut *double.lock();
    assert_eq!(sqs.next_visible_at(URL).unwrap(), Some(after(10)));
    assert_eq!(
        bodies(&sqs.receive(URL, 10, after(30)).unwrap()),
        ["early", "then", "late"]
    );
}

#[tokio::test]
async fn messages_are_counted_by_what_becomes_of_them() {
    let (double, client) = double();
    send(&client, URL, "a").await;
    send(&client, URL, "b").await;
    let late = client
        .send_message()
        .queue_url(URL)
        .message_body("c")
        .delay_seconds(10);
    late.send().await.unwrap();
    let (sqs, _) = &mut *double.lock();
    sqs.receive(URL, 1, after(0)).unwrap();
    let depth = |visible, in_flight, delayed| Depth {
        visible,
        in_flight,
        delayed,
    };
    assert_eq!(sqs.depth(URL, after(0)).unwrap(), depth(1, 1, 1));
    assert_eq!(sqs.depth(URL, after(10)).unwrap(), depth(2, 1, 0));
    assert_eq!(sqs.depth(URL, after(30)).unwrap(), depth(3, 0, 0));
    let all: Vec<(&str, u32)> = sqs
        .messages(URL)
        .unwrap()
        .map(|it| (it.body.as_str(), it.receives))
        .collect();
    assert_eq!(all, [("b", 0), ("c", 0), ("a", 1)]);
}

#[tokio::test]
async fn a_duplicate_comes_whatever_becomes_of_the_message() {
    let (double, client) = double();
    let id = send(&client, URL, "a").await;
    let (sqs, _) = &mut *double.lock();
    let first = sqs.receive(URL, 10, after(0)).unwrap();
    assert!(sqs.duplicate(URL, &id, after(5)).unwrap());
    sqs.delete(URL, &first[0].receipt).unwrap();
    assert_eq!(sqs.receive(URL, 10, after(4)).unwrap(), []);
    let second = sqs.receive(URL, 10, after(5)).unwrap();
    assert_eq!((bodies(&second), &second[0].id), (vec!["a"], &id));
    sqs.delete(URL, &second[0].receipt).unwrap();
    assert!(!sqs.duplicate(URL, &id, after(6)).unwrap(), "it is gone");
}

#[tokio::test]
async fn what_was_kept_for_long_enough_is_gone() {
    let (double, client) = double();
    send(&client, URL, "a").await;
    let (sqs, _) = &mut *double.lock();
    let days = 4 * 24 * 3600;
    assert_eq!(sqs.receive(URL, 10, after(days - 31)).unwrap().len(), 1);
    assert_eq!(sqs.receive(URL, 10, after(days)).unwrap(), []);
    assert_eq!(sqs.depth(URL, after(days)).unwrap(), Depth::default());
}

#[tokio::test]
async fn the_same_calls_get_the_same_answers() {
    let run = async || {
        let (double, client) = double();
        send(&client, URL, "a").await;
        let message = receive_one(&client, URL).await;
        let (sqs, now) = &mut *double.lock();
        (receipt(&message).to_owned(), format!("{sqs:?}"), *now)
    };
    assert_eq!(run().await, run().await);
}
