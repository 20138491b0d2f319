//! How parts become a blob and a file: which remote step follows each result of the one before.
//!
//! This is the whole flow without its I/O. `store::finalize` carries the steps out; the model in `tests/` lets them
//! race, crash and sleep. The order is what makes a crash at any point harmless: the ledger is written before the parts
//! become an object, so that what the object is can be told when the parts are gone; the file comes into being in one
//! write at the end. After a crash the next caller begins at [`Step::START`].

use crate::upload::Whose;

/// What to do next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Step {
    /// Take the lease. Answers: [`Answer::Done`], [`Answer::Held`], [`Answer::Changed`].
    Lease,
    /// List what the store has. Answers: [`Answer::Nothing`], [`Answer::Missing`], [`Answer::OtherContent`],
    /// [`Answer::Parts`], [`Answer::Object`].
    Look,
    /// Write the ledger, if the lease is still held. Answers: [`Answer::Done`], [`Answer::Changed`].
    WriteLedger,
    /// Look for a blob that has the content. Answers: [`Answer::Found`], [`Answer::NotFound`].
    FindBlob,
    /// Make the file of the blob that was found. Answers: those of a commit.
    Share,
    /// Turn the parts into an object. Answers: [`Answer::Done`], [`Answer::Nothing`], [`Answer::PartsChanged`],
    /// [`Answer::Unanswered`].
    Assemble,
    /// The parts are gone: look whether they became the object. Answers: [`Answer::Object`], [`Answer::Nothing`].
    FindObject,
    /// Turn the object into a blob, and make the file of it. Answers: those of a commit.
    Own,
    /// A concurrent upload of the same content was faster: look for that blob. Answers: [`Answer::Found`], [`Answer::NotFound`].
    FindWinner,
    /// Make the file of that blob. Answers: those of a commit.
    ShareWinner,
    /// Release the lease. Answers: [`Answer::Done`], [`Answer::Changed`].
    Reopen(Why),
    /// Done.
    End(End),
}

/// The result of a step. A commit answers [`Answer::Done`], [`Answer::Changed`], [`Answer::BlobGone`],
/// [`Answer::ContentExists`] or [`Answer::NoPlace`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Answer {
    /// It is done.
    Done,
    /// Another caller holds the lease.
    Held,
    /// The upload was changed concurrently: the lease is lost, or the upload ended.
    Changed,
    /// The store has neither parts nor an object.
    Nothing,
    /// Parts are missing, or have another size.
    Missing,
    /// The parts are not what was announced.
    OtherContent,
    /// All parts are there.
    Parts,
    /// The object is there.
    Object,
    /// There is such a blob.
    Found,
    /// There is none.
    NotFound,
    /// A part was overwritten since it was listed.
    PartsChanged,
    /// The store did not answer in time, and may still be completing it.
    Unanswered,
    /// The blob is being reclaimed.
    BlobGone,
    /// A blob with this content was created concurrently.
    ContentExists,
    /// The name is taken, or the folder gone.
    NoPlace,
}

/// Why an upload is open again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Why {
    /// The store has none of its parts: all have to be sent.
    PartsGone,
    /// Parts are missing, or have another size.
    PartsMissing,
    /// The parts are not what was announced.
    OtherContent,
    /// A part was overwritten concurrently.
    PartsChanged,
    /// The name is taken, or the folder gone.
    NoPlace,
}

/// How a finalize ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum End {
    /// There is a file.
    Complete,
    /// Another caller is finalizing it, or a later call has to.
    InProgress,
    /// The upload is open again.
    Reopened(Why),
    /// The upload was changed concurrently: its present state counts.
    AsItStands,
}

impl Step {
    /// Where everybody begins.
    pub const START: Self = Self::Lease;

