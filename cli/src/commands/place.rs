//! Where `mv` and `cp` bring files and folders.

use super::Context;
use crate::exit::{Exit, Failure};
use crate::output;
use client::Api;
use client::tree::{self, RemotePath, TreeNode};
use client::types::{Node, NodeKind};
use serde_json::json;

/// Where files and folders go.
pub(super) struct Place {
    /// The folder that they go into.
    pub(super) folder: TreeNode,
    path: RemotePath,
    /// The new name of a single one; otherwise they keep theirs.
    name: Option<String>,
}

impl Place {
    /// What the last path means: a folder that is there, or the new path of a single one.
    pub(super) async fn of(api: &Api, to: &str, sources: usize) -> Result<Self, Failure> {
        let path: RemotePath = to.parse()?;
        let place = |folder, path, name| Self { folder, path, name };
        let Some(name) = path.name().map(str::to_owned) else {
            return Ok(place(TreeNode::Root, path, None));
        };
        let above = tree::walk_to_folder(api, &path.parent()).await?;
        match api.find(above.id(), &name).await? {
            Some(folder) if folder.kind == NodeKind::Folder => {
                Ok(place(TreeNode::Node(Box::new(folder)), path, None))
            }
            // No folder: a single one gets this path.
            _ if sources > 1 || to.ends_with('/') => Err(Failure::new(
                Exit::NotFound,
                format!("there is no folder '{path}'"),
            )),
            _ => Ok(place(above, path.parent(), Some(name))),
        }
    }

    /// The name that a node gets.
    pub(super) fn name_of<'a>(&'a self, node: &'a Node) -> &'a str {
        self.name.as_deref().unwrap_or(&node.name)
    }

    /// The path of this name in the folder.
    pub(super) fn path_of(&self, name: &str) -> Result<RemotePath, Failure> {
        path_in(&self.path, name)
    }
}

/// The path of a name that an answer has, in a folder.
pub(super) fn path_in(folder: &RemotePath, name: &str) -> Result<RemotePath, Failure> {
    let name = name
        .parse()
        .map_err(|error| Failure::failed(format!("the answer has a name that is none: {error}")))?;
    Ok(folder.join(&name))
}

/// Says what was `done`, and which node is there now.
pub(super) fn say(context: &Context, done: &str, path: &RemotePath, now: &RemotePath, node: &Node) {
    if context.json {
        output::json(&json!({ "path": path.to_string(), "to": now.to_string(), done: node }));
    } else {
        output::line(&format!("{done} {path} to {now}"));
    }
}
