//! Replicas: every write on every small state, as it was read and as it has become meanwhile, does what
//! `domain::replica::step` and `ReplicaCounters::moved` say, to the row, its places in both indexes, and the counters.

mod fixture;
mod many;
mod model;

use crate::stack::table;
use crate::{all, compare, put};
use domain::replica::{ReplicaCounters, State};
use fixture::{ReplicaFixture, SHAPES, now, state_of};
use futures::join;
use model::{Act, ExpectedResult};
use store::replicas::create;
use store::rows::{ReplicaCountersRow, ReplicaRow, SegmentRow};
use store::table::Rows;
use store::{Conflict, ErrorKind, StoreError, Table};

/// What the target's counters are when it has one replica like this, and nothing else was ever copied there.
fn counters_of(replica: Option<&ReplicaRow>) -> ReplicaCounters {
    ReplicaCounters::moved(None, replica.map(|replica| replica.state), ReplicaFixture::SIZE)
}

/// Puts a replica, its segment, and the counters that belong to it.
async fn put_world(table: &Table, place: &ReplicaFixture, is: Option<&ReplicaRow>) -> Result<(), String> {
    let Some(is) = is else { return Ok(()) };
    let row = place.item(is);
    let counters = place.counters_item(counters_of(Some(is)));
    let segment = place.segment_item();
    let mut items = vec![&row, &counters];
    if is.multipart_id.is_some() {
        items.push(&segment);
    }
    put(table, &items).await.map_err(|error| error.to_string())
}

/// The row, and the counters, are what they should be.
async fn check(
    table: &Table,
    place: &ReplicaFixture,
    expected: Option<&ReplicaRow>,
    counters: ReplicaCounters,
) -> Result<(), String> {
    let row = expected.map(|replica| place.item(replica));
    compare(table, &place.key(), row.as_ref()).await?;
    let written = table
        .targets()
        .counters(&place.target)
        .await
        .map_err(|error| error.to_string())?;
    if written == counters {
        return Ok(());
    }
    Err(format!("the counters are {written:?}, expected was {counters:?}"))
}

/// One write on a replica that was read as `read`, and is `is` by now; `None`: it is gone.
async fn write(
    table: &Table,
    act: Act,
    read: ReplicaRow,
    is: Option<ReplicaRow>,
    place: &ReplicaFixture,
) -> Result<(), String> {
    let case = async {
        put_world(table, place, is.as_ref()).await?;
        let outcome = act.perform(table, &read).await?;
        let (rule, after, copied) = act.rule(&read, is.as_ref());
        if outcome != rule {
            return Err(format!("it gave {outcome:?}, the rule {rule:?}"));
        }
        // What is not there any more was never counted here.
        let counters = counters_of(after.as_ref()).copied(copied);
        check(table, place, after.as_ref(), counters).await?;
        let gone = table.segments_of(place).await?.is_empty();
        let kept = is.as_ref().is_some_and(|is| is.multipart_id.is_some());
        match act.leaves_segments(outcome, &read) {
            Some(leaves) if kept && leaves == gone => Err(format!("segments are gone: {gone}")),
            _ => Ok(()),
        }
    };
    let outcome = case.await;
    place.remove(table).await?;
    outcome.map_err(|error| {
        format!(
            "{act:?} on {:?}, which is {:?} by now: {error}",
            state_of(&read),
            is.as_ref().map(state_of)
        )
    })
}

trait Segments {
    async fn segments_of(&self, place: &ReplicaFixture) -> Result<Vec<SegmentRow>, String>;
}

impl Segments for Table {
    async fn segments_of(&self, place: &ReplicaFixture) -> Result<Vec<SegmentRow>, String> {
        let rows = self
            .all(&place.key().pk, &SegmentRow::prefix(&place.target))
            .await;
        let rows = rows.and_then(Rows::complete);
        rows.map_err(|error| error.to_string())
    }
}

#[tokio::test]
async fn every_write_is_what_the_rule_makes_of_it() {
    let table = &table().await;
    let mut cases = Vec::new();
    for act in Act::ALL {
        for read in SHAPES {
            let place = ReplicaFixture::new();
            let read = place.replica(read);
            let same = Some(read.clone());
            cases.push(async move { write(table, act, read, same, &place).await });
        }
    }
    all(cases, 50).await;
}

/// A worker that reads first and writes later finds the replica as others have left it.
#[tokio::test]
async fn a_write_that_is_late_is_what_the_rule_makes_of_it_then() {
    let table = &table().await;
    let mut cases = Vec::new();
    for act in Act::ALL {
        for read in SHAPES {
            for is in SHAPES.map(Some).into_iter().chain([None]) {
                if is == Some(read) {
                    continue;
                }
                let place = ReplicaFixture::new();
                let (read, is) = (place.replica(read), is.map(|is| place.replica(is)));
                cases.push(async move { write(table, act, read, is, &place).await });
            }
        }
    }
    all(cases, 300).await;
}

