//! `find`.

use super::Context;
use crate::exit::Failure;
use crate::output;
use client::tree::{self, RemotePath};
use client::types::{Found, NodeKind};
use serde_json::json;

pub(super) async fn run(context: &Context, words: &[String], under: &str) -> Result<(), Failure> {
    let under: RemotePath = under.parse()?;
    let api = context.signed_in()?;
    let folder = tree::walk_to_folder(&api, &under).await?;
    let words = words.join(" ");
    if context.json {
        let mut items = Vec::new();
        api.search_all(&words, folder.id(), |found| items.extend(found))
            .await?;
        output::json(&json!({ "items": items }));
        return Ok(());
    }
    let mut is_empty = true;
    let show = |found: Vec<Found>| {
        is_empty &= found.is_empty();
        for one in &found {
            output::line(&shown(one));
        }
    };
    // Each page as it comes: the next one may take seconds.
    api.search_all(&words, folder.id(), show).await?;
    if is_empty {
        output::note("nothing is found");
    }
    Ok(())
}

fn shown(found: &Found) -> String {
    let slash = match found.node.kind {
        NodeKind::Folder => "/",
        _ => "",
    };
    format!("{}{slash}", found.path.trim_start_matches('/'))
}
