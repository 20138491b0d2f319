use super::{Wait, attribute, code, receipt, receive_one, send};
use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::SendMessageBatchRequestEntry;

pub(super) async fn a_message_is_delivered_with_its_digests(client: &Client, url: &str, _: &Wait) {
    let request = client.send_message().queue_url(url).message_body("hello");
    let request = request
        .message_attributes("reason", attribute("String", "none"))
        .message_attributes("attempts", attribute("Number", "3"));
    let sent = request.send().await.unwrap();
    // `printf hello | md5sum`; and of the attributes, by name, with lengths before names, types and values.
    assert_eq!(
        sent.md5_of_message_body(),
        Some("5d41402abc4b2a76b9719d911017c592")
    );
    let of_attributes = "4f5474aa256ed1392d5b449c73c0a99f";
    assert_eq!(sent.md5_of_message_attributes(), Some(of_attributes));
    let message = receive_one(client, url).await;
    assert_eq!(message.body(), Some("hello"));
    assert_eq!(message.md5_of_body(), sent.md5_of_message_body());
    assert_eq!(message.md5_of_message_attributes(), Some(of_attributes));
    assert_eq!(message.message_id(), sent.message_id());
    let attributes = message.message_attributes().unwrap();
    assert_eq!(attributes["attempts"], attribute("Number", "3"));
    assert_eq!(attributes["reason"], attribute("String", "none"));
    let plain = client
        .send_message()
        .queue_url(url)
        .message_body("a")
        .send()
        .await
        .unwrap();
    assert_eq!(plain.md5_of_message_attributes(), None);
    assert_ne!(plain.message_id(), sent.message_id());
}

pub(super) async fn a_delayed_message_comes_late(client: &Client, url: &str, wait: &Wait) {
    let later = client
        .send_message()
        .queue_url(url)
        .message_body("later")
        .delay_seconds(2);
    later.send().await.unwrap();
    send(client, url, "now").await;
    let now = receive_one(client, url).await;
    assert_eq!(now.body(), Some("now"));
    let delete = client
        .delete_message()
        .queue_url(url)
        .receipt_handle(receipt(&now));
    delete.send().await.unwrap();
    wait(3).await;
    assert_eq!(receive_one(client, url).await.body(), Some("later"));
}

pub(super) async fn delays_have_a_limit(client: &Client, url: &str, _: &Wait) {
    let send = async |delay| {
        let message = client.send_message().queue_url(url).message_body("a");
        message.delay_seconds(delay).send().await
    };
    assert!(send(900).await.is_ok());
    for delay in [901, -1] {
        assert_eq!(code(send(delay).await), "InvalidParameterValue", "{delay}");
    }
    let late = SendMessageBatchRequestEntry::builder().id("a").message_body("x");
    let late = late.delay_seconds(901).build().unwrap();
    let batch = client.send_message_batch().queue_url(url).entries(late);
    let answer = batch.send().await.unwrap();
    assert_eq!(answer.failed()[0].code(), "InvalidParameterValue");
}

async fn send_with(client: &Client, url: &str, body: &str, value: &str) -> Result<(), String> {
    let message = client.send_message().queue_url(url).message_body(body);
    let message = message.message_attributes("reason", attribute("String", value));
    let sent = message.send().await;
    if sent.is_ok() { Ok(()) } else { Err(code(sent)) }
}

pub(super) async fn control_characters_are_refused(client: &Client, url: &str, _: &Wait) {
    assert_eq!(send_with(client, url, "\t\n\r ü", "\t\n").await, Ok(()));
    for text in ["\0", "\u{1b}", "\u{ffff}"] {
        let refused = Err("InvalidMessageContents".to_owned());
        assert_eq!(send_with(client, url, text, "a").await, refused, "{text:?}");
        assert!(send_with(client, url, "a", text).await.is_err(), "{text:?}");
    }
}

pub(super) async fn empty_texts_are_refused(client: &Client, url: &str, _: &Wait) {
    let told = send_with(client, url, "", "a").await;
    assert_eq!(told, Err("MissingParameter".to_owned()));
    let told = send_with(client, url, "a", "").await;
    assert_eq!(told, Err("InvalidParameterValue".to_owned()));
}

pub(super) async fn attributes_have_limits(client: &Client, url: &str, _: &Wait) {
    let message = || client.send_message().queue_url(url).message_body("a");
    let number = message().message_attributes("attempts", attribute("Number", "three"));
    assert_eq!(code(number.send().await), "InvalidParameterValue");
    let named = message().message_attributes("AWS.x", attribute("String", "a"));
    assert_eq!(code(named.send().await), "InvalidParameterValue");
    let many = (0..11).fold(message(), |message, number| {
        message.message_attributes(format!("a{number}"), attribute("String", "a"))
    });
    assert_eq!(code(many.send().await), "InvalidParameterValue");
}

pub(super) async fn a_message_has_a_longest_length(client: &Client, url: &str, _: &Wait) {
    let longest = "x".repeat(1 << 20);
    send(client, url, &longest).await;
    assert_eq!(receive_one(client, url).await.body(), Some(longest.as_str()));
    let longer = client.send_message().queue_url(url).message_body(longest + "x");
    assert_eq!(code(longer.send().await), "InvalidParameterValue");
}

pub(super) async fn attributes_count_for_the_length(client: &Client, url: &str, _: &Wait) {
    let with_more = client
        .send_message()
        .queue_url(url)
        .message_body("x".repeat(1 << 20));
    let with_more = with_more
        .message_attributes("a", attribute("String", "a"))
        .send()
        .await;
    assert_eq!(code(with_more), "InvalidParameterValue");
}
