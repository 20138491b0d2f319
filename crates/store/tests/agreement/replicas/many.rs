//! Many replicas at once: arrivals in few transactions, replicas that are made where they are missing, what a batch reads.

use super::fixture::{ReplicaFixture, Shape, now, part_digests_item, segment, state_of};
use super::{check, counters_of, put_world};
use crate::stack::table;
use crate::{Item, put};
use domain::content::PartDigest;
use domain::replica::{ReplicaCounters, State};
use futures::future::join_all;
use store::replicas::arriving::Arrival;
use store::rows::{BlobRow, ReplicaRow, SegmentRow, WaitingFor};
use store::{Conflict, ErrorKind, StoreError, Table};

fn arrival(replica: &ReplicaRow) -> Arrival {
    Arrival {
        replica: replica.clone(),
        key: "new key".to_owned(),
        checksum: "new sum".to_owned(),
        copied: ReplicaFixture::SIZE,
    }
}

/// So many, most of which are pending.
fn mixed(count: usize) -> Vec<Shape> {
    let shape = |number| match number % 10 {
        3 => (State::Available, false),
        5 => (State::Failed, false),
        7 => (State::Copying, true),
        _ => (State::Pending, false),
    };
    (0..count).map(shape).collect()
}

/// Puts replicas at a target with the counters that belong to all of them. Returns them as they are read.
async fn put_many(table: &Table, target: &str, shapes: &[Shape]) -> Vec<(ReplicaFixture, ReplicaRow)> {
    let mut all_counters: Vec<(ReplicaFixture, ReplicaCounters)> = Vec::new();
    let mut made = Vec::new();
    for shape in shapes {
        let place = ReplicaFixture::at(target);
        let replica = place.replica(*shape);
        put(table, &[&place.item(&replica)]).await.unwrap();
        let same = |(other, _): &&mut (ReplicaFixture, ReplicaCounters)| {
            other.counters_key() == place.counters_key()
        };
        match all_counters.iter_mut().find(same) {
            Some((_, counters)) => *counters += counters_of(Some(&replica)),
            None => all_counters.push((place.clone(), counters_of(Some(&replica)))),
        }
        made.push((place, replica));
    }
    let items: Vec<Item> = all_counters
        .iter()
        .map(|(place, counters)| place.counters_item(*counters))
        .collect();
    put(table, &items.iter().collect::<Vec<_>>()).await.unwrap();
    made
}

async fn remove_all(table: &Table, made: &[(ReplicaFixture, ReplicaRow)]) {
    let removed = join_all(made.iter().map(|(place, _)| place.remove(table))).await;
    assert!(removed.iter().all(Result::is_ok), "{removed:?}");
}

/// More than one transaction takes, some of them twice, some of which arrived before or are gone, at two targets.
#[tokio::test]
async fn many_arrive_at_once_and_each_is_counted_once() {
    let table = &table().await;
    let targets = [ReplicaFixture::new().target, ReplicaFixture::new().target];
    let shapes = mixed(60);
    let mut made = put_many(table, &targets[0], &shapes).await;
    made.extend(put_many(table, &targets[1], &shapes).await);
    // One was removed since it was read, by a drain.
    let (gone, read) = made[0].clone();
    table.replicas().remove(&read).await.unwrap();

    let mut arrivals: Vec<Arrival> = made.iter().map(|(_, replica)| arrival(replica)).collect();
    let twice: Vec<Arrival> = arrivals.iter().take(20).cloned().collect();
    arrivals.extend(twice);
    table.replicas().arrive(arrivals, now()).await.unwrap();

    let mut expected = [ReplicaCounters::default(); 2];
    for (place, before) in &made {
        let is = table.replicas().get(&place.blob, &place.target).await.unwrap();
        if place.blob == gone.blob {
            assert!(is.is_none(), "it came back: {is:?}");
            continue;
        }
        let is = is.unwrap();
        assert_eq!(state_of(&is), (State::Available, false), "{is:?}");
        let again = before.state == State::Available;
        assert_eq!(is.available_at == before.available_at, again, "{is:?}");
        let counters = &mut expected[usize::from(place.target == targets[1])];
        *counters += counters_of(Some(&is));
        if !again {
            *counters = counters.copied(ReplicaFixture::SIZE);
        }
    }
    for (target, expected) in targets.iter().zip(expected) {
        assert_eq!(table.targets().counters(target).await.unwrap(), expected);
        for what in [WaitingFor::Bytes, WaitingFor::Somebody] {
            assert_eq!(table.targets().waiting(target, what, 100).await.unwrap(), []);
        }
    }
    remove_all(table, &made).await;
}

