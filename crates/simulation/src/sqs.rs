//! SQS, in memory: standard queues, which deliver every message at least once.
//!
//! Messages come in the order in which they can be received, then in the order in which they were sent. SQS promises no order;
//! a test that wants another order delays messages, and one that wants a message twice duplicates it.

mod error;
mod message;
mod operations;
mod queues;
#[cfg(test)]
mod tests;

pub use error::SqsError;
pub use message::{Kept, Message, MessageAttribute};
pub use queues::{Depth, QueueSettings, Redrive};

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use jiff::Timestamp;
use local_dynamodb::aws_json::{self, JSON_1_0};
use queues::Queues;

/// SQS with the operations that Longshore uses, and what Lambda does with the queues of an event source mapping.
#[derive(Debug, Default)]
pub struct Sqs {
    queues: Queues,
}

impl Sqs {
    /// SQS without queues.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes an empty queue, in the place of one that has the same URL.
    pub fn create(&mut self, url: &str, settings: QueueSettings) {
        self.queues.create(url, settings);
    }

    /// Answers a request as SQS does. `ReceiveMessage` does not wait: if there is no message, it says so at once.
    pub fn answer(&mut self, request: &Request<Bytes>, now: Timestamp) -> Response<Bytes> {
        let asked = aws_json::read(request, "AmazonSQS");
        let asked = asked.map_err(|message| SqsError::not_implemented(&message));
        let answer = asked.and_then(|(operation, parameters)| {
            operations::run(&mut self.queues, &operation, parameters, now)
        });
        match answer {
            Ok(body) => aws_json::answer(JSON_1_0, StatusCode::OK, &body),
            Err(error) => error.answer(),
        }
    }

    /// Receives up to `most` messages with the queue's visibility time-out. Those that were received too often go to the dead
    /// letters instead.
    ///
    /// # Errors
    /// [`SqsError`] when there is no such queue.
    pub fn receive(&mut self, url: &str, most: usize, now: Timestamp) -> Result<Vec<Message>, SqsError> {
        self.queues.receive(url, most, None, now)
    }

    /// Deletes a message by the receipt handle of its last receive; with an earlier one it stays.
    ///
    /// # Errors
    /// [`SqsError`] when there is no such queue, or the handle is none of this queue.
    pub fn delete(&mut self, url: &str, receipt: &str) -> Result<(), SqsError> {
        self.queues.delete(url, receipt)
    }

    /// When the first message of a queue can be received, which may be long ago; none when it is empty.
    ///
    /// # Errors
    /// [`SqsError`] when there is no such queue.
    pub fn next_visible_at(&self, url: &str) -> Result<Option<Timestamp>, SqsError> {
        Ok(self.queues.messages(url)?.next().map(|kept| kept.visible_at))
    }

    /// How many messages a queue has.
    ///
    /// # Errors
    /// [`SqsError`] when there is no such queue.
    pub fn depth(&self, url: &str, now: Timestamp) -> Result<Depth, SqsError> {
        let mut depth = Depth::default();
        for kept in self.queues.messages(url)? {
            let count = if kept.visible_at <= now {
                &mut depth.visible
            } else if kept.last_receive.is_some() {
                &mut depth.in_flight
            } else {
                &mut depth.delayed
            };
            *count += 1;
        }
        Ok(depth)
    }

    /// All messages of a queue, in the order in which they can be received.
    ///
    /// # Errors
    /// [`SqsError`] when there is no such queue.
    pub fn messages(&self, url: &str) -> Result<impl Iterator<Item = &Kept>, SqsError> {
        self.queues.messages(url)
    }

    /// Lets a message be delivered once more, whatever becomes of the one that is there: from `at` on. Returns whether it is
    /// (still) in the queue.
    ///
    /// # Errors
    /// [`SqsError`] when there is no such queue.
    pub fn duplicate(&mut self, url: &str, id: &str, at: Timestamp) -> Result<bool, SqsError> {
        self.queues.duplicate(url, id, at)
    }
}
