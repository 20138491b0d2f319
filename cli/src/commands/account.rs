//! `signup`, `login`, `logout`, `password`, `reset-password`, `delete-account`, `whoami`.

use super::Context;
use super::questions::{Passwords, ask_code, somebody_is_there};
use crate::config::{self, Session};
use crate::exit::{Exit, Failure};
use crate::{human, output};
use client::Api;
use client::session::Tokens;
use client::types::Role;
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;

pub(super) async fn signup(
    context: &Context,
    username: &str,
    invitation: Option<&str>,
) -> Result<(), Failure> {
    let api = context.anonymous()?;
    warn_if_exposed(&api);
    let make = async |invitation: Option<&str>| match invitation {
        Some(code) if !code.is_empty() => {
            api.create_account_by_invitation(username, context.passwords.current.expose_secret(), code)
                .await
        }
        _ => {
            api.create_account(username, context.passwords.current.expose_secret())
                .await
        }
    };
    let mut account = make(invitation).await;
    if account
        .as_ref()
        .is_err_and(|error| error.is("invitation_required"))
        && somebody_is_there()
    {
        output::note("Accounts are made by invitation here.");
        // Reading blocks. It leaves the terminal as it is, so it need not be waited for when somebody interrupts.
        let code = tokio::task::spawn_blocking(|| ask_code("The code of your invitation: "));
        let code = code.await.map_err(|error| Failure::failed(error.to_string()))??;
        account = make(Some(&code)).await;
    }
    let account = account.map_err(|error| Failure::from(error).about(username))?;
    let session = sign_in(&api, username, &context.passwords.current).await;
    let session = session.map_err(|failure| only_half(failure, "the account is made", username))?;
    if context.json {
        output::json(&json!({ "account": account, "api": session.api }));
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
    let session = sign_in(&api, username, &context.passwords.current).await?;
    if context.json {
        output::json(&json!({ "username": session.username, "api": session.api }));
    } else {
        output::line(&format!("{} is signed in to {}.", session.username, session.api));
    }
    Ok(())
}

pub(super) async fn logout(context: &Context, everywhere: bool) -> Result<(), Failure> {
    let api = context.with_session()?;
    let ended = if everywhere {
        api.end_all_sessions().await
    } else {
        api.end_session().await
    };
    match ended.map_err(Failure::from) {
        // It was over already.
        Err(failure) if failure.exit == Exit::NotSignedIn && !everywhere => {}
        ended => ended?,
    }
    config::forget(&context.owner()?)?;
    if context.json {
        output::json(&json!({ "api": api.base() }));
    } else {
        let where_from = if everywhere { " everywhere" } else { "" };
        output::line(&format!("Signed out of {}{where_from}.", api.base()));
    }
    Ok(())
}

pub(super) async fn password(context: &Context) -> Result<(), Failure> {
    let api = context.with_session()?;
    warn_if_exposed(&api);
    let Passwords { current, new, .. } = &context.passwords;
    api.change_password(current.expose_secret(), new.expose_secret())
        .await?;
    if context.json {
        output::json(&json!({ "api": api.base() }));
    } else {
        output::line("The password is changed. All other sessions are over.");
    }
    Ok(())
}

pub(super) async fn reset_password(context: &Context, username: &str) -> Result<(), Failure> {
    let api = context.anonymous()?;
    warn_if_exposed(&api);
    let Passwords { new, code, .. } = &context.passwords;
    api.reset_password(username, code.expose_secret(), new.expose_secret())
        .await?;
    let session = sign_in(&api, username, new).await;
    let session = session.map_err(|failure| only_half(failure, "the password is set", username))?;
    if context.json {
        output::json(&json!({ "username": session.username, "api": session.api }));
    } else {
        output::line(&format!(
            "The password is set, and all sessions until now are over. {} is signed in to {}.",
            session.username, session.api
        ));
    }
    Ok(())
}

pub(super) async fn delete(context: &Context) -> Result<(), Failure> {
    let api = context.with_session()?;
    warn_if_exposed(&api);
    api.delete_account(context.passwords.current.expose_secret())
        .await?;
    config::forget(&context.owner()?)?;
    if context.json {
        output::json(&json!({ "api": api.base() }));
    } else {
        output::line("The account is deleted. What it had is being removed.");
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
        if let Some(used) = account.used {
            let kinds = [
                ("files", used.files),
                ("versions", used.versions),
                ("trash", used.trash),
                ("open uploads", used.open_uploads),
            ];
            for (kind, bytes) in kinds {
                output::line(&format!("  {kind:<17}{:>10}", human::size(bytes)));
            }
        }
    }
    Ok(())
}

async fn sign_in(api: &Api, username: &str, password: &SecretString) -> Result<Session, Failure> {
    let began = Timestamp::now();
    let session = api
        .create_session(username, password.expose_secret())
        .await
        .map_err(|error| {
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
    let session = Session {
        api: api.base().to_owned(),
        username: username.to_owned(),
        tokens: Tokens::of(session, began),
    };
    config::save(&session)?;
    Ok(session)
}

/// Signing in failed after something that cannot be done twice.
fn only_half(failure: Failure, done: &str, username: &str) -> Failure {
    failure
        .about(&format!("{done}, but signing in failed"))
        .then(format!("sign in: longshore login {username}"))
}

fn warn_if_exposed(api: &Api) {
    if api.is_exposed() {
        output::note("longshore: warning: http:// without TLS; anybody on the way can read the password");
    }
}
