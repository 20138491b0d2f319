//! The rows of the sample world (`events/sample/`) are exactly what the store would write. A row that changes its
//! shape fails here until the sample follows.

use super::class;
use super::row::{Item, Row, from_item, to_item};
use crate::StoreError;
use crate::key::Key;
use crate::rows::{
    AccountRow, BlobRow, CircuitRow, ContentReferenceRow, ContentRow, EntryRow, FolderChangesRow, FolderRow,
    InvitationRow, KeyRow, NodeRow, PartDigestsRow, ReplicaCountersRow, ReplicaRow, SamplesRow, SessionRow,
    TargetRegistryRow, TokenRow, TrashRow, UploadOwnerRow, UploadRow, UsernameRow, VersionRow,
};
use aws_sdk_dynamodb::types::AttributeValue;
use domain::circuit::News;
use domain::replica::{ReplicaCounters, State};
use domain::targets::Config;
use domain::targets::registry::TargetRegistry;
use jiff::Timestamp;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// All rows of the sample world.
fn rows() -> Vec<Value> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../events/sample");
    let worlds = ["ann.json", "bob.json"].map(|name| fs::read(folder.join(name)).unwrap());
    let worlds = worlds.map(|text| serde_json::from_slice::<Value>(&text).unwrap());
    let rows = worlds.iter().flat_map(|world| world["rows"].as_array().unwrap());
    rows.cloned().collect()
}

/// An item as the store would write it, after reading `item` as a row of its kind.
fn written(item: Item) -> Result<Item, StoreError> {
    fn again<R: Row>(item: Item) -> Result<Item, StoreError> {
        to_item(&from_item::<R>(item)?)
    }
    let sk = item["sk"].as_s().unwrap().clone();
    match sk.split('#').next().unwrap_or_default() {
        "ACCOUNT" => again::<AccountRow>(item),
        "USERNAME" => again::<UsernameRow>(item),
        "SESSION" => again::<SessionRow>(item),
        "TOKEN" => again::<TokenRow>(item),
        "INVITATION" => again::<InvitationRow>(item),
        "NODE" => again::<NodeRow>(item),
        "ENTRY" => again::<EntryRow>(item),
        "FOLDER" => again::<FolderRow>(item),
        "FOLDERS" => again::<FolderChangesRow>(item),
        "TRASH" => again::<TrashRow>(item),
        "VERSION" => again::<VersionRow>(item),
        "HAS_CONTENT" => again::<ContentReferenceRow>(item),
        "UPLOAD" if sk == UploadOwnerRow::SK => again::<UploadOwnerRow>(item),
        "UPLOAD" => again::<UploadRow>(item),
        "KEY" => again::<KeyRow>(item),
        "CONTENT" => again::<ContentRow>(item),
        "DIGESTS" => again::<PartDigestsRow>(item),
        "REPLICA" => again::<ReplicaRow>(item),
        "TARGETS" => again::<TargetRegistryRow>(item),
        "COUNTERS" => again::<ReplicaCountersRow>(item),
        "BLOB" => {
            let blob: BlobRow = from_item(item)?;
            let mut item = to_item(&blob)?;
            // A blob becomes due by an update, which writes this besides.
            if let Some(at) = blob.life().next_check_at {
                item.extend(class::due_attributes(&blob.key(), at));
            }
            Ok(item)
        }
        other => panic!("the sample has a row of an unknown kind: {other}"),
    }
}

#[test]
fn the_sample_rows_are_what_the_store_would_write() {
    let rows = rows();
    assert!(!rows.is_empty());
    for row in rows {
        let item: Item = serde_dynamo::to_item(&row).unwrap();
        assert_eq!(written(item.clone()).unwrap(), item, "{row}");
    }
}

