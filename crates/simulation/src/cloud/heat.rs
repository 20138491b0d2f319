//! Which partitions of the table and of its indexes are hot: what each of them takes, write by write.
//!
//! What DynamoDB says that a call consumed is not said by partition. So each item that a call writes is looked at before and after: the
//! table's units follow from its size, and an index is written where the item's key in it has changed.

use crate::Usage;
use crate::dynamodb::size_of;
use crate::dynamodb::table::INDEXES;
use serde_json::Value;
use std::collections::BTreeMap;

/// What one partition took.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Taken {
    /// Read units.
    pub reads: f64,
    /// Write units.
    pub writes: f64,
    /// The most read units of a second.
    pub most_reads: f64,
    /// The most write units of a second.
    pub most_writes: f64,
    /// A second, and what was taken in it so far.
    second: (i64, f64, f64),
}

impl Taken {
    fn add(&mut self, second: i64, reads: f64, writes: f64) {
        if self.second.0 != second {
            self.second = (second, 0.0, 0.0);
        }
        self.reads += reads;
        self.writes += writes;
        self.second.1 += reads;
        self.second.2 += writes;
        self.most_reads = self.most_reads.max(self.second.1);
        self.most_writes = self.most_writes.max(self.second.2);
    }
}

/// What each partition took, by its key. Those of an index have its name before them: `due/17`.
#[derive(Debug, Clone, Default)]
pub struct Heat {
    /// All that took anything.
    pub partitions: BTreeMap<String, Taken>,
    /// How many transactions there were.
    pub transactions: u64,
    /// How many of them came to an item while another one was at it, by the item's partition: `DynamoDB` refuses those, and they are tried
    /// again. Here none is refused.
    pub met: BTreeMap<String, u64>,
    /// Until when a transaction is at an item, in milliseconds.
    busy: BTreeMap<String, i64>,
}

impl Heat {
    fn add(&mut self, partition: impl Into<String>, second: i64, reads: f64, writes: f64) {
        let taken = self.partitions.entry(partition.into()).or_default();
        taken.add(second, reads, writes);
    }

    /// A call that only reads: its units are shared among the partitions that it names, for hardly an item is larger than a unit.
    pub(super) fn read(&mut self, usage: &Usage, second: i64) {
        let count = u32::try_from(usage.partitions.len()).unwrap_or(u32::MAX).max(1);
        for partition in &usage.partitions {
            self.add(partition, second, usage.read_units / f64::from(count), 0.0);
        }
    }

    /// A transaction, which is at its items for so many milliseconds.
    pub(super) fn transaction(&mut self, writes: &[Write], now: i64, takes: i64) {
        if !writes.iter().any(|write| write.factor > 1.0) {
            return;
        }
        self.transactions += 1;
        let mut met = None;
        for Write { key, .. } in writes {
            let until = self.busy.insert(key.to_string(), now + takes);
            if until.is_some_and(|until| until > now) {
                met = met.or_else(|| text(&key["pk"]));
            }
        }
        if let Some(partition) = met {
            *self.met.entry(partition).or_default() += 1;
        }
    }

    /// An item that was written, or would have been.
    pub(super) fn written(&mut self, write: &Write, after: &Value, second: i64) {
        let Write { key, factor, before } = write;
        let kibs = (size_of(before).max(size_of(after)) / 1024.0).ceil().max(1.0);
        let partition = text(&key["pk"]).unwrap_or_default();
        self.add(partition, second, 0.0, kibs * factor);
        for (index, [(hash, _), (range, _)]) in INDEXES {
            let place = |item: &Value| Some((text(&item[hash])?, text(&item[range])?));
            let (before, after) = (place(before), place(after));
            if before != after {
                for (shard, _) in [before, after].into_iter().flatten() {
                    self.add(format!("{index}/{shard}"), second, 0.0, 1.0);
                }
            }
        }
    }
}

/// An item that a call writes.
pub(super) struct Write {
    /// Its key.
    pub(super) key: Value,
    /// What a transaction costs more.
    factor: f64,
    /// What was there.
    pub(super) before: Value,
}

/// The items that a call writes or checks; none of one that only reads.
pub(super) fn writes(
    operation: &str,
    parameters: &Value,
    read: &mut dyn FnMut(&Value) -> Value,
) -> Vec<Write> {
    let all = |list: &Value| list.as_array().cloned().unwrap_or_default();
    let inner = |action: Value| {
        let action = action
            .as_object()
            .and_then(|action| action.values().next().cloned());
        action.unwrap_or_default()
    };
    let (factor, actions) = match operation {
        "DynamoDB PutItem" | "DynamoDB UpdateItem" | "DynamoDB DeleteItem" => (1.0, vec![parameters.clone()]),
        "DynamoDB TransactWriteItems" => {
            let actions = all(&parameters["TransactItems"]);
            (2.0, actions.into_iter().map(inner).collect())
        }
        "DynamoDB BatchWriteItem" => {
            let tables = parameters["RequestItems"].as_object();
            let actions = tables
                .into_iter()
                .flat_map(|tables| tables.values())
                .flat_map(all);
            (1.0, actions.map(inner).collect())
        }
        _ => return Vec::new(),
    };
    let write = |action: Value| {
        let item = action.get("Key").or_else(|| action.get("Item"))?;
        let key = serde_json::json!({ "pk": item["pk"], "sk": item["sk"] });
        let before = read(&key);
        Some(Write { key, factor, before })
    };
    actions.into_iter().filter_map(write).collect()
}

fn text(value: &Value) -> Option<String> {
    let value = value.get("S").or_else(|| value.get("N"))?;
    value.as_str().map(str::to_owned)
}
