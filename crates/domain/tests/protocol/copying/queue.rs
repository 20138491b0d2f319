//! The queue.

use super::size::SEGMENTS;

/// A message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Message {
    Start,
    Copy(u8),
    Finish,
}

pub(super) const MESSAGES: [Message; SEGMENTS + 2] = [
    Message::Start,
    Message::Copy(0),
    Message::Copy(1),
    Message::Finish,
];

/// Which messages there are. Two of a kind are as good as one, because any may stay when it is delivered; but a worker
/// knows whether its message was delivered before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(super) struct Queue {
    fresh: [bool; MESSAGES.len()],
    again: [bool; MESSAGES.len()],
}

impl Queue {
    pub(super) fn send(&mut self, message: Message) {
        self.fresh[place(message)] = true;
    }

    /// It was delivered, but not acknowledged.
    pub(super) fn again(&mut self, message: Message) {
        self.again[place(message)] = true;
    }

    pub(super) fn take(&mut self, message: Message, again: bool) {
        let of = if again { &mut self.again } else { &mut self.fresh };
        of[place(message)] = false;
    }

    pub(super) fn has(self, message: Message, again: bool) -> bool {
        let of = if again { &self.again } else { &self.fresh };
        of[place(message)]
    }

    /// Whether any was delivered before.
    pub(super) fn has_any_again(self) -> bool {
        self.again.contains(&true)
    }

    /// Some message, if there is one, and whether it was delivered before.
    pub(super) fn any(self) -> Option<(Message, bool)> {
        let all = MESSAGES
            .into_iter()
            .flat_map(|message| [(message, false), (message, true)]);
        all.into_iter()
            .find(|(message, again)| self.has(*message, *again))
    }
}

fn place(message: Message) -> usize {
    match message {
        Message::Start => 0,
        Message::Copy(segment) => 1 + usize::from(segment),
        Message::Finish => MESSAGES.len() - 1,
    }
}