    /// The step after this one. `None`: `answer` is no answer to it.
    #[must_use]
    #[expect(
        clippy::match_same_arms,
        reason = "a line for each step and answer reads best"
    )]
    pub fn after(self, answer: Answer) -> Option<Self> {
        Some(match (self, answer) {
            (Self::Lease, Answer::Done) => Self::Look,
            (Self::Lease, Answer::Held) => Self::End(End::InProgress),

            (Self::Look, Answer::Nothing) => Self::Reopen(Why::PartsGone),
            (Self::Look, Answer::Missing) => Self::Reopen(Why::PartsMissing),
            (Self::Look, Answer::OtherContent) => Self::Reopen(Why::OtherContent),
            (Self::Look, Answer::Parts) => Self::WriteLedger,
            // An earlier finalize came this far.
            (Self::Look, Answer::Object) => Self::Own,

            (Self::WriteLedger, Answer::Done) => Self::FindBlob,

            (Self::FindBlob, Answer::Found) => Self::Share,
            (Self::FindBlob, Answer::NotFound) => Self::Assemble,

            (Self::Assemble, Answer::Done) => Self::Own,
            (Self::Assemble, Answer::Nothing) => Self::FindObject,
            (Self::Assemble, Answer::PartsChanged) => Self::Reopen(Why::PartsChanged),
            (Self::Assemble, Answer::Unanswered) => Self::End(End::InProgress),

            (Self::FindObject, Answer::Object) => Self::Own,
            (Self::FindObject, Answer::Nothing) => Self::End(End::InProgress),

            (Self::FindWinner, Answer::Found) => Self::ShareWinner,
            (Self::FindWinner, Answer::NotFound) => Self::End(End::InProgress),

            (Self::Share | Self::Own | Self::ShareWinner, Answer::Done) => Self::End(End::Complete),
            (Self::Share | Self::Own | Self::ShareWinner, Answer::NoPlace) => Self::Reopen(Why::NoPlace),
            // The blob was reclaimed since it was read: the content gets a new one.
            (Self::Share, Answer::BlobGone) => Self::Assemble,
            (Self::ShareWinner, Answer::BlobGone) => Self::End(End::InProgress),
            (Self::Own, Answer::ContentExists) => Self::FindWinner,

            (Self::Reopen(why), Answer::Done) => Self::End(End::Reopened(why)),

            (
                Self::Lease
                | Self::WriteLedger
                | Self::Share
                | Self::Own
                | Self::ShareWinner
                | Self::Reopen(_),
                Answer::Changed,
            ) => Self::End(End::AsItStands),
            _ => return None,
        })
    }

    /// Which bytes a step that commits makes the file of.
    #[must_use]
    pub fn commits(self) -> Option<Whose> {
        match self {
            Self::Own => Some(Whose::Own),
            Self::Share | Self::ShareWinner => Some(Whose::Shared),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    const ANSWERS: [Answer; 15] = [
        Answer::Done,
        Answer::Held,
        Answer::Changed,
        Answer::Nothing,
        Answer::Missing,
        Answer::OtherContent,
        Answer::Parts,
        Answer::Object,
        Answer::Found,
        Answer::NotFound,
        Answer::PartsChanged,
        Answer::Unanswered,
        Answer::BlobGone,
        Answer::ContentExists,
        Answer::NoPlace,
    ];

    /// Every way through the flow, as pairs of a step and its answer.
    fn ways(step: Step, before: &[(Step, Answer)], found: &mut Vec<Vec<(Step, Answer)>>) {
        if matches!(step, Step::End(_)) {
            found.push(before.to_vec());
            return;
        }
        for answer in ANSWERS {
            if let Some(next) = step.after(answer) {
                ways(next, &[before, &[(step, answer)]].concat(), found);
            }
        }
    }

    #[test]
    fn every_way_ends_and_keeps_the_order() {
        let mut all = Vec::new();
        ways(Step::START, &[], &mut all);
        assert!(all.len() > 30, "{}", all.len());
        let mut reached = HashSet::new();
        for way in all {
            let position = |wanted: fn(&Step) -> bool| way.iter().position(|(step, _)| wanted(step));
            assert_eq!(position(|step| *step == Step::Lease), Some(0), "{way:?}");
            let ledger = position(|step| *step == Step::WriteLedger);
            if let Some(assemble) = position(|step| *step == Step::Assemble) {
                assert!(ledger.is_some_and(|ledger| ledger < assemble), "{way:?}");
            }
            if let Some(own) = position(|step| *step == Step::Own) {
                let there = way[..own]
                    .iter()
                    .any(|pair| matches!(pair, (_, Answer::Object) | (Step::Assemble, Answer::Done)));
                assert!(there, "an object before a blob: {way:?}");
            }
            let files = way
                .iter()
                .filter(|(step, answer)| step.commits().is_some() && *answer == Answer::Done);
            assert!(files.count() <= 1, "{way:?}");
            reached.extend(way.iter().map(|(step, _)| std::mem::discriminant(step)));
        }
        assert_eq!(reached.len(), 11, "every step but the end is on some way");
    }
}