/// Two workers that got the same messages tell of the same arrivals.
#[tokio::test]
async fn the_same_arrivals_from_two_workers_are_counted_once() {
    let table = &table().await;
    let target = ReplicaFixture::new().target;
    let made = put_many(table, &target, &[(State::Pending, false); 30]).await;
    let arrivals: Vec<Arrival> = made.iter().map(|(_, replica)| arrival(replica)).collect();
    let (one, other) = tokio::join!(
        table.replicas().arrive(arrivals.clone(), now()),
        table.replicas().arrive(arrivals, now())
    );
    one.unwrap();
    other.unwrap();
    let mut expected = ReplicaCounters::default();
    for _ in &made {
        expected += ReplicaCounters::moved(None, Some(State::Available), ReplicaFixture::SIZE)
            .copied(ReplicaFixture::SIZE);
    }
    assert_eq!(table.targets().counters(&target).await.unwrap(), expected);
    remove_all(table, &made).await;
}

/// What waits is found, the longest waiting first, and what failed apart from it.
#[tokio::test]
async fn what_waits_is_in_the_index_of_its_target() {
    let table = table().await;
    let target = ReplicaFixture::new().target;
    let shapes = [
        (State::Pending, false),
        (State::Failed, true),
        (State::Available, false),
        (State::Copying, true),
        (State::Failed, false),
    ];
    let made = put_many(&table, &target, &shapes).await;
    for (what, states) in [
        (WaitingFor::Bytes, [State::Pending, State::Copying]),
        (WaitingFor::Somebody, [State::Failed, State::Failed]),
    ] {
        let mut found = table.targets().waiting(&target, what, 10).await.unwrap();
        let mut expected: Vec<_> = made
            .iter()
            .filter(|(_, replica)| states.contains(&replica.state))
            .map(|(place, replica)| (place.key(), replica.since))
            .collect();
        found.sort_by(|a, b| a.0.pk.cmp(&b.0.pk));
        expected.sort_by(|a, b| a.0.pk.cmp(&b.0.pk));
        assert_eq!(found, expected);
    }
    // One that lost its bytes waits from now on, behind the others.
    table.replicas().lose(&made[2].1, "lost", now()).await.unwrap();
    let waiting = table
        .targets()
        .waiting(&target, WaitingFor::Bytes, 10)
        .await
        .unwrap();
    assert_eq!(waiting.len(), 3);
    assert_eq!(waiting[2], (made[2].0.key(), now()));
    let longest = table
        .targets()
        .waiting(&target, WaitingFor::Bytes, 1)
        .await
        .unwrap();
    assert_eq!(longest.len(), 1);
    assert_ne!(longest[0].0, made[2].0.key());
    remove_all(&table, &made).await;
}

