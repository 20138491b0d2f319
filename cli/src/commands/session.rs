//! `session ls`, `session rm`.

use super::{Context, ended};
use crate::args::Session;
use crate::exit::Failure;
use crate::{human, output};
use client::types::ActiveSession;
use serde_json::json;

pub(super) async fn run(context: &Context, command: &Session) -> Result<(), Failure> {
    match command {
        Session::Ls => list(context).await,
        Session::Rm { id } => remove(context, id).await,
    }
}

async fn list(context: &Context) -> Result<(), Failure> {
    let sessions = context.signed_in()?.sessions().await?;
    if context.json {
        output::json(&json!({ "items": sessions }));
    } else {
        let rows: Vec<_> = sessions.iter().map(row).collect();
        output::table(&["", "ID", "SINCE (UTC)", "LAST REFRESH (UTC)", "CLIENT"], &rows);
    }
    Ok(())
}

fn row(session: &ActiveSession) -> Vec<String> {
    vec![
        if session.current { "*" } else { "" }.to_owned(),
        session.id.clone(),
        human::time(session.created_at),
        human::time(session.refreshed_at),
        session.client.clone().unwrap_or_default(),
    ]
}

async fn remove(context: &Context, id: &str) -> Result<(), Failure> {
    ended(context, id, context.signed_in()?.revoke_session(id).await)
}
