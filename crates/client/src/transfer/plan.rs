//! Which parts still have to be sent.

use crate::types::ReceivedPart;
use domain::content::{PartDigest, PartPlan};
use std::collections::BTreeSet;

/// What an upload still lacks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Todo {
    /// Parts to send, in order.
    pub(crate) send: Vec<u32>,
    /// How many parts need not be sent.
    pub(crate) kept_parts: u32,
    /// Their bytes.
    pub(crate) kept: u64,
}

/// Compares what the store has with the local file. A part counts only when the store shows the right size and
/// the right digest; one that it shows wrong, or twice with differing facts, is sent again. So are the parts in
/// `missing`, whatever the store shows.
pub(crate) fn todo(
    plan: &PartPlan,
    digests: &[PartDigest],
    received: &[ReceivedPart],
    missing: &[u32],
) -> Todo {
    let mut bad: BTreeSet<u32> = missing.iter().copied().collect();
    let mut good = BTreeSet::new();
    for part in received {
        let digest = part
            .number
            .checked_sub(1)
            .and_then(|index| digests.get(index as usize));
        let right = digest.is_some_and(|digest| part.sha256.as_deref() == Some(digest.to_string().as_str()))
            && plan.part_length(part.number) == Some(part.size);
        if right {
            good.insert(part.number)
        } else {
            bad.insert(part.number)
        };
    }
    let mut todo = Todo {
        send: Vec::new(),
        kept_parts: 0,
        kept: 0,
    };
    for number in 1..=plan.part_count() {
        if good.contains(&number) && !bad.contains(&number) {
            todo.kept_parts += 1;
            todo.kept += plan.part_length(number).unwrap_or_default();
        } else {
            todo.send.push(number);
        }
    }
    todo
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MIB: u64 = 1024 * 1024;

    fn digest(number: u32) -> PartDigest {
        PartDigest::of(&number.to_le_bytes())
    }

    fn received(plan: &PartPlan, number: u32) -> ReceivedPart {
        let size = plan.part_length(number).unwrap_or_default();
        ReceivedPart {
            number,
            size,
            sha256: Some(digest(number).to_string()),
        }
    }

    #[test]
    fn wrong_facts_are_sent_again() {
        let plan = PartPlan::for_size(40 * MIB).unwrap();
        let digests: Vec<_> = (1..=5).map(digest).collect();
        let parts = [
            received(&plan, 1),
            ReceivedPart {
                size: 1,
                ..received(&plan, 2)
            },
            ReceivedPart {
                sha256: Some(digest(9).to_string()),
                ..received(&plan, 3)
            },
            ReceivedPart {
                sha256: None,
                ..received(&plan, 4)
            },
            received(&plan, 5),
            ReceivedPart {
                number: 6,
                size: 8 * MIB,
                sha256: None,
            },
            ReceivedPart {
                number: 0,
                size: 8 * MIB,
                sha256: None,
            },
        ];
        let found = todo(&plan, &digests, &parts, &[]);
        assert_eq!(
            found,
            Todo {
                send: vec![2, 3, 4],
                kept_parts: 2,
                kept: 16 * MIB
            }
        );
        assert_eq!(todo(&plan, &digests, &parts, &[5, 77]).send, [2, 3, 4, 5]);
    }

    proptest! {
        #[test]
        fn sent_and_kept_parts_are_the_file(
            size in 0..900 * MIB,
            has in prop::collection::vec((0u32..130, any::<bool>()), 0..150),
        ) {
            let plan = PartPlan::for_size(size).unwrap();
            let digests: Vec<_> = (1..=plan.part_count()).map(digest).collect();
            let parts: Vec<_> = has
                .iter()
                .map(|(number, right)| {
                    let sha256 = right.then(|| digest(*number).to_string());
                    ReceivedPart { sha256, ..received(&plan, *number) }
                })
                .collect();
            let found = todo(&plan, &digests, &parts, &[]);
            let sent: u64 = found.send.iter().map(|number| plan.part_length(*number).unwrap()).sum();
            prop_assert_eq!(sent + found.kept, size);
            prop_assert_eq!(found.send.len() + found.kept_parts as usize, digests.len());
            for number in 1..=plan.part_count() {
                let mut facts = has.iter().filter(|(other, _)| *other == number).peekable();
                let kept = facts.peek().is_some() && facts.all(|(_, right)| *right);
                prop_assert_eq!(!kept, found.send.contains(&number));
            }
        }
    }
}
