//! `du`.

use super::Context;
use super::place::path_in;
use crate::exit::Failure;
use crate::{human, output};
use client::Api;
use client::tree::{self, RemotePath, TreeNode};
use client::types::{Node, NodeKind};
use serde::Serialize;
use serde_json::json;
use std::ops::AddAssign;
use tokio::task::JoinSet;

/// How many folders are listed at the same time.
const AT_ONCE: usize = 8;

/// How much something has in it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
struct Amount {
    bytes: u64,
    files: u64,
    folders: u64,
}

impl Amount {
    /// Of one thing without what is in it.
    fn of(node: &Node) -> Self {
        let is_folder = node.kind == NodeKind::Folder;
        Self {
            bytes: node.size.unwrap_or(0),
            files: u64::from(!is_folder),
            folders: u64::from(is_folder),
        }
    }
}

impl AddAssign for Amount {
    fn add_assign(&mut self, other: Self) {
        self.bytes = self.bytes.saturating_add(other.bytes);
        self.files += other.files;
        self.folders += other.folders;
    }
}

pub(super) async fn run(context: &Context, path: &str) -> Result<(), Failure> {
    let path: RemotePath = path.parse()?;
    let api = context.signed_in()?;
    let (mut total, mut folders) = (Amount::default(), Vec::new());
    let entries = match tree::walk(&api, &path).await? {
        TreeNode::Node(node) if node.kind != NodeKind::Folder => vec![*node],
        place => api.all_files(place.id()).await?,
    };
    for entry in entries {
        total += Amount::of(&entry);
        if entry.kind == NodeKind::Folder {
            let inside = path_in(&path, &entry.name)?;
            let amount = within(&api, &inside, entry).await?;
            total += amount;
            folders.push((inside, amount));
        }
    }
    if context.json {
        let folder = |(path, amount): &(RemotePath, Amount)| shown_json(path, *amount);
        let mut shown = shown_json(&path, total);
        shown["items"] = folders.iter().map(folder).collect();
        output::json(&shown);
    } else {
        folders.push((path, total));
        let rows: Vec<_> = folders.iter().map(row).collect();
        output::table(&["SIZE", "FILES", "FOLDERS", "PATH"], &rows);
    }
    Ok(())
}

fn shown_json(path: &RemotePath, amount: Amount) -> serde_json::Value {
    let Amount {
        bytes,
        files,
        folders,
    } = amount;
    json!({ "path": path.to_string(), "bytes": bytes, "files": files, "folders": folders })
}

fn row((path, amount): &(RemotePath, Amount)) -> Vec<String> {
    vec![
        human::size(amount.bytes),
        amount.files.to_string(),
        amount.folders.to_string(),
        path.to_string(),
    ]
}

/// How much is in a folder, and in all that are in it.
async fn within(api: &Api, path: &RemotePath, folder: Node) -> Result<Amount, Failure> {
    let (mut amount, mut left) = (Amount::default(), vec![folder]);
    let mut asked = JoinSet::new();
    loop {
        while asked.len() < AT_ONCE
            && let Some(folder) = left.pop()
        {
            let (api, path) = (api.clone(), path.clone());
            asked.spawn(async move { super::files_in(&api, &path, &folder).await });
        }
        let Some(listed) = asked.join_next().await else {
            return Ok(amount);
        };
        let listed =
            listed.map_err(|error| Failure::failed(format!("listing {path} was not ended: {error}")))?;
        for entry in listed?.into_iter().flatten() {
            amount += Amount::of(&entry);
            if entry.kind == NodeKind::Folder {
                left.push(entry);
            }
        }
    }
}
