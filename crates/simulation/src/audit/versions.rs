//! Earlier contents of files.

use super::{Audit, own_number, text};
use serde_json::Value;
use std::collections::BTreeSet;

impl Audit<'_> {
    /// Each version is one of a file that got another content since, has a number of its own, and goes in the end. Returns all of
    /// them.
    pub(super) fn versions(&mut self, pk: &str, nodes: &[Value]) -> Vec<Value> {
        let versions = self.of_partition(pk, "VERSION#");
        let now = self.world.cloud.now();
        let mut numbers = BTreeSet::new();
        for version in &versions {
            let of = |node: &&Value| node["id"] == version["node"] && !node["file"].is_null();
            let is_earlier = nodes
                .iter()
                .find(of)
                .is_some_and(|node| own_number(&version["file"]) < own_number(&node["file"]));
            self.must(is_earlier, || {
                format!("{pk}: a version of no file that has a later content: {version}")
            });
            let is_new = numbers.insert((text(version, "node"), own_number(&version["file"])));
            self.must(is_new, || {
                format!("{pk}: there are two of this number: {version}")
            });
            let is_due = |at: u64| i64::try_from(at).is_ok_and(|at| at <= now.as_second());
            let stays = match version["due_at"].as_u64() {
                Some(at) => version["file"]["kept"].is_null() && !is_due(at),
                None => version["file"]["kept"] == true,
            };
            self.must(stays, || {
                format!("{pk}: nobody has removed it, or will: {version}")
            });
        }
        versions
    }
}
