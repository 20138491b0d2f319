//! Targets: circuits as `domain::circuit::Circuit` says, and places for workers, of which there are only so many.

use crate::stack::table;
use crate::{Item, all, put};
use domain::circuit::{Admission, Circuit, FIRST_WAIT, OPEN_AFTER};
use domain::id::{AccountId, NodeId};
use domain::name::Name;
use domain::targets::roster::Roster;
use futures::future::join_all;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use std::collections::BTreeSet;
use store::Table;
use store::rows::{CircuitRow, NodeRow, SlotRow, new_id, target_partition};
use store::table::Row;

fn now() -> Timestamp {
    "2200-01-01T00:00:00Z".parse().unwrap()
}

fn after(seconds: i64) -> Timestamp {
    now() + SignedDuration::from_secs(seconds)
}

fn new_target() -> String {
    let id: domain::id::BlobId = new_id();
    format!("t-{}", &id.as_str()[..24])
}

async fn remove(table: &Table, target: &str) {
    let keys = table.keys(&target_partition(target)).await.unwrap();
    table.delete_all(&keys).await.unwrap();
}

/// All small circuits.
fn circuits() -> Vec<Circuit> {
    let mut all = Vec::new();
    for failures in [0, 1, OPEN_AFTER - 1, OPEN_AFTER] {
        for trips in [0, 2] {
            for (open_until, probing) in [
                (None, false),
                (Some(after(-1)), false),
                (Some(now()), true),
                (Some(after(5)), false),
                (Some(after(5)), true),
            ] {
                all.push(Circuit {
                    failures,
                    trips,
                    open_until,
                    probing,
                });
            }
        }
    }
    all
}

/// What is asked or told, and what came of it.
#[derive(Debug, Clone, Copy)]
enum Turn {
    Ask,
    Well,
    Failed { for_good: bool },
}

const TURNS: [Turn; 4] = [
    Turn::Ask,
    Turn::Well,
    Turn::Failed { for_good: false },
    Turn::Failed { for_good: true },
];

/// One turn on a circuit that is written as `before`, or was never written.
async fn turn(table: &Table, before: Option<Circuit>, turn: Turn) -> Result<(), String> {
    let target = &new_target();
    if let Some(before) = before {
        let mut attributes = serde_json::to_value(before).unwrap();
        attributes["target"] = json!(target);
        attributes["reason"] = json!("an old one");
        attributes["version"] = json!(4);
        let item = Item::new(&CircuitRow::key_of(target), attributes);
        put(table, &[&item]).await.map_err(|error| error.to_string())?;
    }
    let circuit = before.unwrap_or_default();
    let failed = |error: store::StoreError| error.to_string();
    let (said, rule, next, reason) = match turn {
        Turn::Ask => {
            let said = table.ask_circuit(target, now()).await.map_err(failed)?;
            let (admission, next) = circuit.ask(now());
            (
                format!("{said:?}"),
                format!("{:?}", (admission, next.unwrap_or(circuit))),
                next,
                Some("an old one"),
            )
        }
        Turn::Well => {
            let said = table.tell_circuit(target, None, now()).await.map_err(failed)?;
            let next = circuit.succeeded();
            (
                format!("{said:?}"),
                format!("{:?}", next.unwrap_or(circuit)),
                next,
                None,
            )
        }
        Turn::Failed { for_good } => {
            let failure = Some((for_good, "a new one"));
            let said = table.tell_circuit(target, failure, now()).await.map_err(failed)?;
            let next = circuit.failed(for_good, now());
            (
                format!("{said:?}"),
                format!("{next:?}"),
                Some(next),
                Some("a new one"),
            )
        }
    };
    let row = table.circuit(target).await.map_err(failed)?;
    remove(table, target).await;
    let what = format!("{turn:?} on {before:?}");
    if said != rule {
        return Err(format!("{what}: it gave {said}, the rule {rule}"));
    }
    let was = before.map_or(0, |_| 4);
    let expected = match next {
        Some(next) => (next, was + 1, reason),
        None => (circuit, was, before.map(|_| "an old one")),
    };
    let is = (row.circuit, row.version, row.reason.as_deref());
    if is == expected {
        Ok(())
    } else {
        Err(format!("{what}: there is {is:?}, expected was {expected:?}"))
    }
}