#[tokio::test]
async fn replicas_are_added_where_they_are_missing() {
    let table = table().await;
    let (here, there, third) = (
        ReplicaFixture::new(),
        ReplicaFixture::new(),
        ReplicaFixture::new(),
    );
    let blob = &here.blob;
    let at = |place: &ReplicaFixture| ReplicaFixture {
        blob: blob.clone(),
        target: place.target.clone(),
    };
    let (here, there, third) = (at(&here), at(&there), at(&third));
    let members = [here.member(), there.member()];
    // A blob that is not there, or is being reclaimed, gets none.
    assert!(
        table
            .replicas()
            .add(blob, &members, now())
            .await
            .unwrap()
            .is_empty()
    );
    let put_blob = async |reclaiming: bool| {
        let row = BlobRow {
            reclaiming,
            ..here.blob_row()
        };
        let item = Item::new(&BlobRow::key_of(blob), serde_json::to_value(&row).unwrap());
        put(&table, &[&item]).await.unwrap();
    };
    put_blob(true).await;
    assert!(
        table
            .replicas()
            .add(blob, &members, now())
            .await
            .unwrap()
            .is_empty()
    );
    put_blob(false).await;
    let arrived = there.replica((State::Available, false));
    put_world(&table, &there, Some(&arrived)).await.unwrap();
    let made = table.replicas().add(blob, &members, now()).await.unwrap();
    assert_eq!(made, [here.target.as_str()]);
    let pending = ReplicaRow::pending(blob, ReplicaFixture::SIZE, &here.member(), now());
    check(&table, &here, Some(&pending), counters_of(Some(&pending)))
        .await
        .unwrap();
    check(&table, &there, Some(&arrived), counters_of(Some(&arrived)))
        .await
        .unwrap();
    // Several that add the same at the same moment make it once.
    let members = [third.member()];
    let adds = join_all((0..4).map(|_| table.replicas().add(blob, &members, now()))).await;
    let made: Vec<String> = adds.into_iter().flat_map(Result::unwrap).collect();
    assert_eq!(made, [third.target.as_str()]);
    let pending = ReplicaRow::pending(blob, ReplicaFixture::SIZE, &third.member(), now());
    check(&table, &third, Some(&pending), counters_of(Some(&pending)))
        .await
        .unwrap();
    for place in [here, there, third] {
        place.remove(&table).await.unwrap();
    }
}

#[tokio::test]
async fn a_batch_reads_what_its_messages_are_about() {
    let table = table().await;
    let (one, other) = (ReplicaFixture::new(), ReplicaFixture::new());
    let replica = one.replica((State::Pending, false));
    let blob = Item::new(
        &BlobRow::key_of(&one.blob),
        serde_json::to_value(one.blob_row()).unwrap(),
    );
    put(&table, &[&one.item(&replica), &blob, &part_digests_item(&one)])
        .await
        .unwrap();
    // A replica without its blob is none.
    put(&table, &[&other.item(&other.replica((State::Pending, false)))])
        .await
        .unwrap();
    let subject = |place: &ReplicaFixture| (place.blob.clone(), place.target.clone());
    let jobs = table
        .replicas()
        .jobs(&[subject(&one), subject(&other), subject(&one)])
        .await
        .unwrap();
    assert_eq!(jobs.len(), 1, "{jobs:?}");
    let (blob, read) = &jobs[&subject(&one)];
    assert_eq!((&blob.id, read.state), (&one.blob, State::Pending));
    let digests = table
        .replicas()
        .only_digests(&[one.blob.clone(), other.blob.clone()])
        .await
        .unwrap();
    assert_eq!(digests.len(), 1);
    assert_eq!(digests[&one.blob], PartDigest::of(one.blob.as_str().as_bytes()));
    for place in [one, other] {
        place.remove(&table).await.unwrap();
    }
}

