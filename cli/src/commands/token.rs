//! `token create`, `token ls`, `token rm`.

use super::{Context, ended};
use crate::args::Token;
use crate::exit::Failure;
use crate::{human, output};
use client::types::{NewToken, PersonalToken};
use serde_json::json;
use std::io;

pub(super) async fn run(context: &Context, command: &Token) -> Result<(), Failure> {
    match command {
        Token::Create { name, scopes, days } => {
            let new = NewToken {
                name: name.clone(),
                scopes: scopes.iter().map(|scope| (*scope).into()).collect(),
                expires_in_days: *days,
            };
            create(context, &new).await
        }
        Token::Ls => list(context).await,
        Token::Rm { id } => remove(context, id).await,
    }
}

async fn create(context: &Context, new: &NewToken) -> Result<(), Failure> {
    let made = context.signed_in()?.create_token(new).await?;
    show(context, &made).map_err(|error| {
        let PersonalToken { name, id, .. } = &made;
        Failure::failed(format!(
            "the token '{name}' was made, but could not be shown ({error}); its id is {id}"
        ))
        .then(format!(
            "nobody can use it; end it: longshore token rm {}",
            human::quoted(id)
        ))
    })
}

/// Shows what is not shown again. Also to a reader that went away it is lost.
fn show(context: &Context, made: &PersonalToken) -> io::Result<()> {
    if context.json {
        return output::shown_json(made);
    }
    let token = made.token.as_ref();
    let token = token.ok_or_else(|| io::Error::other("the server did not say it"))?;
    // The token alone on standard output, so that a script can take it.
    output::note(&format!(
        "{} ({}) until {} UTC. It is not shown again:",
        made.name,
        made.scopes.join(", "),
        human::time(made.expires_at)
    ));
    output::shown(token.reveal())
}

async fn list(context: &Context) -> Result<(), Failure> {
    let tokens = context.signed_in()?.tokens().await?;
    if context.json {
        output::json(&json!({ "items": tokens }));
    } else if tokens.is_empty() {
        output::note("there are no tokens");
    } else {
        let rows: Vec<_> = tokens.iter().map(row).collect();
        output::table(&["ID", "GOOD UNTIL (UTC)", "SCOPES", "NAME"], &rows);
    }
    Ok(())
}

fn row(token: &PersonalToken) -> Vec<String> {
    vec![
        token.id.clone(),
        human::time(token.expires_at),
        token.scopes.join(", "),
        token.name.clone(),
    ]
}

async fn remove(context: &Context, id: &str) -> Result<(), Failure> {
    ended(context, id, context.signed_in()?.delete_token(id).await)
}
