//! `cp`.

use super::place::{Place, path_in, say};
use super::{Context, several};
use crate::exit::{Exit, Failure};
use client::Api;
use client::tree::{self, RemotePath, TreeNode};
use client::types::{Destination, Node, NodeKind, OnConflict};
use std::cell::RefCell;
use std::collections::HashMap;

/// Copies files, and with `recursive` folders with all that is in them.
pub(super) async fn run(
    context: &Context,
    paths: &[String],
    to: &str,
    recursive: bool,
    on_conflict: OnConflict,
) -> Result<(), Failure> {
    let paths = several::paths(paths)?;
    let api = context.signed_in()?;
    let run = Run {
        place: Place::of(&api, to, paths.len()).await?,
        context,
        api,
        recursive,
        on_conflict,
    };
    let one = async |path: &RemotePath| run.one(path).await;
    several::each(context, &paths, "copying", one).await
}

/// One run of the command.
struct Run<'a> {
    context: &'a Context,
    api: Api,
    place: Place,
    recursive: bool,
    on_conflict: OnConflict,
}

/// Something to copy.
struct Entry {
    node: Node,
    from: RemotePath,
    to: RemotePath,
}

/// The ids of the folders that the copies go into, by path; `None` is the top.
type Folders = RefCell<HashMap<RemotePath, Option<String>>>;

impl Run<'_> {
    /// Copies what a path leads to.
    async fn one(&self, path: &RemotePath) -> Result<(), Failure> {
        let TreeNode::Node(node) = tree::walk(&self.api, path).await? else {
            return Err(Failure::new(Exit::Usage, "the top folder cannot be copied"));
        };
        let to = self.place.path_of(self.place.name_of(&node))?;
        if node.kind == NodeKind::Folder {
            if !self.recursive {
                return Err(Failure::new(Exit::Usage, format!("'{path}' is a folder"))
                    .then("copy folders with all that is in them: longshore cp --recursive"));
            }
            if to.is_within(path) {
                let message = format!("{path}: a folder cannot be copied into itself");
                return Err(Failure::new(Exit::Conflict, message));
            }
        }
        let place = self.place.folder.id().map(str::to_owned);
        let folders = Folders::new(HashMap::from([(to.parent(), place)]));
        let entries = self.entries(*node, path, to).await?;
        let one = async |entry: &Entry| {
            let copied = self.entry(entry, &folders).await;
            copied.map_err(|failure| failure.about(&entry.from.to_string()))
        };
        several::each(self.context, &entries, &format!("copying {path}"), one).await
    }

    /// A node and all that is in it, folders before what they have. All of it, before anything is made.
    async fn entries(&self, node: Node, from: &RemotePath, to: RemotePath) -> Result<Vec<Entry>, Failure> {
        let from = from.clone();
        let mut entries = vec![Entry { node, from, to }];
        let mut next = 0;
        while let Some(Entry { node, from, to }) = entries.get(next) {
            next += 1;
            if node.kind == NodeKind::Folder {
                let inside = self.api.all_files(Some(&node.id)).await;
                let inside = inside.map_err(|error| Failure::from(error).about(&from.to_string()))?;
                let entry = |node: Node| {
                    let (from, to) = (path_in(from, &node.name)?, path_in(to, &node.name)?);
                    Ok(Entry { node, from, to })
                };
                let inside: Vec<Entry> = inside.into_iter().map(entry).collect::<Result<_, Failure>>()?;
                entries.extend(inside);
            }
        }
        Ok(entries)
    }

    async fn entry(&self, Entry { node, from, to }: &Entry, folders: &Folders) -> Result<(), Failure> {
        let folder = to.parent();
        let parent = folders.borrow().get(&folder).cloned();
        let parent = parent
            .ok_or_else(|| Failure::new(Exit::NotFound, format!("there is no folder '{folder}' for it")))?;
        if node.kind == NodeKind::Folder {
            let made = tree::ensure_folder_in(&self.api, parent.as_deref(), to).await?;
            let id = made.id().map(str::to_owned);
            folders.borrow_mut().insert(to.clone(), id);
            if let TreeNode::Node(made) = made {
                say(self.context, "copied", from, to, &made);
            }
            return Ok(());
        }
        let destination = Destination {
            name: to.name().unwrap_or(&node.name).to_owned(),
            parent,
            on_conflict: self.on_conflict,
        };
        let copied = self.api.copy_file(&node.id, &destination).await?;
        // With a number, perhaps.
        let now = path_in(&folder, &copied.name)?;
        say(self.context, "copied", from, &now, &copied);
        Ok(())
    }
}
