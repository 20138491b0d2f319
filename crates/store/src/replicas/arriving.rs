//! Replicas whose bytes are at their targets, verified.

use super::{Replicas, count_together, counters_of, moved};
use crate::error::{Conflict, StoreError};
use crate::rows::ReplicaRow;
use crate::table::{Change, Row, Write, number, text};
use domain::replica::{ReplicaEvent, State, step};
use jiff::Timestamp;
use std::collections::BTreeSet;

/// How many arrivals one transaction takes: with the counters less than the hundred writes that it may have.
pub const ARRIVALS: usize = 45;

/// A replica whose bytes are at the target, verified.
#[derive(Debug, Clone)]
pub struct Arrival {
    /// The replica as it was read.
    pub replica: ReplicaRow,
    /// The object's key at the target.
    pub key: String,
    /// The target's checksum of it.
    pub checksum: String,
    /// How many of its bytes were not counted as copied yet.
    pub copied: u64,
}

/// The change of an arrival.
fn arrived(arrival: &Arrival, now: Timestamp) -> Change {
    let replica = &arrival.replica;
    let set = ", #key = :key, checksum = :checksum, bytes_done = :size, available_at = :now";
    moved(
        replica,
        State::Available,
        set,
        ", multipart_id, last_error, dead_lettered",
        now,
    )
    .with(":key", text(&arrival.key))
    .with(":checksum", text(&arrival.checksum))
    .with(":size", number(replica.size))
}

impl Replicas<'_> {
    /// Replicas are complete and verified. Many that came at the same time are written in few transactions.
    ///
    /// # Errors
    /// [`StoreError`]; that one was available already, or is gone, is none.
    pub async fn arrive(self, mut arrivals: Vec<Arrival>, now: Timestamp) -> Result<(), StoreError> {
        // Repeated messages make several of one replica.
        let mut seen = BTreeSet::new();
        arrivals.retain(|arrival| seen.insert(arrival.replica.key()));
        for chunk in arrivals.chunks(ARRIVALS) {
            let written = match together(chunk, now) {
                Ok(writes) => self.0.transact(writes).await,
                Err(error) => Err(error),
            };
            match written {
                Ok(()) => {}
                Err(error) if error.is_conflict() => {
                    for arrival in chunk {
                        self.arrive_alone(arrival, now).await?;
                    }
                }
                Err(error) => return Err(error),
            }
        }
        for arrival in arrivals
            .iter()
            .filter(|arrival| arrival.replica.multipart_id.is_some())
        {
            self.delete_segments(&arrival.replica.blob, &arrival.replica.target)
                .await?;
        }
        Ok(())
    }

    async fn arrive_alone(self, arrival: &Arrival, now: Timestamp) -> Result<(), StoreError> {
        let change = |replica: &ReplicaRow, _| {
            let again = Arrival {
                replica: replica.clone(),
                ..arrival.clone()
            };
            arrived(&again, now)
        };
        self.move_replica(&arrival.replica, ReplicaEvent::Arrive, arrival.copied, change)
            .await?;
        Ok(())
    }
}

/// The writes of many arrivals.
fn together(arrivals: &[Arrival], now: Timestamp) -> Result<Vec<Write>, StoreError> {
    let mut writes = Vec::new();
    for arrival in arrivals {
        let replica = &arrival.replica;
        if step(
            replica.state,
            ReplicaEvent::Arrive,
            replica.multipart_id.is_some(),
        )
        .is_none()
        {
            return Err(Conflict::ReplicaChanged.into());
        }
        writes.push(Write::update(&arrived(arrival, now), Conflict::ReplicaChanged)?);
    }
    let counted = arrivals.iter().map(|arrival| {
        let counters = counters_of(&arrival.replica, Some(State::Available));
        (&arrival.replica, counters.copied(arrival.copied))
    });
    writes.extend(count_together(counted)?);
    Ok(writes)
}
