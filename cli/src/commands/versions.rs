//! `versions ls`, `versions restore`, `versions download`, `versions keep`, `versions rm`.

use super::versioned::Versioned;
use super::{Context, download, several};
use crate::args::Versions;
use crate::exit::Failure;
use crate::{human, output};
use client::types::Version;
use serde_json::json;

pub(super) async fn run(context: &Context, command: &Versions) -> Result<(), Failure> {
    match command {
        Versions::Ls { path } => list(context, path).await,
        Versions::Restore { path, number } => restore(context, path, *number).await,
        Versions::Download { download, number } => download::run(context, download, Some(*number)).await,
        Versions::Keep {
            path,
            numbers,
            no_longer,
        } => keep(context, path, numbers, !no_longer).await,
        Versions::Rm { path, numbers } => remove(context, path, numbers).await,
    }
}

async fn list(context: &Context, path: &str) -> Result<(), Failure> {
    let there = Versioned::read(&context.signed_in()?, path.parse()?).await?;
    if context.json {
        output::json(&json!({ "items": there.versions }));
        return Ok(());
    }
    let rows: Vec<_> = there.versions.iter().map(row).collect();
    output::table(&["NUMBER", "SIZE", "FROM (UTC)", "KEPT UNTIL (UTC)"], &rows);
    Ok(())
}

fn row(version: &Version) -> Vec<String> {
    let until = match version.expires_at {
        _ if version.current => "current".to_owned(),
        Some(until) if !version.kept => human::time(until),
        _ => "removed".to_owned(),
    };
    vec![
        version.number.to_string(),
        human::size(version.size),
        human::time(version.created_at),
        until,
    ]
}

async fn restore(context: &Context, path: &str, number: u64) -> Result<(), Failure> {
    let api = context.signed_in()?;
    let there = Versioned::read(&api, path.parse()?).await?;
    let version = there.find(number)?;
    let restored = api.restore_version(&version.id).await;
    let restored = restored.map_err(|error| Failure::from(error).about(&there.named(number)))?;
    if context.json {
        output::json(&json!({ "path": there.path.to_string(), "restored": restored }));
    } else if version.current {
        output::line(&format!("{} has this content already", there.path));
    } else {
        output::line(&format!("restored {}", there.named(number)));
    }
    Ok(())
}

async fn keep(context: &Context, path: &str, numbers: &[u64], kept: bool) -> Result<(), Failure> {
    let api = context.signed_in()?;
    let there = Versioned::read(&api, path.parse()?).await?;
    let one = async |number: &u64| {
        let version = there.find_earlier(*number)?;
        let version = api.keep_version(&version.id, kept).await;
        let version = version.map_err(|error| Failure::from(error).about(&there.named(*number)))?;
        if context.json {
            output::json(&json!({ "path": there.path.to_string(), "version": version }));
            return Ok(());
        }
        let until = version.expires_at.map(human::time);
        output::line(&match until {
            None => format!("{} is kept until it is removed", there.named(*number)),
            Some(until) => format!("{} is kept until {until} (UTC)", there.named(*number)),
        });
        Ok(())
    };
    several::each(context, numbers, if kept { "keeping" } else { "letting go" }, one).await
}

async fn remove(context: &Context, path: &str, numbers: &[u64]) -> Result<(), Failure> {
    let api = context.signed_in()?;
    let there = Versioned::read(&api, path.parse()?).await?;
    let one = async |number: &u64| {
        let version = there.find_earlier(*number)?;
        let removed = api.delete_version(&version.id).await;
        removed.map_err(|error| Failure::from(error).about(&there.named(*number)))?;
        if context.json {
            output::json(&json!({ "path": there.path.to_string(), "removed": version }));
        } else {
            output::line(&format!("removed {} permanently", there.named(*number)));
        }
        Ok(())
    };
    several::each(context, numbers, "removing", one).await
}