#[tokio::test]
async fn a_circuit_turns_as_the_rule_says() {
    let table = &table().await;
    let mut cases = Vec::new();
    for before in circuits().into_iter().map(Some).chain([None]) {
        cases.extend(TURNS.map(|next| turn(table, before, next)));
    }
    all(cases, 160).await;
}

#[tokio::test]
async fn one_of_many_workers_is_the_probe() {
    let table = table().await;
    let target = new_target();
    table
        .tell_circuit(&target, Some((true, "no keys")), now())
        .await
        .unwrap();
    let first = now() + FIRST_WAIT;
    let (waits, _) = table.ask_circuit(&target, now()).await.unwrap();
    assert_eq!(waits, Admission::Wait(first));
    let asked = join_all((0..12).map(|_| table.ask_circuit(&target, first))).await;
    let admissions: Vec<Admission> = asked.into_iter().map(|asked| asked.unwrap().0).collect();
    let probes = admissions
        .iter()
        .filter(|admission| **admission == Admission::Probe);
    assert_eq!(probes.count(), 1, "{admissions:?}");
    assert!(!admissions.contains(&Admission::Go), "{admissions:?}");
    remove(&table, &target).await;
}

#[tokio::test]
async fn many_failures_at_once_open_the_circuit() {
    let table = table().await;
    let target = new_target();
    let tells = (0..2 * OPEN_AFTER).map(|_| table.tell_circuit(&target, Some((false, "slow")), now()));
    for told in join_all(tells).await {
        told.unwrap();
    }
    let row = table.circuit(&target).await.unwrap();
    assert!(row.circuit.is_open(), "{row:?}");
    assert_eq!(
        (row.circuit.trips, row.reason.as_deref()),
        (1, Some("slow")),
        "{row:?}"
    );
    remove(&table, &target).await;
}

#[tokio::test]
async fn a_target_has_only_so_many_places() {
    let table = table().await;
    let target = new_target();
    let takes = ["a", "b", "c", "d", "e", "f", "g", "h"];
    let until = after(30);
    let taken = join_all(takes.map(|holder| table.take_slot(&target, 3, holder, now(), until))).await;
    let taken: Vec<(&str, u16)> = takes
        .into_iter()
        .zip(taken)
        .filter_map(|(holder, slot)| Some((holder, slot.unwrap()?)))
        .collect();
    let slots: BTreeSet<u16> = taken.iter().map(|(_, slot)| *slot).collect();
    assert_eq!((taken.len(), slots), (3, BTreeSet::from([0, 1, 2])), "{taken:?}");
    // Nobody else can keep it, or give it back.
    let (holder, slot) = taken[0];
    assert!(!table.keep_slot(&target, slot, "z", after(60)).await.unwrap());
    table.free_slot(&target, slot, "z").await.unwrap();
    assert_eq!(
        table.take_slot(&target, 3, "z", now(), until).await.unwrap(),
        None
    );
    // Whoever says that it is alive keeps it; the others' are free when their time is over.
    assert!(table.keep_slot(&target, slot, holder, after(60)).await.unwrap());
    let later = after(31);
    let late = ["x", "y", "z"].map(|holder| table.take_slot(&target, 3, holder, later, after(90)));
    let late: Vec<_> = join_all(late)
        .await
        .into_iter()
        .filter_map(Result::unwrap)
        .collect();
    assert_eq!(late.len(), 2, "{late:?}");
    assert!(!late.contains(&slot), "{late:?}");
    // DynamoDB does not take away what is kept.
    let row: SlotRow = table.get(&SlotRow::key_of(&target, slot)).await.unwrap().unwrap();
    let item: Item = table.get(&SlotRow::key_of(&target, slot)).await.unwrap().unwrap();
    assert_eq!(row.until, after(60).as_millisecond());
    assert_eq!(item.0["ttl"], after(60).as_second());
    // What is given back is free at once.
    table.free_slot(&target, slot, holder).await.unwrap();
    assert_eq!(
        table.take_slot(&target, 3, "w", later, after(90)).await.unwrap(),
        Some(slot)
    );
    assert!(!table.keep_slot(&target, slot, holder, after(120)).await.unwrap());
    remove(&table, &target).await;
}