/// A replica that lost its bytes since it was read waits for others than those that were looked at.
#[tokio::test]
async fn a_replica_that_waits_for_other_bytes_by_now() {
    let table = &table().await;
    let mut cases = Vec::new();
    for act in [Act::Begin, Act::Arrive, Act::Remove, Act::Redrive, Act::Lose] {
        for shape in SHAPES {
            let place = ReplicaFixture::new();
            let read = place.replica(shape);
            let is = ReplicaRow {
                since: now() - jiff::SignedDuration::from_mins(1),
                ..read.clone()
            };
            cases.push(async move { write(table, act, read, Some(is), &place).await });
        }
    }
    all(cases, 30).await;
}

/// Two writes at the same moment: it is as if one had come after the other, whichever.
async fn race(
    table: &Table,
    one: Act,
    other: Act,
    read: ReplicaRow,
    place: &ReplicaFixture,
) -> Result<(), String> {
    let case = async {
        put_world(table, place, Some(&read)).await?;
        let (first, second) = join!(one.perform(table, &read), other.perform(table, &read));
        let outcomes = (first?, second?);
        let order = |first: Act, second: Act| {
            let (one, between, copied) = first.rule(&read, Some(&read));
            if first == Act::Record && second == first && one == ExpectedResult::Done {
                // The same segment is recorded once.
                return ((one, ExpectedResult::Conflict), between, copied);
            }
            let (other, after, more) = second.rule(&read, between.as_ref());
            ((one, other), after, copied + more)
        };
        let swapped = |((one, other), after, copied)| ((other, one), after, copied);
        let mut orders = vec![order(one, other), swapped(order(other, one))];
        // A worker that gives up what was available or had failed a moment ago notes that it failed, and
        // leaves it to go on. It says what it is then.
        let noted = |act| if act == Act::GiveUp { Act::Note } else { act };
        let said = |act, by_rule, really| if act == Act::GiveUp { really } else { by_rule };
        for ((first, second), after, copied) in [
            order(noted(one), noted(other)),
            swapped(order(noted(other), noted(one))),
        ] {
            let said = (said(one, first, outcomes.0), said(other, second, outcomes.1));
            orders.push((said, after, copied));
        }
        let mut wrong = Vec::new();
        for (said, after, copied) in orders {
            let counters = counters_of(after.as_ref()).copied(copied);
            match check(table, place, after.as_ref(), counters).await {
                Ok(()) if said == outcomes => return Ok(()),
                Ok(()) => wrong.push(format!("they gave {outcomes:?}, the rule {said:?}")),
                Err(error) => wrong.push(error),
            }
        }
        Err(wrong.join("; nor "))
    };
    let outcome = Box::pin(case).await;
    place.remove(table).await?;
    outcome.map_err(|error| format!("{one:?} and {other:?} at once on {:?}: {error}", state_of(&read)))
}

#[tokio::test]
async fn two_writes_at_once_are_one_after_the_other() {
    let table = &table().await;
    let mut cases = Vec::new();
    for (index, one) in Act::ALL.into_iter().enumerate() {
        for other in Act::ALL.into_iter().skip(index) {
            for shape in SHAPES {
                let place = ReplicaFixture::new();
                let read = place.replica(shape);
                cases.push(async move { race(table, one, other, read, &place).await });
            }
        }
    }
    all(cases, 250).await;
}

#[tokio::test]
async fn a_replica_comes_into_being_once_and_is_counted_once() {
    let table = table().await;
    let place = ReplicaFixture::new();
    let blob = place.blob_row();
    let write = async || {
        let writes = create(&blob, &[place.member()], Conflict::ReplicaChanged, now());
        table.transact(writes.unwrap()).await
    };
    write().await.unwrap();
    let pending = ReplicaRow::pending(&place.blob, ReplicaFixture::SIZE, &place.member(), now());
    check(&table, &place, Some(&pending), counters_of(Some(&pending)))
        .await
        .unwrap();
    let again = write().await;
    assert!(
        matches!(
            again,
            Err(StoreError {
                kind: ErrorKind::Conflict(Conflict::ReplicaChanged),
                ..
            })
        ),
        "{again:?}"
    );
    check(&table, &place, Some(&pending), counters_of(Some(&pending)))
        .await
        .unwrap();
    let row: ReplicaCountersRow = table.get(&place.counters_key()).await.unwrap().unwrap();
    assert_eq!(
        row.counters,
        ReplicaCounters::moved(None, Some(State::Pending), ReplicaFixture::SIZE)
    );
    place.remove(&table).await.unwrap();
}

/// What a message comes to that a worker was too slow with.
#[tokio::test]
async fn a_segment_is_recorded_once_and_only_for_its_multipart_upload() {
    let table = table().await;
    let place = ReplicaFixture::new();
    let read = place.replica((State::Copying, true));
    put_world(&table, &place, Some(&read)).await.unwrap();
    assert_eq!(
        Act::Record.perform(&table, &read).await.unwrap(),
        ExpectedResult::Done
    );
    assert_eq!(
        Act::Record.perform(&table, &read).await.unwrap(),
        ExpectedResult::Conflict
    );
    let mut other = read.clone();
    other.multipart_id = Some("of another worker".to_owned());
    assert_eq!(
        Act::Record.perform(&table, &other).await.unwrap(),
        ExpectedResult::Conflict
    );
    let (_, after, copied) = Act::Record.rule(&read, Some(&read));
    check(
        &table,
        &place,
        after.as_ref(),
        counters_of(after.as_ref()).copied(copied),
    )
    .await
    .unwrap();
    place.remove(&table).await.unwrap();
}
