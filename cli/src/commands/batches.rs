//! Commands that do the same to many files and folders, which takes one request for a hundred of them.

use super::Context;
use super::several::Several;
use crate::exit::{Exit, Failure};
use client::api::MOST_ITEMS;
use client::tree::{self, RemotePath, TreeError, TreeNode};
use client::types::{Batch, BatchDone, BatchItem, Node};
use client::{Api, ApiError};

/// What a path leads to. What was found `before` will have gone by then, with all that is in it. `top` says what cannot be done to the
/// top folder.
pub(super) async fn find(
    api: &Api,
    path: &RemotePath,
    before: &[(&RemotePath, Node)],
    top: &str,
) -> Result<Node, Failure> {
    if before.iter().any(|(gone, _)| path.is_within(gone)) {
        return Err(TreeError::NotFound(path.clone()).into());
    }
    match tree::walk(api, path).await? {
        TreeNode::Node(node) => Ok(*node),
        TreeNode::Root => Err(Failure::new(Exit::Usage, top)),
    }
}

/// Finds each of them, does it to those that are there, and says what came of it. `what` says what, should any fail. `find` is given what was
/// found before.
pub(super) async fn each<T>(
    context: &Context,
    api: &Api,
    (texts, what): (&[T], &str),
    batch: &Batch,
    find: impl AsyncFn(&T, &[(&T, Node)]) -> Result<Node, Failure>,
    say: impl Fn(&T, &Node, Result<BatchDone, ApiError>) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let (mut several, mut done) = (Several::new(context, texts.len()), 0);
    let mut found: Vec<(&T, Node)> = Vec::new();
    for text in texts {
        match find(text, &found).await {
            Ok(node) => found.push((text, node)),
            Err(failure) => {
                if !several.failed(failure) {
                    return several.end(done, what);
                }
            }
        }
    }
    for some in found.chunks(MOST_ITEMS) {
        let items: Vec<_> = some.iter().map(|(_, node)| item(batch, node)).collect();
        let mut goes_on = true;
        for ((text, node), result) in some.iter().zip(api.batch_of(batch, &items).await) {
            match say(text, node, result) {
                Ok(()) => done += 1,
                Err(failure) => goes_on &= several.failed(failure),
            }
        }
        if !goes_on {
            break;
        }
    }
    several.end(done, what)
}

/// What is removed from the trash is to be what was listed there.
fn item<'a>(batch: &Batch, node: &'a Node) -> BatchItem<'a> {
    let is_listed = *batch == Batch::Delete && node.trashed_at.is_some();
    BatchItem {
        id: &node.id,
        version: is_listed.then_some(node.version),
    }
}
