//! The replication queues. Their messages are hints: what is written in the table is the truth.
//!
//! Segments of large blobs have a queue of their own, so that a worker gets few at a time and others get the others; of
//! what is small a worker gets more at once.

use crate::environment::Environment;
use crate::error::{StoreError, remote};
use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::{
    ChangeMessageVisibilityBatchRequestEntry, MessageAttributeValue, SendMessageBatchRequestEntry,
};
use domain::id::BlobId;
use domain::replica::Message;
use jiff::SignedDuration;

/// The message attribute that says how many attempts failed before the message was sent anew.
pub const ATTEMPTS_ATTRIBUTE: &str = "attempts";
/// The message attributes of a dead letter that say why it is one, and after how many attempts. Not the name above: the
/// message may be moved back to its queue as it is.
const REASON_ATTRIBUTE: &str = "reason";
const TRIED_ATTRIBUTE: &str = "tried";
/// The longest that SQS keeps a message back.
const LONGEST_DELAY: SignedDuration = SignedDuration::from_secs(900);

/// Where replicas are begun: all of the queues that is needed for that.
#[derive(Clone)]
pub struct StartQueue {
    client: Client,
    /// For what begins and ends replicas, and for all that is small.
    url: String,
}

impl StartQueue {
    /// The queue that `REPLICATE_QUEUE_URL` names.
    ///
    /// # Errors
    /// `ErrorKind::Misconfigured` when the variable is missing.
    pub fn from_env(environment: &Environment) -> Result<Self, StoreError> {
        Ok(Self {
            client: Client::new(environment.sdk()),
            url: environment.variable("REPLICATE_QUEUE_URL")?.to_owned(),
        })
    }

    /// Begins, or goes on with, the replicas of a blob at these targets.
    ///
    /// # Errors
    /// [`StoreError`] when a message was not accepted; others may have been sent.
    pub async fn start(&self, blob: &BlobId, targets: &[String]) -> Result<(), StoreError> {
        let start = |target: &String| Message::Start {
            blob: blob.clone(),
            target: target.clone(),
        };
        let messages: Vec<_> = targets.iter().map(start).collect();
        send_to(&self.client, &self.url, messages.iter().map(Sent::fresh)).await
    }

    /// Goes on with replicas at one target that had no message: each with how many attempts failed before.
    ///
    /// # Errors
    /// [`StoreError`] when a message was not accepted; others may have been sent.
    pub async fn resume(
        &self,
        target: &str,
        replicas: &[(BlobId, u32)],
        delay: SignedDuration,
    ) -> Result<(), StoreError> {
        let start = |(blob, attempts): &(BlobId, u32)| {
            let (blob, target) = (blob.clone(), target.to_owned());
            (Message::Start { blob, target }, *attempts)
        };
        let messages: Vec<_> = replicas.iter().map(start).collect();
        let sent = messages.iter().map(|(message, attempts)| Sent {
            message,
            attempts: *attempts,
            delay,
        });
        send_to(&self.client, &self.url, sent).await
    }
}

/// The queues of those who make replicas.
#[derive(Clone)]
pub struct Queue {
    client: Client,
    /// For what begins and ends replicas, and for all that is small.
    url: String,
    /// For segments.
    copy_url: String,
}

impl Queue {
    /// The queues that `REPLICATE_QUEUE_URL` and `COPY_QUEUE_URL` name.
    ///
    /// # Errors
    /// `ErrorKind::Misconfigured` when a variable is missing.
    pub fn from_env(environment: &Environment) -> Result<Self, StoreError> {
        let StartQueue { client, url } = StartQueue::from_env(environment)?;
        Ok(Self {
            client,
            url,
            copy_url: environment.variable("COPY_QUEUE_URL")?.to_owned(),
        })
    }

    /// Of these, what is needed to begin replicas.
    #[must_use]
    pub fn starts(&self) -> StartQueue {
        StartQueue {
            client: self.client.clone(),
            url: self.url.clone(),
        }
    }

    fn url_for(&self, message: &Message) -> &str {
        match message {
            Message::Copy { .. } => &self.copy_url,
            Message::Start { .. } | Message::Finish { .. } => &self.url,
        }
    }