/// The rate and the rest of what is known about a target are read back as they were written.
#[tokio::test]
async fn a_target_says_how_it_is_doing() {
    let table = table().await;
    let target = new_target();
    table.sample(&target, 1000, now()).await.unwrap();
    table.sample(&target, 4000, after(60)).await.unwrap();
    table
        .tell_circuit(&target, Some((true, "no keys")), now())
        .await
        .unwrap();
    let status = table.target_status(&target, after(100)).await.unwrap();
    // Nothing has been counted by the tally: no rate is below nothing.
    assert_eq!((status.bytes_per_second, status.oldest), (0, None));
    assert!(
        status.tally.is_empty() && status.circuit.circuit.is_open(),
        "{status:?}"
    );
    for minute in 2..10 {
        table.sample(&target, 4000, after(60 * minute)).await.unwrap();
    }
    let row: store::rows::SamplesRow = table
        .get(&store::rows::SamplesRow::key_of(&target))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(row.samples.len(), store::rows::SamplesRow::KEPT);
    assert_eq!(row.samples.last(), Some(&(after(540), 4000)));
    remove(&table, &target).await;
}

#[tokio::test]
async fn policies_count_however_deep_a_file_is() {
    let table = &table().await;
    let account = new_id();
    // One more than there may be.
    let folders: Vec<NodeId> = (0..=100).map(|_| new_id()).collect();
    let mut rows = Vec::new();
    for (depth, id) in folders.iter().enumerate() {
        let node = NodeRow {
            id: id.clone(),
            account: AccountId::clone(&account),
            name: Name::try_from(format!("f{depth}")).unwrap(),
            parent: depth.checked_sub(1).map(|above| folders[above].clone()),
            file: None,
            entries: 1,
            depth: depth as u64 + 1,
            created_at: now(),
            updated_at: now(),
        };
        rows.push(Item::new(&node.key(), serde_json::to_value(&node).unwrap()));
    }
    for chunk in rows.chunks(60) {
        put(table, &chunk.iter().collect::<Vec<_>>()).await.unwrap();
    }
    let roster: Roster = serde_json::from_value(json!({
        "members": [
            { "name": "near", "kind": "ceph", "standing": "active" },
            { "name": "far", "kind": "oss", "standing": "active" },
        ],
        "policies": [{ "folder": ["f0"], "targets": ["far"] }],
    }))
    .unwrap();
    let applies = async |parent: Option<&NodeId>| {
        let targets = table.targets_for(&roster, &account, parent).await.unwrap();
        targets.into_iter().map(|member| member.name).collect::<Vec<_>>()
    };
    assert_eq!(applies(folders.get(99)).await, ["far"]);
    // What somebody made by hand: too deep, or in a ring. It comes to an end.
    assert_eq!(applies(folders.last()).await, ["near", "far"]);
    let mut ring = rows[0].clone();
    ring.0.insert("parent".to_owned(), json!(folders[50]));
    put(table, &[&ring]).await.unwrap();
    assert_eq!(applies(folders.get(99)).await, ["near", "far"]);
    put(table, &[&rows[0]]).await.unwrap();
    assert_eq!(applies(folders.first()).await, ["far"]);
    assert_eq!(applies(None).await, ["near", "far"]);
    let keys: Vec<_> = rows.iter().map(Item::key).collect();
    table.delete_all(&keys).await.unwrap();
}
