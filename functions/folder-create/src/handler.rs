//! Makes a folder.

use domain::id::NodeId;
use domain::name::Name;
use edge::{Call, Endpoint, Problem, Reply, Tokens, views};
use serde::Deserialize;
use store::rows::{NodeRow, new_id, now};
use store::{Aws, StoreError, Table};

pub(crate) struct FolderCreate {
    table: Table,
    tokens: Tokens,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    name: Name,
    parent: Option<NodeId>,
}

impl FolderCreate {
    pub(crate) async fn from_env() -> Result<Self, StoreError> {
        let aws = Aws::from_env().await;
        Ok(Self {
            table: Table::from_env(&aws)?,
            tokens: Tokens::from_env(&aws).await?,
        })
    }
}

impl Endpoint for FolderCreate {
    async fn answer(&self, call: Call) -> Result<Reply, Problem> {
        let account = call.account(&self.tokens)?;
        let Body { name, parent } = call.json()?;
        let now = now();
        let folder = NodeRow {
            id: new_id(),
            account,
            name,
            parent,
            file: None,
            entries: 0,
            created_at: now,
            updated_at: now,
        };
        self.table.create_folder(&folder).await?;
        Reply::created(&views::Node::location(&folder), &views::Node::from(&folder))
    }
}
