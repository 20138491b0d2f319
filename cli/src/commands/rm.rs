//! `rm`.

use super::{Context, batches, several, uploads_of};
use crate::exit::{Exit, Failure};
use crate::{human, output};
use client::tree::{self, RemotePath};
use client::types::{Batch, BatchDone, Node};
use client::{Api, ApiError};
use serde_json::json;

const TOP: &str = "the top folder cannot be removed";

/// Brings files and folders into the trash, or removes them.
pub(super) async fn nodes(context: &Context, paths: &[String], permanently: bool) -> Result<(), Failure> {
    let paths = several::paths(paths)?;
    let api = context.signed_in()?;
    if let [path] = paths.as_slice() {
        return node(context, &api, path, permanently).await;
    }
    let batch = if permanently { Batch::Delete } else { Batch::Trash };
    let find = async |path: &RemotePath, before: &[(&RemotePath, Node)]| {
        batches::find(&api, path, before, TOP).await
    };
    let say = |path: &RemotePath, node: &Node, done: Result<BatchDone, ApiError>| {
        let done = done.map_err(|error| Failure::from(error).about(&path.to_string()))?;
        say(context, path, node, done.open_uploads);
        Ok(())
    };
    batches::each(context, &api, (&paths, "removing"), &batch, find, say).await
}

async fn node(context: &Context, api: &Api, path: &RemotePath, permanently: bool) -> Result<(), Failure> {
    let node = batches::find(api, path, &[], TOP).await?;
    let removed = if permanently {
        api.delete_file(&node.id).await
    } else {
        api.trash_file(&node.id).await
    };
    let removed = removed.map_err(|error| Failure::from(error).about(&path.to_string()))?;
    say(context, path, &node, removed.open_uploads);
    Ok(())
}

fn say(context: &Context, path: &RemotePath, node: &Node, open: u64) {
    if context.json {
        output::json(&json!({ "path": path.to_string(), "removed": node, "open_uploads": open }));
    } else {
        output::line(&format!("removed {path}"));
        if open > 0 {
            output::note(&format!(
                "unfinished uploads were going into it: {open}. See them: longshore uploads"
            ));
        }
    }
}

/// Gives up the unfinished uploads of names.
pub(super) async fn uploads(context: &Context, paths: &[String]) -> Result<(), Failure> {
    let paths = several::paths(paths)?;
    let api = context.signed_in()?;
    let one = async |path: &RemotePath| uploads_at(context, &api, path).await;
    several::each(context, &paths, "giving up uploads", one).await
}

async fn uploads_at(context: &Context, api: &Api, path: &RemotePath) -> Result<(), Failure> {
    let name = path.name().ok_or_else(root)?;
    let folder = tree::walk(api, &path.parent()).await?;
    let uploads = uploads_of(api, folder.id(), name).await?;
    if uploads.is_empty() {
        return Err(Failure::new(
            Exit::NotFound,
            format!("there is no unfinished upload of '{path}'"),
        )
        .then("see all that there are: longshore uploads"));
    }
    for upload in &uploads {
        api.abort_upload(&upload.id).await?;
        if context.json {
            output::json(&json!({ "path": path.to_string(), "given_up": upload }));
        } else {
            let size = human::size(upload.size);
            output::line(&format!("gave up the upload of {path} ({size})"));
        }
    }
    Ok(())
}

fn root() -> Failure {
    Failure::new(Exit::Usage, TOP)
}
