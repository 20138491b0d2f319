//! The tokens of transactions. The same transaction with the same token is done once within ten minutes.
//!
//! dynoxide does so, but by the machine's clock. Here each token gets another name after ten minutes of virtual time, and
//! dynoxide is told the name.

use jiff::{SignedDuration, Timestamp};
use std::collections::{BTreeMap, VecDeque};

/// How long DynamoDB remembers a token after the transaction was done.
const MEMORY: SignedDuration = SignedDuration::from_mins(10);

/// Tokens of transactions that were done.
#[derive(Debug, Default)]
pub(super) struct Tokens {
    names: BTreeMap<String, u64>,
    /// The same, the oldest first.
    ages: VecDeque<(Timestamp, String)>,
    last: u64,
}

impl Tokens {
    /// The name of a token at `now`. One that no transaction was done with gets a new one.
    pub(super) fn name(&mut self, token: &str, now: Timestamp) -> u64 {
        while let Some((_, old)) = self
            .ages
            .pop_front_if(|(since, _)| now.duration_since(*since) > MEMORY)
        {
            self.names.remove(&old);
        }
        if let Some(name) = self.names.get(token) {
            return *name;
        }
        self.last += 1;
        self.last
    }

    /// A transaction was done with a token that has this name. One that was cancelled is none.
    pub(super) fn done(&mut self, token: &str, name: u64, now: Timestamp) {
        if self.names.insert(token.to_owned(), name).is_none() {
            self.ages.push_back((now, token.to_owned()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn a_token_is_remembered_for_ten_minutes_after_it_was_done() {
        let mut tokens = Tokens::default();
        let cancelled = tokens.name("a", at(0));
        let first = tokens.name("a", at(500));
        assert_ne!(cancelled, first, "nothing was done");
        tokens.done("a", first, at(500));
        assert_eq!(tokens.name("a", at(1100)), first);
        tokens.done("a", first, at(1100));
        assert_ne!(tokens.name("b", at(1100)), first);
        assert_ne!(tokens.name("a", at(1101)), first, "since the first time");
    }
}
