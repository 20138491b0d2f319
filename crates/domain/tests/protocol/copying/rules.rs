//! The rules that are not in the domain's functions, but in their callers.

/// What a test may break.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rule {
    /// Segments of another multipart upload than the recorded one do not count.
    TellsMultipartsApart,
    /// The target's object is looked at before the replica is available.
    Verifies,
    /// A multipart upload is recorded only where none is, for one that waits.
    BeginsOnce,
    /// A worker that was not the first to begin aborts its own multipart upload.
    AbortsOwn,
    /// A segment is recorded only while its multipart upload is.
    RecordsOfMultipart,
    /// A segment is recorded once.
    RecordsOnce,
    /// Recording a segment leaves the state as it is.
    RecordsKeepState,
    /// What changes the state changes the counters, in one transaction.
    CountersInTransaction,
    /// A write that pins the state pins for which bytes it waits, too.
    PinsSince,
    /// The write that makes it available pins the state that was read.
    ArrivesPinned,
    /// The write that marks it failed pins the state that was read.
    GivesUpPinned,
    /// A redrive pins that it has failed.
    RedrivesPinned,
    /// The removal pins the state that was read.
    RemovesPinned,
    /// The dead letter is sent after the replica has failed.
    FailsBeforeLetter,
    /// A worker with a message that was tried before checks how the replica ended after its work, not only before.
    LooksAfterwards,
    /// A message that was tried, and is sent as a new one, says so.
    SaysIfTried,
    /// A message that was tried before, and leaves its replica failed, leaves a dead letter.
    LetterIfAgain,
    /// That the dead letter was sent is written only while nothing else was since the replica was read.
    DeadLettersPinned,
    /// What is available has no dead letter to come.
    ArrivingDigsUp,
    /// What is tried again gets a new dead letter when it fails again.
    RedrivingDigsUp,
    /// A `start` that leaves its replica failed leaves a dead letter even where one was sent: it may have been that one.
    StartsMayBeLetters,
    /// Redriving deletes only letters that it had before it looked at the replica.
    TakesLettersFirst,
    /// A dead letter is a `start`, whatever the message was.
    LettersAreStarts,
    /// A `start` redrives what has failed.
    StartRedrives,
    /// Redriving deletes its letters when it is done: they come back when it dies.
    DeletesLettersLast,
    /// The sweep sends again what is pending.
    SweepsPending,
    /// The sweep sends again what is being copied.
    SweepsCopying,
    /// While the circuit is open only what waits for its bytes is left without a message.
    ParksUnderWay,
    /// What waits without a message gets one when the circuit has closed.
    Feeds,
    /// A multipart upload that is gone is forgotten.
    ForgetsMultiparts,
    /// The worker that made it available aborts the other multipart uploads.
    AbortsOthers,
    /// In this order: others may begin something until it is available.
    ArrivesFirst,
    /// A message that was tried before, and leaves its replica available, aborts what is under way.
    AbortsIfAvailable,
    /// The reconciler skips what became available while a worker may still be using it.
    LosesSettled,
    /// Losing the object forgets what was done.
    LosesAll,
    /// The reconciler looks at what is available.
    Reconciles,
    /// Workers leave alone what goes.
    LeavesMarkedAlone,
    /// What goes is removed when no worker can be at it any more.
    Settles,
    /// Multipart uploads are aborted when it is removed.
    RemovesMultiparts,
    /// The row is removed last.
    RemovesRowLast,
}
