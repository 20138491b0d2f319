use super::{MAX_RECEIVES, Received, VISIBILITY, Wait, attribute, code, receipt, receive, receive_one, send};
use aws_sdk_sqs::Client;

async fn show_in(client: &Client, url: &str, receipt: &str, seconds: i32) -> Result<(), String> {
    let change = client
        .change_message_visibility()
        .queue_url(url)
        .receipt_handle(receipt);
    let changed = change.visibility_timeout(seconds).send().await;
    if changed.is_ok() {
        Ok(())
    } else {
        Err(code(changed))
    }
}

async fn delete(client: &Client, url: &str, receipt: &str) {
    let delete = client.delete_message().queue_url(url).receipt_handle(receipt);
    delete.send().await.unwrap();
}

fn system<'a>(message: &'a Received, name: &str) -> &'a str {
    &message.attributes().unwrap()[&name.into()]
}

pub(super) async fn a_message_comes_again_after_its_visibility(client: &Client, url: &str, wait: &Wait) {
    let id = send(client, url, "a").await;
    let first = receive_one(client, url).await;
    assert_eq!(system(&first, "ApproximateReceiveCount"), "1");
    wait(VISIBILITY - 2).await;
    assert_eq!(receive(client, url).await, []);
    wait(3).await;
    let second = receive_one(client, url).await;
    assert_eq!(second.message_id(), Some(id.as_str()));
    assert_ne!(receipt(&second), receipt(&first));
    assert_eq!(system(&second, "ApproximateReceiveCount"), "2");
    for name in ["SentTimestamp", "ApproximateFirstReceiveTimestamp"] {
        assert_eq!(system(&second, name), system(&first, name), "{name}");
    }
}

pub(super) async fn a_deleted_message_does_not_come_again(client: &Client, url: &str, wait: &Wait) {
    send(client, url, "a").await;
    let message = receive_one(client, url).await;
    delete(client, url, receipt(&message)).await;
    wait(VISIBILITY + 1).await;
    assert_eq!(receive(client, url).await, []);
    // Not in time, but before anybody else received it.
    send(client, url, "b").await;
    let message = receive_one(client, url).await;
    wait(VISIBILITY + 1).await;
    delete(client, url, receipt(&message)).await;
    assert_eq!(receive(client, url).await, []);
}

pub(super) async fn deleting_once_more_is_no_error(client: &Client, url: &str, _: &Wait) {
    send(client, url, "a").await;
    let message = receive_one(client, url).await;
    delete(client, url, receipt(&message)).await;
    delete(client, url, receipt(&message)).await;
    let told = show_in(client, url, receipt(&message), 10).await;
    assert_eq!(told, Err("InvalidParameterValue".to_owned()));
}

pub(super) async fn visibility_is_extended_and_ended(client: &Client, url: &str, wait: &Wait) {
    send(client, url, "a").await;
    let message = receive_one(client, url).await;
    wait(VISIBILITY - 2).await;
    assert_eq!(show_in(client, url, receipt(&message), 5).await, Ok(()));
    wait(3).await;
    assert_eq!(
        receive(client, url).await,
        [],
        "from the change on, and not from the receive"
    );
    assert_eq!(show_in(client, url, receipt(&message), 0).await, Ok(()));
    assert_eq!(receive_one(client, url).await.body(), Some("a"));
}

pub(super) async fn only_the_last_receipt_deletes(client: &Client, url: &str, wait: &Wait) {
    send(client, url, "a").await;
    let first = receive_one(client, url).await;
    wait(VISIBILITY + 1).await;
    let second = receive_one(client, url).await;
    delete(client, url, receipt(&first)).await;
    assert_eq!(
        show_in(client, url, receipt(&first), 0).await,
        Err("InvalidParameterValue".to_owned())
    );
    assert_eq!(
        show_in(client, url, receipt(&second), 5).await,
        Ok(()),
        "it is still there"
    );
    delete(client, url, receipt(&second)).await;
    assert_eq!(
        show_in(client, url, receipt(&second), 5).await,
        Err("InvalidParameterValue".to_owned())
    );
}

pub(super) async fn what_is_not_in_flight_stays_visible(client: &Client, url: &str, wait: &Wait) {
    send(client, url, "a").await;
    let message = receive_one(client, url).await;
    wait(VISIBILITY + 1).await;
    let changed = show_in(client, url, receipt(&message), 60).await;
    assert_eq!(
        changed,
        Err("AWS.SimpleQueueService.MessageNotInflight".to_owned())
    );
    assert_eq!(receive_one(client, url).await.body(), Some("a"));
}

pub(super) async fn nothing_is_invisible_for_more_than_twelve_hours(client: &Client, url: &str, wait: &Wait) {
    send(client, url, "a").await;
    let message = receive_one(client, url).await;
    let wrong = Err("InvalidParameterValue".to_owned());
    assert_eq!(show_in(client, url, receipt(&message), 43_200).await, Ok(()));
    assert_eq!(show_in(client, url, receipt(&message), 43_201).await, wrong);
    assert_eq!(show_in(client, url, receipt(&message), -1).await, wrong);
    wait(2).await;
    assert_eq!(
        show_in(client, url, receipt(&message), 43_199).await,
        wrong,
        "since it was received"
    );
    assert_eq!(show_in(client, url, receipt(&message), 43_190).await, Ok(()));
}

