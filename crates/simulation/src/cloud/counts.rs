//! What was asked of AWS, as it is priced.

use crate::Usage;
use std::collections::BTreeMap;
use std::time::Duration;

/// What a function was invoked for.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Invoked {
    /// How often.
    pub requests: u64,
    /// For how long. True only where calls take as long as is assumed.
    pub seconds: f64,
    /// The same times its memory: GiB-seconds.
    pub gib_seconds: f64,
}

/// All requests to AWS since the beginning, by functions, by clients, and by Lambda for messages. Requests to targets do not count.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Counts {
    /// Requests by service and operation: `S3 UploadPart`. Those by which Lambda receives and deletes messages have its name after them:
    /// `SQS ReceiveMessage by Lambda`.
    pub requests: BTreeMap<String, u64>,
    /// The functions that were invoked.
    pub functions: BTreeMap<String, Invoked>,
    /// `DynamoDB`'s read units.
    pub read_units: f64,
    /// `DynamoDB`'s write units.
    pub write_units: f64,
    /// Units of both kinds by index; those of the table are under its own name.
    pub by_index: BTreeMap<String, f64>,
    /// Units of both kinds by partition key: those of a call are shared among the partitions that it names. Those of an index
    /// have its name before them.
    pub by_partition: BTreeMap<String, f64>,
}

impl Counts {
    pub(crate) fn request(&mut self, operation: impl Into<String>) {
        *self.requests.entry(operation.into()).or_default() += 1;
    }

    /// An invocation of a function with so much memory.
    #[expect(clippy::cast_precision_loss, reason = "a function has some gigabytes at most")]
    pub(crate) fn invocation(&mut self, function: &str, took: Duration, memory_mib: u64) {
        let of_it = self.functions.entry(function.to_owned()).or_default();
        of_it.requests += 1;
        of_it.seconds += took.as_secs_f64();
        of_it.gib_seconds += took.as_secs_f64() * memory_mib as f64 / 1024.0;
    }

    #[expect(
        clippy::cast_precision_loss,
        reason = "a call names a hundred partitions at most"
    )]
    pub(super) fn units(&mut self, usage: &Usage) {
        self.read_units += usage.read_units;
        self.write_units += usage.write_units;
        for (index, units) in &usage.by_index {
            *self.by_index.entry(index.clone()).or_default() += units;
        }
        let share = (usage.read_units + usage.write_units) / usage.partitions.len().max(1) as f64;
        for partition in &usage.partitions {
            *self.by_partition.entry(partition.clone()).or_default() += share;
        }
    }

    /// Both together. By indexes and partitions they are not kept.
    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        let mut sum = self.clone();
        for (name, count) in &other.requests {
            *sum.requests.entry(name.clone()).or_default() += count;
        }
        for (name, more) in &other.functions {
            let of_it = sum.functions.entry(name.clone()).or_default();
            of_it.requests += more.requests;
            of_it.seconds += more.seconds;
            of_it.gib_seconds += more.gib_seconds;
        }
        sum.read_units += other.read_units;
        sum.write_units += other.write_units;
        sum.by_index.clear();
        sum.by_partition.clear();
        sum
    }

    /// What came after `before`.
    #[must_use]
    pub fn since(&self, before: &Self) -> Self {
        let less = |all: &BTreeMap<String, f64>, before: &BTreeMap<String, f64>| {
            let rest = all.iter().map(|(name, units)| {
                let units = units - before.get(name).copied().unwrap_or_default();
                (name.clone(), units)
            });
            rest.filter(|(_, units)| *units > 0.0).collect()
        };
        let requests = self.requests.iter().map(|(name, count)| {
            let count = count.saturating_sub(before.requests.get(name).copied().unwrap_or_default());
            (name.clone(), count)
        });
        let functions = self.functions.iter().map(|(name, all)| {
            let before = before.functions.get(name).copied().unwrap_or_default();
            let rest = Invoked {
                requests: all.requests.saturating_sub(before.requests),
                seconds: all.seconds - before.seconds,
                gib_seconds: all.gib_seconds - before.gib_seconds,
            };
            (name.clone(), rest)
        });
        Self {
            functions: functions.filter(|(_, rest)| rest.requests > 0).collect(),
            requests: requests.filter(|(_, count)| *count > 0).collect(),
            read_units: self.read_units - before.read_units,
            write_units: self.write_units - before.write_units,
            by_index: less(&self.by_index, &before.by_index),
            by_partition: less(&self.by_partition, &before.by_partition),
        }
    }

    /// The partitions that took the most units, the first one most.
    #[must_use]
    pub fn hottest(&self, how_many: usize) -> Vec<(&str, f64)> {
        let mut all: Vec<_> = self
            .by_partition
            .iter()
            .map(|(key, units)| (key.as_str(), *units))
            .collect();
        all.sort_by(|(_, one), (_, other)| other.total_cmp(one));
        all.truncate(how_many);
        all
    }
}
