//! SQS. A scenario knows a client and empty queues, and lets time pass where it has to.

mod batches;
mod receiving;
mod sending;

use crate::Pending;
use aws_sdk_sqs::Client;
use aws_sdk_sqs::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_sqs::types::{Message as Received, MessageAttributeValue};

/// For how many seconds a message is not received again: at both queues.
pub const VISIBILITY: u32 = 3;
/// How often it is received at the first queue before it is a dead letter.
pub const MAX_RECEIVES: u32 = 2;

/// Lets so many seconds pass.
pub type Wait = dyn Fn(u32) -> Pending<'static, ()>;

/// Where a scenario happens.
pub struct Place {
    /// Repeats nothing that fails.
    pub client: Client,
    /// The URL of an empty queue.
    pub url: String,
    /// That of its dead letters.
    pub dead: String,
    /// The time there.
    pub wait: Box<Wait>,
}

scenarios! { place: Place;
    sending(&place.client, &place.url, &*place.wait):
        a_message_is_delivered_with_its_digests a_delayed_message_comes_late delays_have_a_limit
        control_characters_are_refused empty_texts_are_refused attributes_have_limits
        a_message_has_a_longest_length attributes_count_for_the_length;
    receiving(&place.client, &place.url, &*place.wait):
        a_message_comes_again_after_its_visibility a_deleted_message_does_not_come_again deleting_once_more_is_no_error
        visibility_is_extended_and_ended only_the_last_receipt_deletes what_is_not_in_flight_stays_visible
        nothing_is_invisible_for_more_than_twelve_hours a_receive_has_up_to_ten a_receive_has_limits only_the_attributes_asked_for_come
        a_queue_that_is_not_there_is_known_by_its_old_code;
    receiving(&place.client, &place.url, &place.dead, &*place.wait):
        what_is_received_too_often_becomes_a_dead_letter foreign_receipts_are_refused;
    batches(&place.client, &place.url, &*place.wait):
        each_entry_has_its_own_result batches_have_limits visibility_is_changed_entry_by_entry;
}

/// Sends a message, and returns its id.
pub async fn send(client: &Client, url: &str, body: &str) -> String {
    let sent = client.send_message().queue_url(url).message_body(body).send();
    sent.await.unwrap().message_id.unwrap()
}

/// Up to ten messages, with all that is known of them.
pub async fn receive(client: &Client, url: &str) -> Vec<Received> {
    let request = client.receive_message().queue_url(url).max_number_of_messages(10);
    let request = request
        .message_system_attribute_names("All".into())
        .message_attribute_names("All");
    request.send().await.unwrap().messages.unwrap_or_default()
}

/// The only message there is.
pub async fn receive_one(client: &Client, url: &str) -> Received {
    let messages = receive(client, url).await;
    let [message] = messages.try_into().unwrap();
    message
}

/// What a received message is deleted by.
#[must_use]
pub fn receipt(message: &Received) -> &str {
    message.receipt_handle().unwrap()
}

/// An attribute of a message.
#[must_use]
pub fn attribute(kind: &str, value: &str) -> MessageAttributeValue {
    let value = MessageAttributeValue::builder()
        .data_type(kind)
        .string_value(value);
    value.build().unwrap()
}

/// The code of what was refused.
fn code<T, E: ProvideErrorMetadata>(result: Result<T, SdkError<E>>) -> String {
    let error = result.err().unwrap();
    let code = error.as_service_error().and_then(ProvideErrorMetadata::code);
    code.unwrap().to_owned()
}