    /// Sends messages, ten at a time.
    ///
    /// # Errors
    /// [`StoreError`] when one was not accepted; others may have been sent.
    pub async fn send(&self, messages: &[Message]) -> Result<(), StoreError> {
        for url in [&self.url, &self.copy_url] {
            let mine = messages.iter().filter(|message| self.url_for(message) == url);
            send_to(&self.client, url, mine.map(Sent::fresh)).await?;
        }
        Ok(())
    }

    /// Sends a message that comes after `delay`, a quarter of an hour at most, and remembers how many attempts failed. In
    /// the place of a received one, whose receives would count as attempts.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn defer(
        &self,
        message: &Message,
        delay: SignedDuration,
        attempts: u32,
    ) -> Result<(), StoreError> {
        let body =
            serde_json::to_string(message).map_err(|e| StoreError::internal("building a message", e))?;
        let delay = delay.clamp(SignedDuration::ZERO, LONGEST_DELAY);
        let mut request = self
            .client
            .send_message()
            .queue_url(self.url_for(message))
            .delay_seconds(seconds(delay))
            .message_body(body);
        if attempts > 0 {
            let value = attribute("Number", &attempts.to_string())?;
            request = request.message_attributes(ATTEMPTS_ATTRIBUTE, value);
        }
        request.send().await.map_err(remote("SendMessage"))?;
        Ok(())
    }

    /// Makes a received message visible again after `delay` rather than after the queue's time-out. Repeated while it is
    /// being worked on, it keeps others away for as long as this worker lives, and not much longer.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn change_visibility(
        &self,
        message: &Message,
        receipt: &str,
        delay: SignedDuration,
    ) -> Result<(), StoreError> {
        self.client
            .change_message_visibility()
            .queue_url(self.url_for(message))
            .receipt_handle(receipt)
            .visibility_timeout(seconds(delay))
            .send()
            .await
            .map_err(remote("ChangeMessageVisibility"))?;
        Ok(())
    }

    /// The same for many at once. Those for which it fails come again when they would have.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn change_visibility_of(
        &self,
        received: &[(&Message, &str)],
        delay: SignedDuration,
    ) -> Result<(), StoreError> {
        for url in [&self.url, &self.copy_url] {
            let mine: Vec<_> = received
                .iter()
                .filter(|(message, _)| self.url_for(message) == url)
                .collect();
            for batch in mine.chunks(10) {
                let entries = batch.iter().enumerate().map(|(index, (_, receipt))| {
                    let entry = ChangeMessageVisibilityBatchRequestEntry::builder()
                        .id(index.to_string())
                        .receipt_handle(*receipt)
                        .visibility_timeout(seconds(delay));
                    entry
                        .build()
                        .map_err(|e| StoreError::internal("building a message", e))
                });
                let entries = entries.collect::<Result<Vec<_>, _>>()?;
                self.client
                    .change_message_visibility_batch()
                    .queue_url(url)
                    .set_entries(Some(entries))
                    .send()
                    .await
                    .map_err(remote("ChangeMessageVisibilityBatch"))?;
            }
        }
        Ok(())
    }
}

/// The messages that were given up.
#[derive(Clone)]
pub struct DeadLetters {
    client: Client,
    url: String,
}

/// One of them.
pub struct DeadLetter {
    /// The message's text.
    pub body: String,
    receipt: String,
}

impl DeadLetters {
    /// The queue that `DEAD_LETTER_QUEUE_URL` names.
    ///
    /// # Errors
    /// `ErrorKind::Misconfigured` when the variable is missing.
    pub fn from_env(environment: &Environment) -> Result<Self, StoreError> {
        Ok(Self {
            client: Client::new(environment.sdk()),
            url: environment.variable("DEAD_LETTER_QUEUE_URL")?.to_owned(),
        })
    }

