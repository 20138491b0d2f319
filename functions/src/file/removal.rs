//! What the functions share that bring files and folders into the trash, or remove them.

use api::Problem;
use domain::id::{AccountId, NodeId};
use service::file::delete::Deletion;
use store::rows::NodeRow;
use store::{Environment, ErrorKind, StoreError, Table};
use wire::code;
use wire::file::Delete;

/// Brings files and folders into the trash, or removes them.
pub(crate) struct Removal {
    pub(crate) table: Table,
    trash_days: u64,
}

impl Removal {
    pub(crate) fn from_env(environment: &Environment) -> Result<Self, StoreError> {
        Ok(Self {
            table: Table::from_env(environment)?,
            trash_days: environment.number("TRASH_DAYS")?,
        })
    }

    /// Without a trash a whole folder goes only if the client says so.
    pub(crate) fn deletion(&self, permanently: bool) -> Deletion {
        match self.trash_days {
            _ if permanently => Deletion::Permanent,
            0 => Deletion::PermanentIfEmpty,
            days => Deletion::IntoTrash { days },
        }
    }

    /// The file or folder, as far as its removal wants it: what else cannot be read does not matter any more.
    pub(crate) async fn find(&self, account: &AccountId, id: &NodeId) -> Result<NodeRow, Problem<Delete>> {
        match self.table.tree().remains(account, id).await {
            Ok(Some(node)) => Ok(node),
            Ok(None) => Err(Problem::not_found("file or folder")),
            Err(StoreError {
                kind: ErrorKind::Corrupt,
                key: Some(key),
                ..
            }) => {
                self.table.leave_out(&key);
                Err(unreadable())
            }
            Err(error) => Err(error.into()),
        }
    }
}

/// Of a file or folder of which less can be read than its removal wants.
pub(crate) fn unreadable() -> Problem<Delete> {
    let detail = "what is stored of it cannot be read, so nobody knows what would have to be removed with it; ask who \
                  operates this store, whose log has the item's key";
    Problem::new(code::Unreadable, detail)
}
