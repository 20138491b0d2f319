//! `ls`.

use super::Context;
use crate::exit::Failure;
use crate::{human, output};
use client::tree::{self, RemotePath, TreeNode};
use client::types::{Node, NodeKind};
use serde_json::json;

pub(super) async fn run(context: &Context, path: &str) -> Result<(), Failure> {
    let path: RemotePath = path.parse()?;
    let api = context.signed_in()?;
    let nodes = match tree::walk(&api, &path).await? {
        TreeNode::Node(node) if node.kind != NodeKind::Folder => vec![*node],
        place => api.all_files(place.id()).await?,
    };
    if context.json {
        output::json(&json!({ "path": path.to_string(), "items": nodes }));
    } else if nodes.is_empty() {
        output::note(&format!("{path} is empty"));
    } else {
        let rows: Vec<_> = nodes.iter().map(row).collect();
        output::table(&["SIZE", "MODIFIED (UTC)", "NAME"], &rows);
    }
    Ok(())
}

fn row(node: &Node) -> Vec<String> {
    let size = node.size.map_or_else(|| "-".to_owned(), human::size);
    let slash = if node.kind == NodeKind::Folder { "/" } else { "" };
    vec![
        size,
        human::time(node.updated_at.unwrap_or(node.created_at)),
        format!("{}{slash}", node.name),
    ]
}
