//! The queues, and what happens to their messages.

use super::error::SqsError;
use super::message::{self, Attributes, Kept, Message};
use domain::time::saturating_add;
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;

/// The longest that a message is kept back, in seconds.
pub(super) const LONGEST_DELAY: i64 = 900;
/// The longest that a received message stays invisible, in seconds.
pub(super) const LONGEST_VISIBILITY: i64 = 43_200;

/// How a queue is set up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueSettings {
    /// For how many seconds a received message is invisible, unless said otherwise.
    pub visibility_seconds: i64,
    /// For how many seconds a message is kept back, unless said otherwise.
    pub delay_seconds: i64,
    /// For how many seconds a message is kept, from when it was sent.
    pub retention_seconds: i64,
    /// Where messages go that were received too often.
    pub redrive: Option<Redrive>,
}

impl Default for QueueSettings {
    /// What AWS gives a queue of which nothing is said.
    fn default() -> Self {
        Self {
            visibility_seconds: 30,
            delay_seconds: 0,
            retention_seconds: 4 * 24 * 3600,
            redrive: None,
        }
    }
}

/// A queue's redrive policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redrive {
    /// The URL of the queue of dead letters.
    pub dead_letters: String,
    /// How often a message is received at most.
    pub max_receives: u32,
}

/// How many messages are in a queue, by what becomes of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Depth {
    /// Those that can be received.
    pub visible: usize,
    /// Those that were received, and are invisible.
    pub in_flight: usize,
    /// Those that are kept back, and were never received.
    pub delayed: usize,
}

#[derive(Debug)]
struct Queue {
    settings: QueueSettings,
    /// In the order in which they can be received: by time, then by number.
    messages: BTreeMap<(Timestamp, u64), Kept>,
    /// When the message of each number can be received.
    times: BTreeMap<u64, Timestamp>,
}

impl Queue {
    fn put(&mut self, message: Kept) {
        self.times.insert(message.number, message.visible_at);
        self.messages
            .insert((message.visible_at, message.number), message);
    }

    fn take(&mut self, number: u64) -> Option<Kept> {
        let time = self.times.remove(&number)?;
        self.messages.remove(&(time, number))
    }

    fn get(&self, number: u64) -> Option<&Kept> {
        self.messages.get(&(*self.times.get(&number)?, number))
    }

    /// Forgets what was kept for long enough.
    fn forget(&mut self, now: Timestamp) {
        let kept = SignedDuration::from_secs(self.settings.retention_seconds);
        let old = |message: &&Kept| now.duration_since(message.sent) >= kept;
        let old: Vec<u64> = self.messages.values().filter(old).map(|it| it.number).collect();
        for number in old {
            self.take(number);
        }
    }
}

/// All queues, by URL.
#[derive(Debug, Default)]
pub(super) struct Queues {
    by_url: BTreeMap<String, Queue>,
    messages: u64,
    receives: u64,
}

impl Queues {
    pub(super) fn create(&mut self, url: &str, settings: QueueSettings) {
        let queue = Queue {
            settings,
            messages: BTreeMap::new(),
            times: BTreeMap::new(),
        };
        self.by_url.insert(url.to_owned(), queue);
    }

    fn queue(&self, url: &str) -> Result<&Queue, SqsError> {
        self.by_url.get(url).ok_or_else(SqsError::no_queue)
    }

    fn queue_mut(&mut self, url: &str) -> Result<&mut Queue, SqsError> {
        self.by_url.get_mut(url).ok_or_else(SqsError::no_queue)
    }

    pub(super) fn check(&self, url: &str) -> Result<(), SqsError> {
        self.queue(url).map(|_| ())
    }

    pub(super) fn messages(&self, url: &str) -> Result<impl Iterator<Item = &Kept>, SqsError> {
        Ok(self.queue(url)?.messages.values())
    }

    /// Sends a message, and returns its id.
    pub(super) fn send(
        &mut self,
        url: &str,
        body: &str,
        attributes: Attributes,
        delay_seconds: Option<i64>,
        now: Timestamp,
    ) -> Result<String, SqsError> {
        let number = self.messages + 1;
        let queue = self.queue_mut(url)?;
        message::check(body, &attributes)?;
        let delay = delay_seconds.unwrap_or(queue.settings.delay_seconds);
        if !(0..=LONGEST_DELAY).contains(&delay) {
            let reason = format!("DelaySeconds must be >= 0 and <= {LONGEST_DELAY}.");
            return Err(SqsError::value(delay, "DelaySeconds", &reason));
        }
        let id = format!("00000000-0000-4000-8000-{number:012x}");
        queue.put(Kept {
            number,
            id: id.clone(),
            body: body.to_owned(),
            message_attributes: attributes,
            sent: now,
            visible_at: saturating_add(now, SignedDuration::from_secs(delay)),
            receives: 0,
            first_received: None,
            last_receive: None,
        });
        self.messages = number;
        Ok(id)
    }

