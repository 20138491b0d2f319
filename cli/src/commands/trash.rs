//! `trash ls`, `trash restore`, `trash rm`, `trash empty`.

use super::{Context, batches, several};
use crate::args::Trash;
use crate::exit::{Exit, Failure};
use crate::{human, output};
use client::tree::{self, RemotePath};
use client::types::{Batch, BatchDone, Destination, Node, NodeKind, OnConflict, Trashed};
use client::{Api, ApiError};
use serde_json::json;

pub(super) async fn run(context: &Context, command: &Trash) -> Result<(), Failure> {
    match command {
        Trash::Ls => list(context).await,
        Trash::Restore {
            paths,
            to,
            on_conflict,
        } => restore(context, paths, to.as_deref(), (*on_conflict).into()).await,
        Trash::Rm { paths } => remove(context, paths).await,
        Trash::Empty { .. } => empty(context).await,
    }
}

async fn list(context: &Context) -> Result<(), Failure> {
    let trashed = context.signed_in()?.trash().await?;
    if context.json {
        output::json(&json!({ "items": trashed }));
    } else if trashed.is_empty() {
        output::note("the trash is empty");
    } else {
        let rows: Vec<_> = trashed.iter().map(row).collect();
        let columns = ["ID", "SIZE", "DELETED (UTC)", "KEPT UNTIL (UTC)", "PATH"];
        output::table(&columns, &rows);
    }
    Ok(())
}

fn row(trashed: &Trashed) -> Vec<String> {
    let node = &trashed.node;
    vec![
        node.id.clone(),
        trashed
            .bytes
            .or(node.size)
            .map_or_else(|| "counting".to_owned(), human::size),
        human::time(trashed.trashed_at),
        human::time(trashed.expires_at),
        shown(trashed),
    ]
}

/// The path, or what is known of it.
fn shown(trashed: &Trashed) -> String {
    let slash = match trashed.node.kind {
        NodeKind::Folder => "/",
        _ => "",
    };
    match &trashed.path {
        Some(path) => format!("{}{slash}", path.trim_start_matches('/')),
        None => format!("?/{}{slash}", trashed.node.name),
    }
}

/// What is in the trash, and which of it is meant.
struct Listed(Vec<Trashed>);

impl Listed {
    async fn read(api: &Api) -> Result<Self, ApiError> {
        Ok(Self(api.trash().await?))
    }

    /// The newest one with this path, or the one with this id.
    fn find(&self, text: &String) -> Result<&Trashed, Failure> {
        if let Some(found) = self.0.iter().find(|trashed| trashed.node.id == *text) {
            return Ok(found);
        }
        let wanted: RemotePath = text.parse()?;
        let has_it = |trashed: &&Trashed| {
            let path = trashed.path.as_ref().and_then(|path| path.parse().ok());
            path.as_ref() == Some(&wanted)
        };
        self.0.iter().find(has_it).ok_or_else(|| not_in_trash(text))
    }

    /// The same, when what was found before will have gone by then.
    fn find_another(&self, text: &String, before: &[(&String, Node)]) -> Result<Node, Failure> {
        let Trashed { node, .. } = self.find(text)?;
        if before.iter().any(|(_, gone)| gone.id == node.id) {
            return Err(not_in_trash(text));
        }
        Ok(node.clone())
    }
}

fn not_in_trash(text: &str) -> Failure {
    Failure::new(Exit::NotFound, format!("there is no '{text}' in the trash"))
        .then("see what is in it: longshore trash ls")
}

async fn restore(
    context: &Context,
    paths: &[String],
    to: Option<&str>,
    on_conflict: OnConflict,
) -> Result<(), Failure> {
    let to: Option<RemotePath> = to.map(str::parse).transpose()?;
    let api = context.signed_in()?;
    let folder = match &to {
        Some(path) => Some(tree::walk_to_folder(&api, path).await?),
        None => None,
    };
    let listed = Listed::read(&api).await?;
    if folder.is_none() && paths.len() > 1 {
        let batch = Batch::Restore { on_conflict };
        let find = async |text: &String, before: &[(&String, Node)]| listed.find_another(text, before);
        let say = |text: &String, was: &Node, done: Result<BatchDone, ApiError>| {
            let done = done.map_err(|error| not_restored(error, text))?;
            say_restored(context, text, was, done.node.as_ref().unwrap_or(was));
            Ok(())
        };
        return batches::each(context, &api, (paths, "restoring"), &batch, find, say).await;
    }
    let one = async |text: &String| {
        let Trashed { node, .. } = listed.find(text)?;
        let parent = match &folder {
            Some(folder) => folder.id().map(str::to_owned),
            None => node.parent.clone(),
        };
        let destination = Destination {
            name: node.name.clone(),
            parent,
            on_conflict,
        };
        let restored = api.restore(&node.id, Some(&destination)).await;
        let restored = restored.map_err(|error| not_restored(error, text))?;
        say_restored(context, text, node, &restored);
        Ok(())
    };
    several::each(context, paths, "restoring", one).await
}

fn say_restored(context: &Context, text: &str, was: &Node, restored: &Node) {
    if context.json {
        output::json(&json!({ "path": text, "restored": restored }));
    } else if restored.name == was.name {
        output::line(&format!("restored {text}"));
    } else {
        output::line(&format!("restored {text} as {}", restored.name));
    }
}

fn not_restored(error: ApiError, text: &str) -> Failure {
    let is_homeless = error.is("parent_not_found");
    let failure = Failure::from(error).about(text);
    if is_homeless {
        failure.then("its folder is not there any more; choose another one with --to")
    } else {
        failure
    }
}

async fn remove(context: &Context, paths: &[String]) -> Result<(), Failure> {
    let api = context.signed_in()?;
    let listed = Listed::read(&api).await?;
    let say = |text: &String, node: &Node, removed: Result<(), ApiError>| {
        removed.map_err(|error| Failure::from(error).about(text))?;
        if context.json {
            output::json(&json!({ "path": text, "removed": node }));
        } else {
            output::line(&format!("removed {text} permanently"));
        }
        Ok(())
    };
    if let [text] = paths {
        let trashed = listed.find(text)?;
        let removed = api.delete_trashed(trashed).await;
        return say(text, &trashed.node, removed.map(|_| ()));
    }
    let find = async |text: &String, before: &[(&String, Node)]| listed.find_another(text, before);
    let say = |text: &String, node: &Node, removed: Result<BatchDone, ApiError>| {
        say(text, node, removed.map(|_| ()))
    };
    batches::each(context, &api, (paths, "removing"), &Batch::Delete, find, say).await
}

async fn empty(context: &Context) -> Result<(), Failure> {
    context.signed_in()?.empty_trash().await?;
    if context.json {
        output::json(&json!({ "emptied": true }));
    } else {
        output::line("the trash is empty");
    }
    Ok(())
}
