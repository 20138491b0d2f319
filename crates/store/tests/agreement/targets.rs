//! Targets: circuits as `domain::circuit::Circuit` says, and places for workers, of which there are only so many.

use crate::stack::{new_id, table};
use crate::{Item, all, put};
use domain::circuit::{Admission, Circuit, FIRST_WAIT, News, OPEN_AFTER, PROBE_TIME, Probe};
use domain::id::{AccountId, NodeId};
use domain::name::Name;
use domain::targets::registry::TargetRegistry;
use futures::future::join_all;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use std::collections::BTreeSet;
use store::Table;
use store::rows::{CircuitRow, NodeRow, SlotRow, target_partition};
use store::table::Row;
use store::targets::Told;

fn now() -> Timestamp {
    "2200-01-01T00:00:00Z".parse().unwrap()
}

fn after(seconds: i64) -> Timestamp {
    now() + SignedDuration::from_secs(seconds)
}

const REFUSED: News = News::Failed { for_good: true };

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

/// What is asked or told.
#[derive(Debug, Clone, Copy)]
enum Turn {
    Ask,
    /// By the probe that is under way, or by another one.
    Tell(News, bool),
}

fn turns() -> Vec<Turn> {
    let failed = |for_good| News::Failed { for_good };
    let news = [News::Well, News::Unasked, failed(false), failed(true)];
    let told = news
        .into_iter()
        .flat_map(|news| [false, true].map(|by_probe| Turn::Tell(news, by_probe)));
    [Turn::Ask].into_iter().chain(told).collect()
}

/// The probe that a circuit knows as being under way, if it says that one is.
fn probe_of(circuit: &Circuit) -> Option<Probe> {
    let began = circuit.open_until? - PROBE_TIME;
    let before = Circuit {
        open_until: Some(began),
        ..*circuit
    };
    match before.ask(began) {
        (Admission::Probe(probe), _) => Some(probe),
        _ => None,
    }
}

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
    let old = before.map(|_| "an old one");
    let (said, rule, next, reason) = match turn {
        Turn::Ask => {
            let said = table.circuits().ask(target, now()).await.map_err(failed)?;
            let (admission, next) = circuit.ask(now());
            (
                format!("{said:?}"),
                format!("{:?}", (admission, next.unwrap_or(circuit))),
                next,
                old,
            )
        }
        Turn::Tell(news, by_probe) => {
            let probe = by_probe.then(|| probe_of(&circuit)).flatten();
            let told = (news, Some("a new one"));
            let said = table
                .circuits()
                .tell(target, told, probe, now())
                .await
                .map_err(failed)?;
            let next = circuit.told(news, probe, now());
            let after = next.unwrap_or(circuit);
            let rule = Told {
                circuit: after,
                turned: after.open_until != circuit.open_until,
            };
            let reason = match news {
                News::Well => None,
                News::Unasked => old,
                News::Failed { .. } => Some("a new one"),
            };
            (format!("{said:?}"), format!("{rule:?}"), next, reason)
        }
    };
    let row = table.circuits().get(target).await.map_err(failed)?;
    remove(table, target).await;
    let what = format!("{turn:?} on {before:?}");
    if said != rule {
        return Err(format!("{what}: it gave {said}, the rule {rule}"));
    }
    let was = before.map_or(0, |_| 4);
    let expected = match next {
        Some(next) => (next, was + 1, reason),
        None => (circuit, was, old),
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
        cases.extend(turns().into_iter().map(|next| turn(table, before, next)));
    }
    all(cases, 360).await;
}

#[tokio::test]
async fn one_of_many_workers_is_the_probe() {
    let table = table().await;
    let target = new_target();
    table
        .circuits()
        .tell(&target, (REFUSED, Some("no keys")), None, now())
        .await
        .unwrap();
    let first = now() + FIRST_WAIT;
    let (waits, _) = table.circuits().ask(&target, now()).await.unwrap();
    assert_eq!(waits, Admission::Wait(first));
    let asked = join_all((0..12).map(|_| table.circuits().ask(&target, first))).await;
    let admissions: Vec<Admission> = asked.into_iter().map(|asked| asked.unwrap().0).collect();
    let probes = admissions
        .iter()
        .filter(|admission| matches!(admission, Admission::Probe(_)));
    assert_eq!(probes.count(), 1, "{admissions:?}");
    assert!(!admissions.contains(&Admission::Go), "{admissions:?}");
    remove(&table, &target).await;
}

