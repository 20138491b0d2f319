//! `mkdir`.

use super::{Context, several};
use crate::exit::{Exit, Failure};
use crate::output;
use client::Api;
use client::tree::{self, RemotePath, TreeNode};
use serde_json::json;

/// Makes folders; with `parents` those above them, too, and those that are there are right.
pub(super) async fn run(context: &Context, paths: &[String], parents: bool) -> Result<(), Failure> {
    let paths = several::paths(paths)?;
    let api = context.signed_in()?;
    let one = async |path: &RemotePath| one(context, &api, path, parents).await;
    several::each(context, &paths, "making folders", one).await
}

async fn one(context: &Context, api: &Api, path: &RemotePath, parents: bool) -> Result<(), Failure> {
    let folder = if parents {
        match tree::ensure_folder(api, path).await? {
            TreeNode::Root => None,
            TreeNode::Node(folder) => Some(*folder),
        }
    } else {
        let top = || Failure::new(Exit::Conflict, "the top folder is always there");
        let name = path.name().ok_or_else(top)?;
        let parent = tree::walk(api, &path.parent()).await?;
        let made = api.create_folder(name, parent.id()).await;
        Some(made.map_err(|error| Failure::from(error).about(&path.to_string()))?)
    };
    if context.json {
        output::json(&json!({ "path": path.to_string(), "folder": folder }));
    } else {
        output::line(&format!("{path} is there"));
    }
    Ok(())
}