pub(super) async fn foreign_receipts_are_refused(client: &Client, url: &str, other: &str, _: &Wait) {
    send(client, other, "a").await;
    let elsewhere = receive_one(client, other).await;
    for receipt in ["x", receipt(&elsewhere)] {
        let delete = client
            .delete_message()
            .queue_url(url)
            .receipt_handle(receipt)
            .send()
            .await;
        assert_eq!(code(delete), "ReceiptHandleIsInvalid");
        assert_eq!(
            show_in(client, url, receipt, 1).await,
            Err("ReceiptHandleIsInvalid".to_owned())
        );
    }
}

pub(super) async fn a_receive_has_up_to_ten(client: &Client, url: &str, _: &Wait) {
    for number in 0..11 {
        send(client, url, &number.to_string()).await;
    }
    let ask = || client.receive_message().queue_url(url);
    assert_eq!(
        ask().send().await.unwrap().messages().len(),
        1,
        "unless more are asked for"
    );
    assert_eq!(receive(client, url).await.len(), 10);
}

pub(super) async fn a_receive_has_limits(client: &Client, url: &str, _: &Wait) {
    let ask = || client.receive_message().queue_url(url);
    for most in [0, 11] {
        assert_eq!(
            code(ask().max_number_of_messages(most).send().await),
            "InvalidParameterValue"
        );
    }
    assert_eq!(
        code(ask().visibility_timeout(43_201).send().await),
        "InvalidParameterValue"
    );
    assert_eq!(
        code(ask().wait_time_seconds(21).send().await),
        "InvalidParameterValue"
    );
}

pub(super) async fn only_the_attributes_asked_for_come(client: &Client, url: &str, wait: &Wait) {
    let message = client.send_message().queue_url(url).message_body("a");
    let message = message
        .message_attributes("reason", attribute("String", "x"))
        .message_attributes("tried", attribute("Number", "1"))
        .message_attributes("x", attribute("Number", "2"));
    let sent = message.send().await.unwrap();
    let plain = client.receive_message().queue_url(url).send().await.unwrap();
    let plain = &plain.messages()[0];
    assert!(plain.attributes().is_none() && plain.message_attributes().is_none());
    assert_eq!(plain.md5_of_message_attributes(), None);
    wait(VISIBILITY + 1).await;
    let some = client
        .receive_message()
        .queue_url(url)
        .message_attribute_names("tri.*")
        .message_attribute_names("x");
    let some = some.message_system_attribute_names("SentTimestamp".into());
    let some = some.send().await.unwrap();
    let some = &some.messages()[0];
    assert_eq!(some.attributes().unwrap().len(), 1);
    let mut names: Vec<&String> = some.message_attributes().unwrap().keys().collect();
    names.sort();
    assert_eq!(names, ["tried", "x"]);
    assert_ne!(some.md5_of_message_attributes(), sent.md5_of_message_attributes());
}

pub(super) async fn what_is_received_too_often_becomes_a_dead_letter(
    client: &Client,
    url: &str,
    dead: &str,
    wait: &Wait,
) {
    let message = client.send_message().queue_url(url).message_body("a");
    let message = message.message_attributes("attempts", attribute("Number", "1"));
    let id = message.send().await.unwrap().message_id.unwrap();
    let mut last = None;
    for _ in 0..MAX_RECEIVES {
        last = Some(receive_one(client, url).await);
        wait(VISIBILITY + 1).await;
        assert_eq!(
            receive(client, dead).await,
            [],
            "only when it would be received once more"
        );
    }
    assert_eq!(receive(client, url).await, []);
    let letter = receive_one(client, dead).await;
    assert_eq!(letter.message_id(), Some(id.as_str()));
    assert!(letter.message_attributes().unwrap().contains_key("attempts"));
    let last = last.unwrap();
    assert_eq!(system(&letter, "SentTimestamp"), system(&last, "SentTimestamp"));
    let count: u32 = system(&letter, "ApproximateReceiveCount").parse().unwrap();
    assert_eq!(count, MAX_RECEIVES + 1, "of all queues together");
    // It is not this queue's any more.
    assert!(show_in(client, url, receipt(&last), 0).await.is_err());
    wait(VISIBILITY + 1).await;
    assert_eq!(
        receive_one(client, dead).await.body(),
        Some("a"),
        "a dead letter stays one"
    );
}

pub(super) async fn a_queue_that_is_not_there_is_known_by_its_old_code(client: &Client, url: &str, _: &Wait) {
    let url = format!("{url}-not-there");
    let send = client.send_message().queue_url(&url).message_body("a").send();
    let error = send.await.unwrap_err().into_service_error();
    assert!(error.is_queue_does_not_exist(), "{error:?}");
    let told = client.receive_message().queue_url(&url).send().await;
    assert_eq!(code(told), "AWS.SimpleQueueService.NonExistentQueue");
}