#[tokio::test]
async fn many_failures_at_once_open_the_circuit() {
    let table = table().await;
    let target = new_target();
    let tells = (0..2 * OPEN_AFTER).map(|_| {
        let news = News::Failed { for_good: false };
        table.circuits().tell(&target, (news, Some("slow")), None, now())
    });
    let told = join_all(tells).await;
    // One of them sends the probe.
    let turned = told.into_iter().filter(|told| told.as_ref().unwrap().turned);
    assert_eq!(turned.count(), 1);
    let row = table.circuits().get(&target).await.unwrap();
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
    let taken = join_all(takes.map(|holder| table.slots().take(&target, 3, holder, now(), until))).await;
    let taken: Vec<(&str, u16)> = takes
        .into_iter()
        .zip(taken)
        .filter_map(|(holder, slot)| Some((holder, slot.unwrap()?)))
        .collect();
    let slots: BTreeSet<u16> = taken.iter().map(|(_, slot)| *slot).collect();
    assert_eq!((taken.len(), slots), (3, BTreeSet::from([0, 1, 2])), "{taken:?}");
    // Nobody else can keep it, or give it back.
    let (holder, slot) = taken[0];
    assert!(!table.slots().keep(&target, slot, "z", after(60)).await.unwrap());
    table.slots().free(&target, slot, "z").await.unwrap();
    assert_eq!(
        table.slots().take(&target, 3, "z", now(), until).await.unwrap(),
        None
    );
    // A worker that says that it is alive keeps it; the others' are free when their time is over.
    assert!(
        table
            .slots()
            .keep(&target, slot, holder, after(60))
            .await
            .unwrap()
    );
    let later = after(31);
    let late = ["x", "y", "z"].map(|holder| table.slots().take(&target, 3, holder, later, after(90)));
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
    table.slots().free(&target, slot, holder).await.unwrap();
    assert_eq!(
        table
            .slots()
            .take(&target, 3, "w", later, after(90))
            .await
            .unwrap(),
        Some(slot)
    );
    assert!(
        !table
            .slots()
            .keep(&target, slot, holder, after(120))
            .await
            .unwrap()
    );
    remove(&table, &target).await;
}

#[tokio::test]
async fn one_free_place_among_a_hundred_is_found() {
    let table = table().await;
    let target = new_target();
    let until = after(30).as_millisecond();
    let slots: Vec<SlotRow> = (0..100)
        .map(|slot| SlotRow {
            target: target.clone(),
            slot,
            holder: Some(format!("w{slot}")),
            until,
        })
        .collect();
    let items: Vec<Item> = slots
        .iter()
        .map(|row| Item::new(&row.key(), serde_json::to_value(row).unwrap()))
        .collect();
    put(&table, &items.iter().collect::<Vec<_>>()).await.unwrap();
    let take = |places, holder| table.slots().take(&target, places, holder, now(), after(30));
    assert_eq!(take(100, "z").await.unwrap(), None);
    // One's own counts as free, and so does the only one that nobody has.
    assert_eq!(take(100, "w7").await.unwrap(), Some(7));
    assert!(table.slots().free(&target, 42, "w42").await.unwrap());
    assert_eq!(take(100, "z").await.unwrap(), Some(42));
    remove(&table, &target).await;
}

/// The rate and the rest of what is known about a target are read back as they were written.
#[tokio::test]
async fn a_target_says_how_it_is_doing() {
    let table = table().await;
    let target = new_target();
    table.targets().sample(&target, 1000, now()).await.unwrap();
    table.targets().sample(&target, 4000, after(60)).await.unwrap();
    table
        .circuits()
        .tell(&target, (REFUSED, Some("no keys")), None, now())
        .await
        .unwrap();
    let status = table.targets().status(&target, after(100)).await.unwrap();
    // The counters have counted nothing: no rate is below nothing.
    assert_eq!((status.bytes_per_second, status.oldest), (0, None));
    assert!(
        status.counters.is_empty() && status.circuit.circuit.is_open(),
        "{status:?}"
    );
    for minute in 2..10 {
        table
            .targets()
            .sample(&target, 4000, after(60 * minute))
            .await
            .unwrap();
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
            version: 1,
            created_at: now(),
            updated_at: now(),
            trashed_at: None,
        };
        rows.push(Item::new(&node.key(), serde_json::to_value(&node).unwrap()));
    }
    for chunk in rows.chunks(60) {
        put(table, &chunk.iter().collect::<Vec<_>>()).await.unwrap();
    }
    let target_registry: TargetRegistry = serde_json::from_value(json!({
        "members": [
            { "name": "near", "kind": "ceph", "status": "active" },
            { "name": "far", "kind": "oss", "status": "active" },
        ],
        "policies": [{ "folder": ["f0"], "targets": ["far"] }],
    }))
    .unwrap();
    let applies = async |parent: Option<&NodeId>| {
        let targets = table
            .targets()
            .of_file(&target_registry, &account, parent)
            .await
            .unwrap();
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
