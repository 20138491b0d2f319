//! The values of options that have only some.

use clap::ValueEnum;
use client::types;

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Scope {
    /// List and download files
    Read,
    /// Upload files and create folders; `longshore upload` needs `read` as well
    Upload,
    /// Delete files, list and revoke tokens and, for operators, retry replicas
    Admin,
}

impl From<Scope> for types::Scope {
    fn from(scope: Scope) -> Self {
        match scope {
            Scope::Read => Self::Read,
            Scope::Upload => Self::Upload,
            Scope::Admin => Self::Admin,
        }
    }
}

/// A file with the same name and the same bytes is never a conflict: it is stored already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum OnConflict {
    /// Keep the other file, and fail
    #[default]
    Fail,
    /// Keep both: the new file is named "name (1).txt", with the first number that is free
    Rename,
    /// Replace the content of the other file; a folder is never replaced
    Replace,
}

impl From<OnConflict> for types::OnConflict {
    fn from(choice: OnConflict) -> Self {
        match choice {
            OnConflict::Fail => Self::Fail,
            OnConflict::Rename => Self::Rename,
            OnConflict::Replace => Self::Replace,
        }
    }
}