    /// Puts a message there, with the reason and the number of attempts.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn put(&self, body: &str, reason: &str, attempts: u32) -> Result<(), StoreError> {
        // SQS takes no empty texts and no control characters.
        let mut reason = reason.replace(char::is_control, " ");
        if reason.is_empty() {
            "unknown".clone_into(&mut reason);
        }
        let body = if body.is_empty() { "(empty)" } else { body };
        self.client
            .send_message()
            .queue_url(&self.url)
            .message_body(body)
            .message_attributes(REASON_ATTRIBUTE, attribute("String", &reason)?)
            .message_attributes(TRIED_ATTRIBUTE, attribute("Number", &attempts.to_string())?)
            .send()
            .await
            .map_err(remote("SendMessage"))?;
        Ok(())
    }

    /// Takes up to ten out for half a minute.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn take(&self) -> Result<Vec<DeadLetter>, StoreError> {
        let answer = self
            .client
            .receive_message()
            .queue_url(&self.url)
            .max_number_of_messages(10)
            .visibility_timeout(30)
            // A short poll asks some of the queue's servers only, and finds nothing where there is something.
            .wait_time_seconds(1)
            .send()
            .await
            .map_err(remote("ReceiveMessage"))?;
        let letter = |message: aws_sdk_sqs::types::Message| {
            Some(DeadLetter {
                body: message.body?,
                receipt: message.receipt_handle?,
            })
        };
        let messages = answer.messages.unwrap_or_default();
        Ok(messages.into_iter().filter_map(letter).collect())
    }

    /// Puts one back that was taken out.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn put_back(&self, letter: &DeadLetter) -> Result<(), StoreError> {
        self.client
            .change_message_visibility()
            .queue_url(&self.url)
            .receipt_handle(&letter.receipt)
            .visibility_timeout(0)
            .send()
            .await
            .map_err(remote("ChangeMessageVisibility"))?;
        Ok(())
    }

    /// Deletes one that was taken out.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn delete(&self, letter: &DeadLetter) -> Result<(), StoreError> {
        self.client
            .delete_message()
            .queue_url(&self.url)
            .receipt_handle(&letter.receipt)
            .send()
            .await
            .map_err(remote("DeleteMessage"))?;
        Ok(())
    }
}

/// A message as it is sent.
struct Sent<'a> {
    message: &'a Message,
    /// How many attempts failed before.
    attempts: u32,
    delay: SignedDuration,
}

impl<'a> Sent<'a> {
    fn fresh(message: &'a Message) -> Self {
        Self {
            message,
            attempts: 0,
            delay: SignedDuration::ZERO,
        }
    }
}

async fn send_to<'a>(
    client: &Client,
    url: &str,
    messages: impl Iterator<Item = Sent<'a>>,
) -> Result<(), StoreError> {
    let messages: Vec<_> = messages.collect();
    for batch in messages.chunks(10) {
        let entries = batch.iter().enumerate().map(|(index, sent)| {
            let body = serde_json::to_string(sent.message)
                .map_err(|e| StoreError::internal("building a message", e))?;
            let mut entry = SendMessageBatchRequestEntry::builder()
                .id(index.to_string())
                .message_body(body);
            if sent.delay > SignedDuration::ZERO {
                entry = entry.delay_seconds(seconds(sent.delay.min(LONGEST_DELAY)));
            }
            if sent.attempts > 0 {
                let attempts = attribute("Number", &sent.attempts.to_string())?;
                entry = entry.message_attributes(ATTEMPTS_ATTRIBUTE, attempts);
            }
            entry
                .build()
                .map_err(|e| StoreError::internal("building a message", e))
        });
        let entries = entries.collect::<Result<Vec<_>, _>>()?;
        let request = client
            .send_message_batch()
            .queue_url(url)
            .set_entries(Some(entries));
        let answer = request.send().await.map_err(remote("SendMessageBatch"))?;
        if let Some(failure) = answer.failed().first() {
            let message = failure.message().unwrap_or("a message was not accepted");
            return Err(StoreError::said(
                "SendMessageBatch",
                Some(failure.code()),
                message,
            ));
        }
    }
    Ok(())
}

fn attribute(kind: &str, value: &str) -> Result<MessageAttributeValue, StoreError> {
    let value = MessageAttributeValue::builder()
        .data_type(kind)
        .string_value(value)
        .build();
    value.map_err(|e| StoreError::internal("building a message", e))
}

fn seconds(duration: SignedDuration) -> i32 {
    i32::try_from(duration.as_secs()).unwrap_or(i32::MAX)
}
