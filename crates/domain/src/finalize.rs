//! How parts become a blob and a file: which remote step follows each result of the one before.
//!
//! This is the whole flow without its I/O. `service::upload::complete` carries the steps out; the model in
//! `tests/` lets them race, crash and sleep. The order is what makes a crash at any point harmless: the part
//! digests are written before the parts become an object, so that what the object is can be told when the
//! parts are gone; the file comes into being in one write at the end. After a crash the next caller begins at
//! [`Step::START`].

use crate::upload::ContentSource;

/// What to do next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Step {
    /// Take the lease. Answers: [`StepResult::Done`], [`StepResult::Held`], [`StepResult::Changed`].
    Lease,
    /// List what the store has. Answers: [`StepResult::Nothing`], [`StepResult::Missing`], [`StepResult::OtherContent`],
    /// [`StepResult::Parts`], [`StepResult::Object`].
    ListParts,
    /// Write the part digests, if the lease is still held. Answers: [`StepResult::Done`], [`StepResult::Changed`].
    WritePartDigests,
    /// Look for a blob that has the content. Answers: [`StepResult::Found`], [`StepResult::NotFound`].
    FindBlob,
    /// Make the file of the blob that was found. Answers: those of a commit.
    Share,
    /// Turn the parts into an object. Answers: [`StepResult::Done`], [`StepResult::Nothing`],
    /// [`StepResult::PartsChanged`], [`StepResult::Unanswered`].
    Assemble,
    /// The parts are gone: look whether they became the object. Answers: [`StepResult::Object`], [`StepResult::Nothing`].
    FindObject,
    /// Turn the object into a blob, and make the file of it. Answers: those of a commit.
    Own,
    /// A concurrent upload of the same content was faster: look for that blob. Answers:
    /// [`StepResult::Found`], [`StepResult::NotFound`].
    FindWinner,
    /// Make the file of that blob. Answers: those of a commit.
    ShareWinner,
    /// Release the lease. Answers: [`StepResult::Done`], [`StepResult::Changed`].
    Reopen(ReopenReason),
    /// Done.
    End(End),
}

/// The result of a step. A commit answers [`StepResult::Done`], [`StepResult::Changed`], [`StepResult::BlobGone`],
/// [`StepResult::ContentExists`] or [`StepResult::NoPlacement`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StepResult {
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
    NoPlacement,
}

/// Why an upload is open again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ReopenReason {
    /// The store has none of its parts: all have to be sent.
    PartsGone,
    /// Parts are missing, or have another size.
    PartsMissing,
    /// The parts are not what was announced.
    OtherContent,
    /// A part was overwritten concurrently.
    PartsChanged,
    /// The name is taken, or the folder gone.
    NoPlacement,
}

/// How a finalize ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum End {
    /// There is a file.
    Complete,
    /// Another caller is finalizing it, or a later call has to.
    InProgress,
    /// The upload is open again.
    Reopened(ReopenReason),
    /// The upload was changed concurrently: its present state counts.
    ReRead,
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
    pub fn after(self, answer: StepResult) -> Option<Self> {
        Some(match (self, answer) {
            (Self::Lease, StepResult::Done) => Self::ListParts,
            (Self::Lease, StepResult::Held) => Self::End(End::InProgress),

            (Self::ListParts, StepResult::Nothing) => Self::Reopen(ReopenReason::PartsGone),
            (Self::ListParts, StepResult::Missing) => Self::Reopen(ReopenReason::PartsMissing),
            (Self::ListParts, StepResult::OtherContent) => Self::Reopen(ReopenReason::OtherContent),
            (Self::ListParts, StepResult::Parts) => Self::WritePartDigests,
            // An earlier finalize came this far.
            (Self::ListParts, StepResult::Object) => Self::Own,

            (Self::WritePartDigests, StepResult::Done) => Self::FindBlob,

            (Self::FindBlob, StepResult::Found) => Self::Share,
            (Self::FindBlob, StepResult::NotFound) => Self::Assemble,

            (Self::Assemble, StepResult::Done) => Self::Own,
            (Self::Assemble, StepResult::Nothing) => Self::FindObject,
            (Self::Assemble, StepResult::PartsChanged) => Self::Reopen(ReopenReason::PartsChanged),
            (Self::Assemble, StepResult::Unanswered) => Self::End(End::InProgress),

            (Self::FindObject, StepResult::Object) => Self::Own,
            (Self::FindObject, StepResult::Nothing) => Self::End(End::InProgress),

            (Self::FindWinner, StepResult::Found) => Self::ShareWinner,
            (Self::FindWinner, StepResult::NotFound) => Self::End(End::InProgress),

            (Self::Share | Self::Own | Self::ShareWinner, StepResult::Done) => Self::End(End::Complete),
            (Self::Share | Self::Own | Self::ShareWinner, StepResult::NoPlacement) => {
                Self::Reopen(ReopenReason::NoPlacement)
            }
            // The blob was reclaimed since it was read: the content gets a new one.
            (Self::Share, StepResult::BlobGone) => Self::Assemble,
            (Self::ShareWinner, StepResult::BlobGone) => Self::End(End::InProgress),
            (Self::Own, StepResult::ContentExists) => Self::FindWinner,

            (Self::Reopen(why), StepResult::Done) => Self::End(End::Reopened(why)),

            (
                Self::Lease
                | Self::WritePartDigests
                | Self::Share
                | Self::Own
                | Self::ShareWinner
                | Self::Reopen(_),
                StepResult::Changed,
            ) => Self::End(End::ReRead),
            _ => return None,
        })
    }

    /// Which bytes a step that commits makes the file of.
    #[must_use]
    pub fn commits(self) -> Option<ContentSource> {
        match self {
            Self::Own => Some(ContentSource::Own),
            Self::Share | Self::ShareWinner => Some(ContentSource::Shared),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    const ANSWERS: [StepResult; 15] = [
        StepResult::Done,
        StepResult::Held,
        StepResult::Changed,
        StepResult::Nothing,
        StepResult::Missing,
        StepResult::OtherContent,
        StepResult::Parts,
        StepResult::Object,
        StepResult::Found,
        StepResult::NotFound,
        StepResult::PartsChanged,
        StepResult::Unanswered,
        StepResult::BlobGone,
        StepResult::ContentExists,
        StepResult::NoPlacement,
    ];

    /// Every way through the flow, as pairs of a step and its answer.
    fn ways(step: Step, before: &[(Step, StepResult)], found: &mut Vec<Vec<(Step, StepResult)>>) {
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
            let part_digests = position(|step| *step == Step::WritePartDigests);
            if let Some(assemble) = position(|step| *step == Step::Assemble) {
                assert!(
                    part_digests.is_some_and(|part_digests| part_digests < assemble),
                    "{way:?}"
                );
            }
            if let Some(own) = position(|step| *step == Step::Own) {
                let there = way[..own]
                    .iter()
                    .any(|pair| matches!(pair, (_, StepResult::Object) | (Step::Assemble, StepResult::Done)));
                assert!(there, "an object before a blob: {way:?}");
            }
            let files = way
                .iter()
                .filter(|(step, answer)| step.commits().is_some() && *answer == StepResult::Done);
            assert!(files.count() <= 1, "{way:?}");
            reached.extend(way.iter().map(|(step, _)| std::mem::discriminant(step)));
        }
        assert_eq!(reached.len(), 11, "every step but the end is on some way");
    }
}
