//! `ls`.

use super::place::path_in;
use super::{Context, kind};
use crate::exit::Failure;
use crate::{human, output};
use client::Api;
use client::tree::{self, RemotePath, TreeNode};
use client::types::{Node, NodeKind};
use serde_json::json;

pub(super) async fn run(context: &Context, path: &str, recursive: bool, long: bool) -> Result<(), Failure> {
    let path: RemotePath = path.parse()?;
    let api = context.signed_in()?;
    let (is_folder, nodes) = match tree::walk(&api, &path).await? {
        TreeNode::Node(node) if node.kind != NodeKind::Folder => (false, vec![*node]),
        place => (true, api.all_files(place.id()).await?),
    };
    if recursive && is_folder {
        return all_within(context, &api, path, nodes, long).await;
    }
    if context.json {
        output::json(&json!({ "path": path.to_string(), "items": nodes }));
    } else if nodes.is_empty() {
        output::note(&format!("{path} is empty"));
    } else {
        show(&nodes, long);
    }
    Ok(())
}

/// A folder, and then each folder in it with those in them, by name.
async fn all_within(
    context: &Context,
    api: &Api,
    path: RemotePath,
    nodes: Vec<Node>,
    long: bool,
) -> Result<(), Failure> {
    let mut listed = Some((path, nodes));
    // The next one is the last.
    let mut left: Vec<(RemotePath, Node)> = Vec::new();
    let mut is_first = true;
    loop {
        if let Some((path, nodes)) = listed {
            if context.json {
                output::json(&json!({ "path": path.to_string(), "items": nodes }));
            } else {
                if !is_first {
                    output::line("");
                }
                output::line(&format!("{path}:"));
                if !nodes.is_empty() {
                    show(&nodes, long);
                }
            }
            is_first = false;
            let folders = nodes.into_iter().filter(|node| node.kind == NodeKind::Folder);
            let folders = folders.map(|node| Ok((path_in(&path, &node.name)?, node)));
            left.extend(folders.rev().collect::<Result<Vec<_>, Failure>>()?);
        }
        let Some((path, folder)) = left.pop() else {
            return Ok(());
        };
        listed = super::files_in(api, &path, &folder)
            .await?
            .map(|nodes| (path, nodes));
    }
}

fn show(nodes: &[Node], long: bool) {
    if long {
        let columns = ["KIND", "SIZE", "MODIFIED (UTC)", "ID", "NAME"];
        let rows: Vec<_> = nodes.iter().map(long_row).collect();
        output::table(&columns, &rows);
    } else {
        let rows: Vec<_> = nodes.iter().map(|node| row(node).to_vec()).collect();
        output::table(&["SIZE", "MODIFIED (UTC)", "NAME"], &rows);
    }
}

fn row(node: &Node) -> [String; 3] {
    let size = node.size.map_or_else(|| "-".to_owned(), human::size);
    let slash = if node.kind == NodeKind::Folder { "/" } else { "" };
    [
        size,
        human::time(node.updated_at.unwrap_or(node.created_at)),
        format!("{}{slash}", node.name),
    ]
}

fn long_row(node: &Node) -> Vec<String> {
    let [size, modified, name] = row(node);
    vec![kind(node).to_owned(), size, modified, node.id.clone(), name]
}