    /// Receives up to `most` messages: those that can be received for longest come first. Those that were received too often
    /// go to the dead letters instead.
    pub(super) fn receive(
        &mut self,
        url: &str,
        most: usize,
        visibility_seconds: Option<i64>,
        now: Timestamp,
    ) -> Result<Vec<Message>, SqsError> {
        let queue = self.queue_mut(url)?;
        queue.forget(now);
        let redrive = queue.settings.redrive.clone();
        let seconds = visibility_seconds.unwrap_or(queue.settings.visibility_seconds);
        let visible_again = saturating_add(now, SignedDuration::from_secs(seconds));
        let visible = queue.messages.range(..=(now, u64::MAX));
        let visible: Vec<u64> = visible.map(|((_, number), _)| *number).collect();
        if let Some(redrive) = &redrive {
            self.check(&redrive.dead_letters)?;
        }
        let mut received = Vec::new();
        for number in visible {
            if received.len() == most {
                break;
            }
            let Some(mut kept) = self.queue_mut(url)?.take(number) else {
                continue;
            };
            match &redrive {
                Some(redrive) if kept.receives >= redrive.max_receives => {
                    kept.visible_at = now;
                    kept.last_receive = None;
                    self.queue_mut(&redrive.dead_letters)?.put(kept);
                }
                _ => {
                    self.receives += 1;
                    kept.receives += 1;
                    kept.first_received.get_or_insert(now);
                    kept.last_receive = Some((self.receives, now));
                    kept.visible_at = visible_again;
                    received.push(delivered(url, self.receives, &kept));
                    self.queue_mut(url)?.put(kept);
                }
            }
        }
        Ok(received)
    }

    /// Deletes a message. With a receipt handle that is not of the last receive this succeeds, and does nothing.
    pub(super) fn delete(&mut self, url: &str, receipt: &str) -> Result<(), SqsError> {
        let queue = self.queue_mut(url)?;
        let (number, receive) = message::read_receipt(url, receipt)?;
        let last = queue.get(number).and_then(|kept| kept.last_receive);
        if last.is_some_and(|(last, _)| last == receive) {
            queue.take(number);
        }
        Ok(())
    }

    /// Makes a received message visible in so many seconds.
    pub(super) fn change_visibility(
        &mut self,
        url: &str,
        receipt: &str,
        seconds: i64,
        now: Timestamp,
    ) -> Result<(), SqsError> {
        let queue = self.queue_mut(url)?;
        let (number, receive) = message::read_receipt(url, receipt)?;
        check_visibility(seconds)?;
        let kept = queue.get(number);
        let of_receive = kept.and_then(|kept| Some((kept.last_receive?, kept.visible_at)));
        let Some(((_, received), visible_at)) = of_receive.filter(|((last, _), _)| *last == receive) else {
            let reason = "Message does not exist or is not available for visibility timeout change.";
            return Err(SqsError::value(receipt, "ReceiptHandle", reason));
        };
        if visible_at <= now {
            return Err(SqsError::not_in_flight());
        }
        let visible_at = saturating_add(now, SignedDuration::from_secs(seconds));
        if visible_at.duration_since(received) > SignedDuration::from_secs(LONGEST_VISIBILITY) {
            let reason = format!(
                "Total VisibilityTimeout for the message is beyond the limit [{LONGEST_VISIBILITY} seconds]."
            );
            return Err(SqsError::value(seconds, "VisibilityTimeout", &reason));
        }
        if let Some(mut kept) = queue.take(number) {
            kept.visible_at = visible_at;
            queue.put(kept);
        }
        Ok(())
    }

    pub(super) fn duplicate(&mut self, url: &str, id: &str, at: Timestamp) -> Result<bool, SqsError> {
        let number = self.messages + 1;
        let queue = self.queue_mut(url)?;
        let Some(kept) = queue.messages.values().find(|kept| kept.id == id) else {
            return Ok(false);
        };
        let copy = Kept {
            number,
            visible_at: at,
            last_receive: None,
            ..kept.clone()
        };
        queue.put(copy);
        self.messages = number;
        Ok(true)
    }
}

/// Whether a received message may be invisible for so many seconds.
pub(super) fn check_visibility(seconds: i64) -> Result<(), SqsError> {
    if (0..=LONGEST_VISIBILITY).contains(&seconds) {
        return Ok(());
    }
    let reason = format!("VisibilityTimeout must be >= 0 and <= {LONGEST_VISIBILITY}.");
    Err(SqsError::value(seconds, "VisibilityTimeout", &reason))
}

fn delivered(url: &str, receive: u64, kept: &Kept) -> Message {
    let milliseconds = |time: Timestamp| time.as_millisecond().to_string();
    let first = kept.first_received.unwrap_or(kept.sent);
    let attributes = [
        ("ApproximateReceiveCount", kept.receives.to_string()),
        ("SentTimestamp", milliseconds(kept.sent)),
        ("ApproximateFirstReceiveTimestamp", milliseconds(first)),
        ("SenderId", "AROAEXAMPLE:longshore".to_owned()),
    ];
    Message {
        id: kept.id.clone(),
        receipt: message::receipt(url, kept.number, receive),
        body: kept.body.clone(),
        attributes: attributes.map(|(name, value)| (name.to_owned(), value)).into(),
        message_attributes: kept.message_attributes.clone(),
    }
}
