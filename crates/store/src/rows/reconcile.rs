//! How far the reconciler is.

use crate::table::{Key, Row};
use domain::reconcile::pass::Progress;
use serde::{Deserialize, Serialize};

/// How far the reconciler is. There is one.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct ReconcileRow {
    /// The pass under way, and what came of the last one.
    pub progress: Progress,
    /// Counts the writes of this row.
    pub version: u64,
}

impl ReconcileRow {
    /// Where it is.
    #[must_use]
    pub fn key_of() -> Key {
        Key {
            pk: "RECONCILE".to_owned(),
            sk: "RECONCILE".to_owned(),
        }
    }
}

impl Row for ReconcileRow {
    fn key(&self) -> Key {
        Self::key_of()
    }
}
