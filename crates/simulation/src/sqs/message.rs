//! Messages: what may be in them, and the digests that SQS answers with.

use super::error::SqsError;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use md5::{Digest, Md5};
use std::collections::BTreeMap;

/// How many bytes a message may have, with its attributes, and a batch of messages.
pub(super) const LONGEST: usize = 1 << 20;
/// How many attributes a message may have.
const MOST_ATTRIBUTES: usize = 10;

/// An attribute of a message that its sender gave it. There are none in bytes here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageAttribute {
    /// `String`, `Number`, or one of these with a label: `Number.int`.
    pub data_type: String,
    /// The value.
    pub string_value: String,
}

/// The attributes of a message by name.
pub(super) type Attributes = BTreeMap<String, MessageAttribute>;

/// A message as a queue keeps it.
#[derive(Debug, Clone)]
pub struct Kept {
    /// The number of the sending: no two messages of all queues have the same.
    pub number: u64,
    /// The message id. Duplicates have the same.
    pub id: String,
    /// The text.
    pub body: String,
    /// What the sender said besides.
    pub message_attributes: BTreeMap<String, MessageAttribute>,
    /// When it was sent.
    pub sent: Timestamp,
    /// From when on it can be received.
    pub visible_at: Timestamp,
    /// How often it was received, from all queues that it was in.
    pub receives: u32,
    /// When it was received first.
    pub first_received: Option<Timestamp>,
    /// The last time that it was received from the queue that it is in: the number of that, and when.
    pub(super) last_receive: Option<(u64, Timestamp)>,
}

/// A message as it is received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The message id.
    pub id: String,
    /// The receipt handle of this receive.
    pub receipt: String,
    /// The text.
    pub body: String,
    /// What SQS says of it: `ApproximateReceiveCount`, `SentTimestamp`, `ApproximateFirstReceiveTimestamp`, `SenderId`.
    pub attributes: BTreeMap<String, String>,
    /// What the sender said besides.
    pub message_attributes: BTreeMap<String, MessageAttribute>,
}

/// How many bytes of the limits a message takes.
pub(super) fn size(body: &str, attributes: &Attributes) -> usize {
    let of =
        |(name, it): (&String, &MessageAttribute)| name.len() + it.data_type.len() + it.string_value.len();
    body.len() + attributes.iter().map(of).sum::<usize>()
}

/// Whether a message may be sent.
pub(super) fn check(body: &str, attributes: &Attributes) -> Result<(), SqsError> {
    if body.is_empty() {
        return Err(SqsError::missing("MessageBody"));
    }
    if attributes.len() > MOST_ATTRIBUTES {
        let message = format!(
            "Number of message attributes [{}] exceeds the allowed maximum [{MOST_ATTRIBUTES}].",
            attributes.len()
        );
        return Err(SqsError::invalid(&message));
    }
    for (name, attribute) in attributes {
        check_attribute(name, attribute)?;
    }
    if size(body, attributes) > LONGEST {
        let message = format!(
            "One or more parameters are invalid. Reason: Message must be shorter than {LONGEST} bytes."
        );
        return Err(SqsError::invalid(&message));
    }
    if !is_valid_text(body) {
        return Err(SqsError::contents());
    }
    Ok(())
}

fn check_attribute(
    name: &str,
    MessageAttribute {
        data_type,
        string_value,
    }: &MessageAttribute,
) -> Result<(), SqsError> {
    let fail = |what: &str| {
        Err(SqsError::invalid(&format!(
            "The message attribute '{name}' {what}"
        )))
    };
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
    let lower = name.to_ascii_lowercase();
    let ends = name.starts_with('.') || name.ends_with('.') || name.contains("..");
    let reserved = lower.starts_with("aws.") || lower.starts_with("amazon.");
    if name.is_empty() || name.len() > 256 || ends || reserved || !name.chars().all(is_plain) {
        return fail("has an invalid name.");
    }
    let kind = data_type.split('.').next().unwrap_or_default();
    if !["String", "Number"].contains(&kind) {
        return fail(
            "has an invalid message attribute type, the set of supported type prefixes is Binary, Number, and String.",
        );
    }
    if string_value.is_empty() {
        return fail(&format!("must contain a non-empty value of type '{kind}'."));
    }
    if kind == "Number" && string_value.parse::<f64>().is_err() {
        return fail("can't cast the value to a number.");
    }
    if !is_valid_text(string_value) {
        return Err(SqsError::contents());
    }
    Ok(())
}

fn is_valid_text(text: &str) -> bool {
    let is_valid = |c: char| "\t\n\r".contains(c) || (c >= ' ' && !['\u{fffe}', '\u{ffff}'].contains(&c));
    text.chars().all(is_valid)
}

/// The MD5 of a body, in hexadecimal digits.
pub(super) fn md5_of_body(body: &str) -> String {
    hex::encode(Md5::digest(body))
}

/// The MD5 of attributes, in hexadecimal digits; none when there are none.
pub(super) fn md5_of_attributes(attributes: &Attributes) -> Option<String> {
    if attributes.is_empty() {
        return None;
    }
    let mut digest = Md5::new();
    let part = |digest: &mut Md5, text: &str| {
        let length = u32::try_from(text.len()).unwrap_or(u32::MAX);
        digest.update(length.to_be_bytes());
        digest.update(text);
    };
    for (name, attribute) in attributes {
        part(&mut digest, name);
        part(&mut digest, &attribute.data_type);
        digest.update([1]); // a text, and no bytes
        part(&mut digest, &attribute.string_value);
    }
    Some(hex::encode(digest.finalize()))
}

/// The receipt handle of a receive of a message.
pub(super) fn receipt(queue: &str, message: u64, receive: u64) -> String {
    STANDARD.encode(format!("{message}/{receive}/{queue}"))
}

/// The message and the receive that a receipt handle is of.
pub(super) fn read_receipt(queue: &str, receipt: &str) -> Result<(u64, u64), SqsError> {
    let read = || {
        let text = String::from_utf8(STANDARD.decode(receipt).ok()?).ok()?;
        let mut parts = text.splitn(3, '/');
        let message = parts.next()?.parse().ok()?;
        let receive = parts.next()?.parse().ok()?;
        (parts.next()? == queue).then_some((message, receive))
    };
    read().ok_or_else(SqsError::handle)
}
