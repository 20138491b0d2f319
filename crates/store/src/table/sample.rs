//! The rows of the sample world (`events/sample/`) are exactly what the store would write. A row that changes its
//! shape fails here until the sample follows.

use super::{Item, Row, due_attributes, from_item, to_item};
use crate::StoreError;
use crate::rows::{
    AccountRow, BlobRow, ClaimRow, ContentRow, EntryRow, HoldingRow, KeyRow, LedgerRow, NodeRow, ReplicaRow,
    UploadRow, UsernameRow,
};
use serde_json::Value;
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
        "NODE" => again::<NodeRow>(item),
        "ENTRY" => again::<EntryRow>(item),
        "HOLDS" => again::<HoldingRow>(item),
        "UPLOAD" if sk == ClaimRow::SK => again::<ClaimRow>(item),
        "UPLOAD" => again::<UploadRow>(item),
        "KEY" => again::<KeyRow>(item),
        "CONTENT" => again::<ContentRow>(item),
        "LEDGER" => again::<LedgerRow>(item),
        "REPLICA" => again::<ReplicaRow>(item),
        "BLOB" => {
            let blob: BlobRow = from_item(item)?;
            let mut item = to_item(&blob)?;
            // A blob becomes due by an update, which writes this besides.
            if let Some(at) = blob.life().examine_at {
                item.extend(due_attributes(&blob.key(), at));
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
        let live = of(account, UploadRow::PREFIX)
            .into_iter()
            .filter(|upload| upload["ended_at"].is_null())
            .filter_map(|upload| upload["size"].as_u64());
        let used = account["quota_bytes"].as_u64().unwrap() - account["free_bytes"].as_u64().unwrap();
        assert_eq!(used, files.sum::<u64>() + live.sum::<u64>(), "{account}");
    }
    assert_eq!(count, 2);
}
