//! Replicas that go: of a blob that is reclaimed, from a target that is emptied or not configured any more.

use super::arriving::ARRIVALS;
use super::{Replicas, count_together, counters_of, state};
use crate::error::{Conflict, ErrorKind, StoreError};
use crate::rows::ReplicaRow;
use crate::table::{Item, Row, Write, text};

impl Replicas<'_> {
    /// Deletes a replica and its segments. What it has at the target must be gone by now.
    ///
    /// # Errors
    /// [`Conflict::ReplicaChanged`] when it is not what was read any more.
    pub async fn remove(self, replica: &ReplicaRow) -> Result<(), StoreError> {
        self.delete_segments(&replica.blob, &replica.target).await?;
        self.0.transact(removals(&[replica])?).await
    }

    /// Deletes many replicas, but not their segments, in few transactions. Returns what came of each, in
    /// their order: one that is not what was read any more ([`Conflict::ReplicaChanged`]) does not keep the
    /// others.
    pub async fn remove_many(self, replicas: &[&ReplicaRow]) -> Vec<Result<(), StoreError>> {
        let mut removed = Vec::with_capacity(replicas.len());
        // As many as arrive at once: a write for each, and the counters of their targets.
        for chunk in replicas.chunks(ARRIVALS) {
            let together = match removals(chunk) {
                Ok(writes) => self.0.transact(writes).await,
                Err(error) => Err(error),
            };
            if matches!(
                together,
                Err(StoreError {
                    kind: ErrorKind::Conflict(_),
                    ..
                })
            ) && chunk.len() > 1
            {
                for replica in chunk {
                    let alone = match removals(&[replica]) {
                        Ok(writes) => self.0.transact(writes).await,
                        Err(error) => Err(error),
                    };
                    removed.push(alone);
                }
            } else {
                removed.extend(chunk.iter().map(|_| together.clone()));
            }
        }
        removed
    }
}

/// The writes that delete replicas, if they are what was read.
fn removals(replicas: &[&ReplicaRow]) -> Result<Vec<Write>, StoreError> {
    let mut writes = Vec::new();
    for replica in replicas {
        let same = Item::from([
            (":from".to_owned(), state(replica.state)),
            (":since".to_owned(), text(&replica.since)),
        ]);
        writes.push(Write::delete(
            &replica.key(),
            "#state = :from AND since = :since",
            same,
            Conflict::ReplicaChanged,
        )?);
    }
    let counted = replicas
        .iter()
        .map(|replica| (*replica, counters_of(replica, None)));
    writes.extend(count_together(counted)?);
    Ok(writes)
}
