//! `cargo xtask invite`: codes that make an account, or set the password of one, from the stack's own function.

use crate::targets::StackRef;
use crate::{process, tools, ui};
use anyhow::{Context, Result, bail};
use clap::Args;
use serde_json::{Value, json};
use std::path::Path;

/// What is wanted of which stack.
#[derive(Debug, Default, Args)]
pub(crate) struct Invite {
    /// The code sets the password of this account
    #[arg(long, value_name = "USERNAME", group = "what")]
    password_of: Option<String>,
    /// List the codes that there are
    #[arg(long, group = "what", conflicts_with_all = ["note", "days"])]
    list: bool,
    /// Take a code back
    #[arg(long, value_name = "ID", group = "what", conflicts_with_all = ["note", "days"])]
    revoke: Option<String>,
    /// Whom the code is for, to be written down
    #[arg(long = "for", value_name = "NOTE")]
    note: Option<String>,
    /// How long the code is good
    #[arg(long)]
    days: Option<u16>,
    /// A stack on AWS; otherwise the one that runs here
    #[arg(long, value_name = "NAME")]
    stack: Option<String>,
}

enum What<'a> {
    /// A code that makes an account.
    Account,
    /// A code that sets the password of this account.
    Password(&'a str),
    List,
    Revoke(&'a str),
}

impl Invite {
    fn what(&self) -> What<'_> {
        match (&self.password_of, self.list, &self.revoke) {
            (Some(username), ..) => What::Password(username),
            (_, true, _) => What::List,
            (_, _, Some(id)) => What::Revoke(id),
            _ => What::Account,
        }
    }
}

pub(crate) fn run(state: &Path, invite: &Invite) -> Result<()> {
    let place = match &invite.stack {
        Some(name) => StackRef::on_aws(name, Vec::new()),
        None => StackRef::here(state)?,
    };
    match invite.what() {
        What::Account | What::Password(_) => {
            let made = ask(&place, &payload(invite))?;
            let (code, until) = (tools::text(&made, "code")?, tools::text(&made, "expires_at")?);
            ui::line(code);
            ui::line(&format!(
                "Good once, until {until}. Its id is {}. To use it:\n\n    {}",
                tools::text(&made, "id")?,
                match invite.what() {
                    What::Password(username) => format!("longshore reset-password {username} --code {code}"),
                    _ => format!("longshore signup <username> --invitation {code}"),
                }
            ));
        }
        What::List => {
            let mut request = payload(invite);
            loop {
                let page = ask(&place, &request)?;
                for invitation in page["items"].as_array().into_iter().flatten() {
                    ui::line(&in_words(invitation)?);
                }
                match page["next"].as_str() {
                    Some(next) => request["after"] = next.into(),
                    None => return Ok(()),
                }
            }
        }
        What::Revoke(id) => {
            ask(&place, &payload(invite))?;
            ui::line(&format!("{id} is revoked."));
        }
    }
    Ok(())
}

/// The code of an invitation that lasts for a day; nothing when the stack knows of none, because it is of an older release,
/// where everybody may make an account.
pub(crate) fn code(place: &StackRef, note: &str) -> Result<Option<String>> {
    let invite = Invite {
        note: Some(note.to_owned()),
        days: Some(1),
        ..Invite::default()
    };
    match answer(place, &payload(&invite))? {
        Value::Null => Ok(None),
        made => Ok(Some(tools::text(&made, "code")?.to_owned())),
    }
}

/// Asks for nothing in particular. Fails where the functions do not work, and says why.
pub(crate) fn check(place: &StackRef) -> Result<()> {
    answer(place, &json!({ "action": "list" })).map(|_| ())
}

/// What the function is asked.
fn payload(invite: &Invite) -> Value {
    let mut request = match invite.what() {
        What::Account => json!({ "action": "create" }),
        What::Password(username) => json!({ "action": "reset_password", "username": username }),
        What::List => json!({ "action": "list" }),
        What::Revoke(id) => json!({ "action": "revoke", "id": id }),
    };
    if let Some(note) = &invite.note {
        request["for"] = json!(note);
    }
    if let Some(days) = invite.days {
        request["days"] = json!(days);
    }
    request
}

fn ask(place: &StackRef, request: &Value) -> Result<Value> {
    let answer = answer(place, request)?;
    if answer.is_null() {
        bail!(
            "the stack {} has no function for invitations: deploy this version first",
            place.name()
        );
    }
    Ok(answer)
}

fn answer(place: &StackRef, request: &Value) -> Result<Value> {
    let mut command = place.command("invite.py")?;
    let said = process::output(command.args(["--payload", &request.to_string()]))?;
    serde_json::from_str(&said).with_context(|| format!("not JSON: {said}"))
}

/// One of a list, as a person reads it.
fn in_words(invitation: &Value) -> Result<String> {
    let text = |key: &str| invitation[key].as_str();
    let mut words = vec![tools::text(invitation, "id")?.to_owned()];
    words.push(match (text("used_at"), text("expires_at")) {
        (Some(used), _) => format!("used {used}"),
        (None, until) => format!("good until {}", until.unwrap_or("?")),
    });
    words.extend(text("used_by").map(|username| format!("by {username}")));
    words.extend(text("password_of").map(|username| format!("sets the password of {username}")));
    words.extend(text("for").map(|note| format!("for {note}")));
    Ok(words.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        invite: Invite,
    }

    fn parsed(line: &str) -> Result<Invite, clap::Error> {
        let words = std::iter::once("invite").chain(line.split_whitespace());
        Line::try_parse_from(words).map(|line| line.invite)
    }

    #[test]
    fn the_function_is_asked_what_was_said() {
        for (line, request) in [
            ("", json!({ "action": "create" })),
            (
                "--for ann --days 3",
                json!({ "action": "create", "for": "ann", "days": 3 }),
            ),
            (
                "--password-of ann --stack longshore",
                json!({ "action": "reset_password", "username": "ann" }),
            ),
            ("--list", json!({ "action": "list" })),
            ("--revoke 0a", json!({ "action": "revoke", "id": "0a" })),
        ] {
            assert_eq!(payload(&parsed(line).unwrap()), request, "{line}");
        }
        assert_eq!(parsed("--stack s").unwrap().stack.as_deref(), Some("s"));
    }

    #[test]
    fn what_is_wrong_is_refused() {
        for line in [
            "ann",
            "--for",
            "--days many",
            "--list --revoke 0a",
            "--list --days 3",
            "--revoke 0a --for ann",
        ] {
            assert!(parsed(line).is_err(), "{line}");
        }
    }

    #[test]
    fn a_list_says_what_became_of_each() {
        let used = json!({
            "id": "0a", "for": "ann", "expires_at": "2026-12-06T00:00:00Z", "used_at": "2026-11-30T00:00:00Z",
            "used_by": "ann",
        });
        assert_eq!(
            in_words(&used).unwrap(),
            "0a, used 2026-11-30T00:00:00Z, by ann, for ann"
        );
        let open = json!({ "id": "0b", "password_of": "ann", "expires_at": "2026-12-06T00:00:00Z" });
        assert_eq!(
            in_words(&open).unwrap(),
            "0b, good until 2026-12-06T00:00:00Z, sets the password of ann"
        );
    }
}
