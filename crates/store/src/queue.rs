//! The replication queue. Its messages are hints: what is written in the table is the truth.

use crate::config::{Aws, variable};
use crate::error::{StoreError, remote};
use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::SendMessageBatchRequestEntry;
use domain::replica::Message;
use jiff::SignedDuration;

/// The queue.
#[derive(Clone)]
pub struct Queue {
    client: Client,
    url: String,
}

impl Queue {
    /// The queue that `REPLICATE_QUEUE_URL` names.
    ///
    /// # Errors
    /// [`StoreError::Misconfigured`] when the variable is missing.
    pub fn from_env(aws: &Aws) -> Result<Self, StoreError> {
        Ok(Self {
            client: Client::new(aws.sdk()),
            url: variable("REPLICATE_QUEUE_URL")?,
        })
    }

    /// Sends messages, ten at a time.
    ///
    /// # Errors
    /// [`StoreError::Remote`] when one was not accepted; others may have been sent.
    pub async fn send(&self, messages: &[Message]) -> Result<(), StoreError> {
        for batch in messages.chunks(10) {
            let entries = batch.iter().enumerate().map(|(index, message)| {
                let body = serde_json::to_string(message).map_err(|e| StoreError::Corrupt(e.to_string()))?;
                let entry = SendMessageBatchRequestEntry::builder()
                    .id(index.to_string())
                    .message_body(body);
                entry.build().map_err(|e| StoreError::Corrupt(e.to_string()))
            });
            let entries = entries.collect::<Result<Vec<_>, _>>()?;
            let request = self
                .client
                .send_message_batch()
                .queue_url(&self.url)
                .set_entries(Some(entries));
            let answer = request.send().await.map_err(remote("SendMessageBatch"))?;
            if let Some(failure) = answer.failed().first() {
                return Err(StoreError::Remote {
                    operation: "SendMessageBatch",
                    code: Some(failure.code().to_owned()),
                    cause: failure
                        .message()
                        .unwrap_or("a message was not accepted")
                        .to_owned(),
                });
            }
        }
        Ok(())
    }

    /// Makes a received message visible again after `delay` rather than after the queue's time-out.
    ///
    /// # Errors
    /// [`StoreError::Remote`].
    pub async fn retry_after(&self, receipt: &str, delay: SignedDuration) -> Result<(), StoreError> {
        self.client
            .change_message_visibility()
            .queue_url(&self.url)
            .receipt_handle(receipt)
            .visibility_timeout(i32::try_from(delay.as_secs()).unwrap_or(i32::MAX))
            .send()
            .await
            .map_err(remote("ChangeMessageVisibility"))?;
        Ok(())
    }
}
