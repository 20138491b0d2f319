//! Which targets apply to whose files.

use crate::id::AccountId;
use crate::name::Name;
use serde::{Deserialize, Serialize};

/// Which targets apply to the files of an account, or of a folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    /// Whose files; none is everybody's.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub account: Option<AccountId>,
    /// In which folder and all below it, from the root; empty is everywhere.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub folder: Vec<Name>,
    /// The names of the targets.
    pub targets: Vec<String>,
}

impl Policy {
    pub(super) fn applies(&self, account: &AccountId, folder: &[Name]) -> bool {
        self.account.as_ref().is_none_or(|own| own == account) && folder.starts_with(&self.folder)
    }

    /// A policy for an account goes before one for everybody, then the deeper folder goes before the other.
    pub(super) fn rank(&self) -> (bool, usize) {
        (self.account.is_some(), self.folder.len())
    }
}
