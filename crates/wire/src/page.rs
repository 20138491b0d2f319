//! Lists.

use schemars::JsonSchema;
use serde::Serialize;

/// Some items, and where the next ones begin.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "{T}List")]
pub struct Items<T> {
    /// The items.
    pub items: Vec<T>,
    /// What to pass as `cursor` for the next ones; `null` at the end.
    pub next_cursor: Option<String>,
    /// How many things that belong here cannot be read, and are missing; absent when none is. The log of the function has
    /// their keys.
    #[serde(skip_serializing_if = "is_none")]
    pub skipped: usize,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde wants it so")]
pub(crate) fn is_none(count: &usize) -> bool {
    *count == 0
}