#[test]
fn the_sample_accounts_use_what_their_files_and_live_uploads_take() {
    let rows = rows();
    let of = |account: &Value, prefix: &str| -> Vec<&Value> {
        let prefix = prefix.to_owned();
        rows.iter()
            .filter(|row| row["account"] == account["id"] && row["sk"].as_str().unwrap().starts_with(&prefix))
            .collect()
    };
    let accounts = rows.iter().filter(|row| row["sk"] == "ACCOUNT");
    let mut count = 0;
    for account in accounts {
        count += 1;
        let files = of(account, "NODE#")
            .into_iter()
            .filter_map(|node| node["file"]["size"].as_u64());
        let versions = of(account, VersionRow::PREFIX).into_iter();
        let versions: u64 = versions
            .filter_map(|version| version["file"]["size"].as_u64())
            .sum();
        assert_eq!(account["version_bytes"].as_u64().unwrap_or_default(), versions);
        let live = of(account, UploadRow::PREFIX)
            .into_iter()
            .filter(|upload| upload["ended_at"].is_null())
            .filter_map(|upload| upload["size"].as_u64());
        let used = account["quota_bytes"].as_u64().unwrap() - account["free_bytes"].as_u64().unwrap();
        assert_eq!(
            used,
            files.sum::<u64>() + versions + live.sum::<u64>(),
            "{account}"
        );
        let trash = of(account, TrashRow::PREFIX).into_iter();
        let trash = trash.filter_map(|row| row["bytes"].as_u64()).sum::<u64>();
        assert_eq!(
            account["trash_bytes"].as_u64().unwrap_or_default(),
            trash,
            "{account}"
        );
    }
    assert_eq!(count, 2);
}

#[test]
fn the_sample_tallies_are_how_many_replicas_there_are() {
    let (mut counted, mut there): (BTreeMap<Key, ReplicaCounters>, BTreeMap<Key, ReplicaCounters>) =
        Default::default();
    for row in rows() {
        let sk = row["sk"].as_str().unwrap();
        let item: Item = serde_dynamo::to_item(&row).unwrap();
        if sk == ReplicaCountersRow::SK {
            let row: ReplicaCountersRow = from_item(item).unwrap();
            counted.insert(row.key(), row.counters);
        } else if sk.starts_with(ReplicaRow::PREFIX) {
            let row: ReplicaRow = from_item(item).unwrap();
            let copied = if row.state == State::Available {
                row.size
            } else {
                0
            };
            let counters = ReplicaCounters::moved(None, Some(row.state), row.size).copied(copied);
            *there
                .entry(ReplicaCountersRow::key_of(&row.target, &row.blob))
                .or_default() += counters;
        }
    }
    assert!(!counted.is_empty());
    assert_eq!(counted, there);
}

/// What is flattened into a row is read back as it was written, with all that may be absent and without it.
#[test]
fn flattened_rows_are_read_back_as_they_were_written() {
    fn same<R: Row + std::fmt::Debug>(row: &R) {
        let read: R = from_item(to_item(row).unwrap()).unwrap();
        assert_eq!(format!("{read:?}"), format!("{row:?}"));
    }
    let at = |second| Timestamp::from_second(second).unwrap();
    let mut circuit = CircuitRow {
        target: "ceph".to_owned(),
        version: 3,
        ..CircuitRow::default()
    };
    same(&circuit);
    let refused = News::Failed { for_good: true };
    let opened = circuit.circuit.told(refused, None, at(1_800_000_000));
    circuit.circuit = opened.unwrap();
    circuit.reason = Some("no keys".to_owned());
    same(&circuit);
    let config = r#"{
        "targets": [
            {"name": "a", "kind": "ceph", "endpoint": "http://h", "bucket": "b", "access_key_id": "i",
             "secret_access_key": "s", "draining": true},
            {"name": "o", "kind": "oss", "endpoint": "http://o", "region": "cn-x", "bucket": "b",
             "access_key_id": "i", "secret_access_key": "s", "only_by_policy": true}
        ],
        "policies": [{"targets": ["a"]}, {"account": "acc1", "folder": "/x/y", "targets": []}]
    }"#;
    same(&TargetRegistryRow::default());
    same(&TargetRegistryRow {
        target_registry: TargetRegistry::default().after(&Config::parse(config).unwrap()),
        changed_at: at(1_800_000_000),
        version: 1,
    });
    same(&SamplesRow {
        target: "a".to_owned(),
        samples: vec![(at(1), -1), (at(1_800_000_000), i64::MAX)],
    });
    same(&ReplicaCountersRow {
        counters: ReplicaCounters::moved(Some(State::Failed), Some(State::Available), 7),
        pk: "TARGET#a#00".to_owned(),
        sk: "COUNTERS".to_owned(),
    });
    // Rows that updates bring into being have only what was added to.
    let key = ReplicaCountersRow::key_of("a", &"b1".parse().unwrap());
    let mut item = key.attributes();
    item.insert("pending".to_owned(), AttributeValue::N("2".to_owned()));
    let row: ReplicaCountersRow = from_item(item).unwrap();
    assert_eq!(
        row.counters,
        ReplicaCounters {
            pending: 2,
            ..ReplicaCounters::default()
        }
    );
}
