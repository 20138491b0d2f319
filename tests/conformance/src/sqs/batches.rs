use super::{VISIBILITY, Wait, attribute, code, receipt, receive, receive_one, send};
use aws_sdk_sqs::Client;
use aws_sdk_sqs::operation::send_message_batch::SendMessageBatchError;
use aws_sdk_sqs::types::{
    ChangeMessageVisibilityBatchRequestEntry as Change, ChangeMessageVisibilityBatchResultEntry,
    SendMessageBatchRequestEntry as Entry, SendMessageBatchResultEntry,
};

fn entry(id: &str, body: &str) -> Entry {
    Entry::builder().id(id).message_body(body).build().unwrap()
}

async fn refused(client: &Client, url: &str, entries: Vec<Entry>) -> String {
    let batch = client.send_message_batch().queue_url(url);
    let result = batch.set_entries(Some(entries)).send().await;
    code::<_, SendMessageBatchError>(result)
}

pub(super) async fn each_entry_has_its_own_result(client: &Client, url: &str, _: &Wait) {
    let counted = Entry::builder().id("b").message_body("hello");
    let counted = counted
        .message_attributes("attempts", attribute("Number", "3"))
        .build()
        .unwrap();
    let kept_back = Entry::builder()
        .id("d")
        .message_body("x")
        .delay_seconds(5)
        .build()
        .unwrap();
    let entries = vec![entry("a", "hello"), counted, kept_back, entry("e", "\0")];
    let batch = client
        .send_message_batch()
        .queue_url(url)
        .set_entries(Some(entries));
    let answer = batch.send().await.unwrap();
    let ids: Vec<&str> = answer
        .successful()
        .iter()
        .map(SendMessageBatchResultEntry::id)
        .collect();
    assert_eq!(ids, ["a", "b", "d"]);
    let [plain, counted, _] = answer.successful() else {
        panic!()
    };
    assert_eq!(plain.md5_of_message_body(), "5d41402abc4b2a76b9719d911017c592");
    assert_eq!(plain.md5_of_message_attributes(), None);
    assert!(counted.md5_of_message_attributes().is_some());
    let failed: Vec<(&str, &str)> = answer.failed().iter().map(|it| (it.id(), it.code())).collect();
    assert_eq!(failed, [("e", "InvalidMessageContents")]);
    let received = receive(client, url).await;
    let ids: Vec<&str> = received.iter().map(|it| it.message_id().unwrap()).collect();
    assert_eq!(ids, [plain.message_id(), counted.message_id()]);
    assert_eq!(
        received[1].message_attributes().unwrap()["attempts"],
        attribute("Number", "3")
    );
}

pub(super) async fn batches_have_limits(client: &Client, url: &str, _: &Wait) {
    let eleven = (0..11).map(|id| entry(&id.to_string(), "a")).collect();
    let told = refused(client, url, eleven).await;
    assert_eq!(told, "AWS.SimpleQueueService.TooManyEntriesInBatchRequest");
    let told = refused(client, url, vec![entry("a", "x"), entry("a", "y")]).await;
    assert_eq!(told, "AWS.SimpleQueueService.BatchEntryIdsNotDistinct");
    let told = refused(client, url, vec![]).await;
    assert_eq!(told, "AWS.SimpleQueueService.EmptyBatchRequest");
    let told = refused(client, url, vec![entry("a b", "x")]).await;
    assert_eq!(told, "AWS.SimpleQueueService.InvalidBatchEntryId");
    let half = "x".repeat((1 << 19) + 1);
    let told = refused(client, url, vec![entry("a", &half), entry("b", &half)]).await;
    assert_eq!(told, "AWS.SimpleQueueService.BatchRequestTooLong");
    assert_eq!(receive(client, url).await, [], "nothing of it was sent");
}

pub(super) async fn visibility_is_changed_entry_by_entry(client: &Client, url: &str, wait: &Wait) {
    for body in ["a", "b"] {
        send(client, url, body).await;
    }
    let received = receive(client, url).await;
    let change = |id: &str, receipt: &str, seconds| {
        let change = Change::builder().id(id).receipt_handle(receipt);
        change.visibility_timeout(seconds).build().unwrap()
    };
    let entries = vec![
        change("0", receipt(&received[0]), 0),
        change("1", "x", 5),
        change("2", receipt(&received[1]), 120),
    ];
    let ask = |entries| {
        let batch = client.change_message_visibility_batch().queue_url(url);
        batch.set_entries(Some(entries)).send()
    };
    let answer = ask(entries).await.unwrap();
    let ids: Vec<&str> = answer
        .successful()
        .iter()
        .map(ChangeMessageVisibilityBatchResultEntry::id)
        .collect();
    assert_eq!(ids, ["0", "2"]);
    let failed: Vec<(&str, &str)> = answer.failed().iter().map(|it| (it.id(), it.code())).collect();
    assert_eq!(failed, [("1", "ReceiptHandleIsInvalid")]);
    let again = receive_one(client, url).await;
    assert_eq!(again.body(), received[0].body());
    wait(VISIBILITY + 1).await;
    let visible = receive(client, url).await;
    assert!(
        visible.iter().all(|it| it.body() != received[1].body()),
        "{visible:?}"
    );
    let twice = vec![change("0", "x", 0), change("0", "x", 0)];
    assert_eq!(
        code(ask(twice).await),
        "AWS.SimpleQueueService.BatchEntryIdsNotDistinct"
    );
    assert_eq!(
        code(ask(vec![]).await),
        "AWS.SimpleQueueService.EmptyBatchRequest"
    );
}
