//! What commands ask the person at the terminal.

use crate::args::Command;
use crate::config::{self, Owner};
use crate::exit::{Exit, Failure};
use crate::output;
use secrecy::{ExposeSecret, SecretString};
use std::io::{self, IsTerminal, Write};

/// What a command needs to know; empty for those that need nothing.
#[derive(Default)]
pub(super) struct Passwords {
    pub(super) current: SecretString,
    pub(super) new: SecretString,
    /// What `reset-password` shows instead of the password until now.
    pub(super) code: SecretString,
}

/// Has the name of the account typed before it is deleted. A password that the environment has says nothing about what somebody
/// means to do now.
pub(super) fn confirm(owner: &Owner, yes: bool) -> Result<(), Failure> {
    if yes {
        return Ok(());
    }
    can_be_asked("not deleted", "longshore delete-account --yes")?;
    output::note(&format!(
        "This deletes the account {} at {}, and every file that it has.",
        owner.username, owner.api
    ));
    let typed = typed("Type the name of the account to go on:", "not deleted")?;
    if typed.trim() == owner.username {
        Ok(())
    } else {
        Err(Failure::failed("not deleted: that is not its name"))
    }
}

/// Whether there is somebody to ask. `undone` says what was not done if there is not; with `command` it is done unasked.
fn can_be_asked(undone: &str, command: &str) -> Result<(), Failure> {
    if io::stdin().is_terminal() {
        return Ok(());
    }
    let message = format!("{undone}: there is no terminal to confirm it at");
    Err(Failure::new(Exit::Usage, message).then(format!("say in advance that it is meant: {command}")))
}

/// What somebody types to a question.
fn typed(question: &str, undone: &str) -> Result<String, Failure> {
    output::question(question);
    let mut typed = String::new();
    let read = io::stdin().read_line(&mut typed);
    read.map_err(|error| Failure::failed(format!("{undone}: {error}")))?;
    Ok(typed)
}

/// Asks before the trash is emptied.
pub(super) fn confirm_emptying(yes: bool) -> Result<(), Failure> {
    if yes {
        return Ok(());
    }
    can_be_asked("not emptied", "longshore trash empty --yes")?;
    let typed = typed(
        "Remove all that is in the trash permanently? [y/N]",
        "not emptied",
    )?;
    if ["y", "yes"].contains(&typed.trim().to_lowercase().as_str()) {
        Ok(())
    } else {
        Err(Failure::failed("not emptied"))
    }
}

/// The passwords a command needs: from `LONGSHORE_PASSWORD` and `LONGSHORE_NEW_PASSWORD`, else from the terminal, unseen.
pub(super) fn ask_passwords(command: &Command) -> Result<Passwords, Failure> {
    let current = |prompt, twice| ask("LONGSHORE_PASSWORD", prompt, twice);
    Ok(match command {
        Command::Signup { .. } => Passwords {
            current: current("Choose a password: ", true)?,
            ..Passwords::default()
        },
        Command::Login { .. } => Passwords {
            current: current("Password: ", false)?,
            ..Passwords::default()
        },
        Command::DeleteAccount { .. } => Passwords {
            current: current("The password, to delete the account and all that it has: ", false)?,
            ..Passwords::default()
        },
        Command::Password => Passwords {
            current: current("The password until now: ", false)?,
            new: ask("LONGSHORE_NEW_PASSWORD", "Choose a password: ", true)?,
            ..Passwords::default()
        },
        Command::ResetPassword { code, .. } => Passwords {
            code: match code {
                Some(code) if !code.is_empty() => code.as_str().into(),
                _ if somebody_is_there() => ask_code("The code that you were given: ")?.into(),
                _ => {
                    return Err(Failure::new(Exit::Usage, "which code?")
                        .then("give what an administrator gave you with --code or LONGSHORE_RESET_CODE"));
                }
            },
            new: ask("LONGSHORE_NEW_PASSWORD", "Choose a password: ", true)?,
            ..Passwords::default()
        },
        _ => Passwords::default(),
    })
}

fn ask(variable: &str, prompt: &str, twice: bool) -> Result<SecretString, Failure> {
    if let Some(password) = config::password(variable)? {
        return Ok(password);
    }
    let ask = |prompt: &str| {
        let typed = rpassword::prompt_password(prompt).map(SecretString::from);
        typed.map_err(|error| {
            Failure::new(Exit::Usage, format!("cannot ask for a password: {error}"))
                .then(format!("give it in the environment variable {variable}"))
        })
    };
    let password = ask(prompt)?;
    if twice && ask("The same again: ")?.expose_secret() != password.expose_secret() {
        return Err(Failure::new(Exit::Usage, "the two passwords differ"));
    }
    Ok(password)
}

/// Whether a question would be seen and could be answered.
pub(super) fn somebody_is_there() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// A code that somebody was given. It is good once, so that it is seen while it is typed does no harm.
pub(super) fn ask_code(prompt: &str) -> Result<String, Failure> {
    let mut line = String::new();
    let asked = io::stderr()
        .write_all(prompt.as_bytes())
        .and_then(|()| io::stdin().read_line(&mut line));
    asked.map_err(|error| Failure::new(Exit::Usage, format!("cannot ask for a code: {error}")))?;
    match line.trim() {
        "" => Err(Failure::new(Exit::Usage, "no code was given")),
        code => Ok(code.to_owned()),
    }
}
