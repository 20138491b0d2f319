//! `mv`.

use super::place::{Place, say};
use super::{Context, batches, several};
use crate::exit::Failure;
use client::tree::RemotePath;
use client::types::{Batch, BatchDone, Destination, Node, OnConflict};
use client::{Api, ApiError};

const TOP: &str = "the top folder cannot be moved";

/// Renames files and folders, or moves them.
pub(super) async fn run(
    context: &Context,
    paths: &[String],
    to: &str,
    on_conflict: OnConflict,
) -> Result<(), Failure> {
    let paths = several::paths(paths)?;
    let api = context.signed_in()?;
    let place = Place::of(&api, to, paths.len()).await?;
    if let [path] = paths.as_slice() {
        return one(context, &api, path, &place, on_conflict).await;
    }
    let batch = Batch::Move {
        parent: place.folder.id().map(str::to_owned),
        on_conflict,
    };
    let find = async |path: &RemotePath, before: &[(&RemotePath, Node)]| {
        batches::find(&api, path, before, TOP).await
    };
    let say = |path: &RemotePath, was: &Node, done: Result<BatchDone, ApiError>| {
        let done = done.map_err(|error| Failure::from(error).about(&path.to_string()))?;
        let moved = done.node.as_ref().unwrap_or(was);
        say(context, "moved", path, &place.path_of(&moved.name)?, moved);
        Ok(())
    };
    batches::each(context, &api, (&paths, "moving"), &batch, find, say).await
}

async fn one(
    context: &Context,
    api: &Api,
    path: &RemotePath,
    place: &Place,
    on_conflict: OnConflict,
) -> Result<(), Failure> {
    let node = batches::find(api, path, &[], TOP).await?;
    let destination = Destination {
        name: place.name_of(&node).to_owned(),
        parent: place.folder.id().map(str::to_owned),
        on_conflict,
    };
    let moved = api
        .move_file(&node.id, &destination)
        .await
        .map_err(|error| Failure::from(error).about(&path.to_string()))?;
    // With another number than was asked for, perhaps.
    say(context, "moved", path, &place.path_of(&moved.name)?, &moved);
    Ok(())
}
