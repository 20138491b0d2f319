//! The entries of a folder, by name.

use api::views::{Items, Node};
use api::{Auth, Call, Endpoint, Problem, Reply};
use domain::id::NodeId;
use domain::name::Name;
use domain::token::Scope;
use store::tree::Kind;
use store::{Aws, StoreError, Table};

pub struct FileList {
    table: Table,
    auth: Auth,
}

impl Endpoint for FileList {
    async fn from_env() -> Result<Self, StoreError> {
        let aws = Aws::from_env().await;
        Ok(Self {
            table: Table::from_env(&aws)?,
            auth: Auth::from_env(&aws).await?,
        })
    }

    async fn answer(&self, call: Call) -> Result<Reply, Problem> {
        let account = call.account(&self.auth, Scope::Read).await?;
        let parent: Option<NodeId> = call.query("parent")?;
        let (name, after) = (call.query::<Name>("name")?, call.query::<Name>("cursor")?);
        let limit = call.limit()?;
        if let Some(parent) = &parent {
            match self.table.tree().kind(&account, parent).await? {
                Some(Kind::Folder { .. }) => {}
                None => return Err(Problem::not_found("file or folder")),
                Some(Kind::File) => {
                    return Err(Problem::invalid(
                        "parent",
                        "parent: this is a file, only folders have entries",
                    ));
                }
            }
        }
        if let Some(name) = name {
            let node = self.table.tree().named(&account, parent.as_ref(), &name).await;
            let node = self.table.or_leave_out(node)?;
            return Reply::ok(&Items {
                items: node.iter().flatten().map(Node::from).collect(),
                next_cursor: None,
                skipped: usize::from(node.is_none()),
            });
        }
        let page = self
            .table
            .tree()
            .children(&account, parent.as_ref(), after.as_ref(), limit)
            .await?;
        Reply::ok(&Items {
            items: page.rows.iter().map(Node::from).collect(),
            next_cursor: page.next,
            skipped: page.unreadable.len(),
        })
    }
}