/// What waits without a message is found, until it has one. What cannot be read does not keep others from being found.
#[tokio::test]
async fn what_is_parked_is_found_until_it_has_a_message() {
    let table = &table().await;
    let target = ReplicaFixture::new().target;
    let shapes = [
        (State::Pending, false),
        (State::Copying, true),
        (State::Failed, false),
        (State::Available, false),
        (State::Pending, false),
    ];
    let made = put_many(table, &target, &shapes).await;
    for (place, replica) in &made {
        for _ in 0..2 {
            let waits = table.replicas().park(&place.blob, &target).await.unwrap();
            assert_eq!(waits, replica.state.is_under_way(), "{replica:?}");
        }
        let is = table.replicas().get(&place.blob, &target).await.unwrap().unwrap();
        assert_eq!(is.state, replica.state);
        assert!(is.due_at.is_none() || !is.state.is_under_way(), "{is:?}");
    }
    // A segment that was under way is recorded, and leaves its replica where it is, even one read before.
    let (place, before) = &made[1];
    let read = table.replicas().get(&place.blob, &target).await.unwrap().unwrap();
    table
        .replicas()
        .record_segment(&read, &segment(&read), 1, now())
        .await
        .unwrap();
    let again = SegmentRow {
        segment: 7,
        ..segment(before)
    };
    table
        .replicas()
        .record_segment(before, &again, 1, now())
        .await
        .unwrap();
    let is = table.replicas().get(&place.blob, &target).await.unwrap().unwrap();
    assert_eq!((is.segments_done, is.due_at), (read.segments_done + 2, None));
    let (spoilt, read) = &made[4];
    let mut item = spoilt.item(read);
    item.0.insert("size".to_owned(), "many".into());
    item.0.remove("due_at");
    item.0.remove("due_shard");
    put(table, &[&item]).await.unwrap();

    let waiting = table
        .targets()
        .waiting(&target, WaitingFor::Bytes, 10)
        .await
        .unwrap();
    assert_eq!(waiting.len(), 3, "{waiting:?}");
    let keys = || waiting.iter().map(|(key, _)| key.clone());
    let (parked, unreadable) = table.replicas().parked(keys()).await.unwrap();
    assert_eq!((parked.len(), unreadable), (2, 1), "{parked:?}");
    for replica in &parked {
        assert!(table.replicas().unpark(replica, now()).await.unwrap());
        assert!(
            !table.replicas().unpark(replica, now()).await.unwrap(),
            "it has a message"
        );
        let is = table
            .replicas()
            .get(&replica.blob, &target)
            .await
            .unwrap()
            .unwrap();
        assert!(is.due_at.is_some() && is.state == replica.state, "{is:?}");
    }
    assert_eq!(table.replicas().parked(keys()).await.unwrap().0.len(), 0);
    put(table, &[&spoilt.item(read)]).await.unwrap();
    remove_all(table, &made).await;
    let gone = &parked[0];
    assert!(
        !table.replicas().park(&gone.blob, &target).await.unwrap(),
        "it came back"
    );
    assert!(table.replicas().get(&gone.blob, &target).await.unwrap().is_none());
}

/// More than one transaction takes, in every state and at two targets; some are not what was read any more, and stay.
#[tokio::test]
async fn many_are_removed_at_once_and_each_is_counted_once() {
    let table = &table().await;
    let targets = [ReplicaFixture::new().target, ReplicaFixture::new().target];
    let shapes = mixed(50);
    let mut made = put_many(table, &targets[0], &shapes).await;
    made.extend(put_many(table, &targets[1], &shapes).await);
    // One was removed since it was read, and one has arrived.
    table.replicas().remove(&made[0].1).await.unwrap();
    table
        .replicas()
        .arrive(vec![arrival(&made[1].1)], now())
        .await
        .unwrap();
    let replicas: Vec<&ReplicaRow> = made.iter().map(|(_, replica)| replica).collect();
    let removed = table.replicas().remove_many(&replicas).await;
    assert_eq!(removed.len(), made.len());
    for (number, removed) in removed.iter().enumerate() {
        let conflict = matches!(
            removed,
            Err(StoreError {
                kind: ErrorKind::Conflict(Conflict::ReplicaChanged),
                ..
            })
        );
        assert_eq!(conflict, number < 2, "{number}: {removed:?}");
        assert!(conflict || removed.is_ok(), "{number}: {removed:?}");
    }
    for (number, (place, _)) in made.iter().enumerate() {
        let is = table.replicas().get(&place.blob, &place.target).await.unwrap();
        assert_eq!(is.is_some(), number == 1, "{number}: {is:?}");
    }
    let arrived = ReplicaCounters::moved(None, Some(State::Available), ReplicaFixture::SIZE)
        .copied(ReplicaFixture::SIZE);
    for (target, expected) in targets.iter().zip([arrived, ReplicaCounters::default()]) {
        assert_eq!(table.targets().counters(target).await.unwrap(), expected);
    }
    remove_all(table, &made).await;
}
