//! Messages as they are received, and what becomes of them.

use domain::replica::{Message, STALLED_AFTER};
use jiff::SignedDuration;
use store::rows::ReplicaRow;
use store::{Queue, StoreError, Table};
use targets::error::ReplicaError;

/// When messages come again that could not be worked on because the table or the primary store did not answer.
pub(super) const OUR_SIDE: SignedDuration = SignedDuration::from_secs(30);

/// A message as it was received.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// What it says.
    pub message: Message,
    /// What it can be hidden with.
    pub receipt: Option<String>,
    /// How often it has been tried, this time included.
    pub attempts: u32,
}

/// What becomes of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is done with.
    Done,
    /// It comes again.
    Again,
}

/// Why a message has to come again.
pub(super) enum AttemptError {
    Failed(ReplicaError),
    /// It was not begun: there was no time left, or the target did not do what others were about.
    NotBegun,
    /// The replica is there, but something was left at the target that nobody needs.
    Untidy(ReplicaError),
}

/// Lets a message come later without counting it as tried: it is sent anew. The sweep, which sends one for every replica
/// about which nothing is heard, is told that there is one.
///
/// # Errors
/// [`StoreError`] when it was not sent.
pub async fn defer(
    table: &Table,
    queue: &Queue,
    delivery: &Delivery,
    wait: SignedDuration,
) -> Result<(), StoreError> {
    // Not all at the same moment.
    let wait = wait.mul_f64(1.0 + table.rng.random::<f64>() / 2.0) + SignedDuration::from_secs(1);
    let tried = delivery.attempts.saturating_sub(1);
    queue.defer(&delivery.message, wait, tried).await?;
    let (blob, target) = delivery.message.subject();
    let replica = ReplicaRow::key_of(blob, target);
    if let Err(error) = table
        .postpone(&replica, table.from_now(wait + STALLED_AFTER))
        .await
    {
        tracing::warn!(%blob, target, error = error.for_log(), "the sweep will send one message more");
    }
    Ok(())
}
