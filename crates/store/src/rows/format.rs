//! Which version of what is described here the table is written in.

use crate::table::{Key, Row};
use serde::{Deserialize, Serialize};

/// The version of everything that is kept in the table. There is one such row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct FormatRow {
    /// The version.
    pub version: u32,
}

impl FormatRow {
    /// What this release reads and writes. It grows with every change after which rows that are there are not understood, or
    /// not as they were meant.
    pub const CURRENT: Self = Self { version: 7 };
}

impl Row for FormatRow {
    fn key(&self) -> Key {
        Key {
            pk: "FORMAT".to_owned(),
            sk: "FORMAT".to_owned(),
        }
    }
}
