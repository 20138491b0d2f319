//! What was asked of AWS, as it is priced.

use crate::Usage;
use std::collections::BTreeMap;

/// All requests to AWS since the beginning, by functions and by clients. Requests to targets do not count.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Counts {
    /// Requests by service and operation: `S3 UploadPart`.
    pub requests: BTreeMap<String, u64>,
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
    pub(super) fn request(&mut self, operation: String) {
        *self.requests.entry(operation).or_default() += 1;
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
            let count = count - before.requests.get(name).copied().unwrap_or_default();
            (name.clone(), count)
        });
        Self {
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
