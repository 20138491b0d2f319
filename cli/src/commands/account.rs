//! `signup`, `login`, `whoami`.

use super::Context;
use crate::args::Command;
use crate::config::{self, Session};
use crate::exit::{Exit, Failure};
use crate::{human, output};
use client::Api;
use client::types::Role;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use std::env;

pub(super) async fn signup(context: &Context, username: &str) -> Result<(), Failure> {
    let api = context.anonymous()?;
    warn_if_exposed(&api);
    let account = api.create_account(username, &context.password).await;
    let account = account.map_err(|error| Failure::from(error).about(username))?;
    let session = sign_in(&api, username, &context.password).await?;
    if context.json {
        output::json(&json!({ "account": account, "api": session.api, "expires_at": session.expires_at }));
    } else {
        output::line(&format!(
            "Welcome, {}. You have {} to fill. Signed in to {}.",
            account.username,
            human::size(account.quota_bytes),
            session.api
        ));
    }
    Ok(())
}

pub(super) async fn login(context: &Context, username: &str) -> Result<(), Failure> {
    let api = context.anonymous()?;
    warn_if_exposed(&api);
    let session = sign_in(&api, username, &context.password).await?;
    if context.json {
        output::json(&json!({
            "username": session.username, "api": session.api, "expires_at": session.expires_at,
        }));
    } else {
        let until = session
            .expires_at
            .map(|at| format!(" until {} UTC", human::time(at)))
            .unwrap_or_default();
        output::line(&format!(
            "{} is signed in to {}{until}.",
            session.username, session.api
        ));
    }
    Ok(())
}

pub(super) async fn whoami(context: &Context) -> Result<(), Failure> {
    let api = context.signed_in()?;
    let account = api.account().await?;
    if context.json {
        output::json(&json!({ "account": account, "api": api.base() }));
    } else {
        let (used, quota) = (human::size(account.used_bytes), human::size(account.quota_bytes));
        output::line(&format!(
            "{} at {}: {used} of {quota} used{}",
            account.username,
            api.base(),
            if account.role == Role::Operator {
                ", operator"
            } else {
                ""
            }
        ));
    }
    Ok(())
}

async fn sign_in(api: &Api, username: &str, password: &str) -> Result<Session, Failure> {
    let began = Timestamp::now();
    let session = api.create_session(username, password).await.map_err(|error| {
        let failure = Failure::from(error);
        // "Sign in" is no help to somebody who is just doing that.
        if failure.exit == Exit::NotSignedIn {
            Failure {
                next_step: None,
                ..failure
            }
        } else {
            failure
        }
    })?;
    let lives = SignedDuration::from_secs(i64::try_from(session.expires_in).unwrap_or(i64::MAX));
    let session = Session {
        api: api.base().to_owned(),
        username: username.to_owned(),
        token: session.access_token,
        expires_at: began.checked_add(lives).ok(),
    };
    config::save(&session)?;
    Ok(session)
}

/// The password a command needs: from `LONGSHORE_PASSWORD`, else from the terminal, unseen. Blocks, and wants
/// Ctrl-C to end the process as it does by default, because only then the shell repairs the terminal.
pub(crate) fn ask_password(command: &Command) -> Result<String, Failure> {
    let (prompt, twice) = match command {
        Command::Signup { .. } => ("Choose a password: ", true),
        Command::Login { .. } => ("Password: ", false),
        _ => return Ok(String::new()),
    };
    if let Ok(password) = env::var("LONGSHORE_PASSWORD") {
        return Ok(password);
    }
    let ask = |prompt: &str| {
        rpassword::prompt_password(prompt).map_err(|error| {
            Failure::new(Exit::Usage, format!("cannot ask for a password: {error}"))
                .then("give it in the environment variable LONGSHORE_PASSWORD")
        })
    };
    let password = ask(prompt)?;
    if twice && ask("The same again: ")? != password {
        return Err(Failure::new(Exit::Usage, "the two passwords differ"));
    }
    Ok(password)
}

fn warn_if_exposed(api: &Api) {
    if api.is_exposed() {
        output::note("longshore: warning: http:// without TLS; anybody on the way can read the password");
    }
}
