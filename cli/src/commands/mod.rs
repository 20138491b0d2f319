//! What each command does.

mod account;
mod batches;
mod cp;
mod download;
mod du;
mod find;
mod link;
mod ls;
mod mkdir;
mod mv;
mod place;
mod questions;
mod replicas;
mod rm;
mod session;
mod several;
mod sources;
mod status;
mod token;
mod trash;
mod upload;
mod uploads;
mod versioned;
mod versions;

use crate::args::{Arguments, Command, Replicas, Trash, Uploads, Versions};
use crate::config::{self, InFile, Owner};
use crate::destination::is_passed_on;
use crate::exit::{Exit, Failure};
use crate::progress::Display;
use crate::{human, output};
use client::tree::{self, RemotePath, TreeNode};
use client::types::{Node, NodeKind, Upload};
use client::{Api, ApiError};
use questions::Passwords;
use serde_json::json;
use std::env;
use std::io::{self, IsTerminal};
use std::sync::OnceLock;
use std::time::Duration;

/// What every command needs.
pub(crate) struct Context {
    /// The address given with this call, which wins over the last login's.
    api: Option<String>,
    json: bool,
    quiet: bool,
    passwords: Passwords,
    pub(crate) display: Display,
    /// The session of the last login, once a command uses it. It stays the same, even if another user signs
    /// in meanwhile.
    in_use: OnceLock<(Api, Owner)>,
}

impl Context {
    pub(crate) fn new(arguments: &Arguments) -> Self {
        // A script that reads JSON wants no bar between its own lines, unless a person looks on.
        let quiet = arguments.quiet || (arguments.json && !io::stderr().is_terminal());
        Self {
            api: arguments.api.clone().filter(|address| !address.trim().is_empty()),
            json: arguments.json,
            quiet: arguments.quiet,
            passwords: Passwords::default(),
            display: Display::new(quiet),
            in_use: OnceLock::new(),
        }
    }

    /// Asks for what a command needs to be told by a person. Blocks, and wants Ctrl-C to end the process as it does by default,
    /// because only then the shell repairs the terminal.
    pub(crate) fn ask(&mut self, command: &Command) -> Result<(), Failure> {
        // Nobody types a password to be told then that it could not have been used.
        match command {
            Command::Signup { .. } | Command::Login { .. } | Command::ResetPassword { .. } => {
                drop(self.anonymous()?);
            }
            Command::Password => drop(self.with_session()?),
            Command::DeleteAccount { yes } => questions::confirm(&self.owner()?, *yes)?,
            Command::Trash(Trash::Empty { yes }) => questions::confirm_emptying(*yes)?,
            _ => {}
        }
        self.passwords = questions::ask_passwords(command)?;
        Ok(())
    }

    /// Waits until the session can be gone on with by another process, but not for long.
    pub(crate) async fn settled(&self) {
        if let Some((api, _)) = self.in_use.get() {
            // A user who interrupts a command wants to have the terminal back.
            let _ = tokio::time::timeout(Duration::from_secs(5), api.settled()).await;
        }
    }

    /// The API, without anybody signed in.
    fn anonymous(&self) -> Result<Api, Failure> {
        let address = match &self.api {
            Some(address) => address.clone(),
            None => config::load()?.map(|session| session.api).ok_or_else(|| {
                Failure::new(Exit::Usage, "which API?").then("give its address with --api or LONGSHORE_API")
            })?,
        };
        Ok(Api::new(&address)?)
    }

    /// The API, with the personal access token that the environment has, or with the account of the last login.
    fn signed_in(&self) -> Result<Api, Failure> {
        match config::token()? {
            Some(token) => Ok(self.anonymous()?.with_token(token)),
            None => self.with_session(),
        }
    }

    /// Whose the last login is.
    fn owner(&self) -> Result<Owner, Failure> {
        self.session().map(|(_, owner)| owner)
    }

    /// The API, with the account of the last login.
    fn with_session(&self) -> Result<Api, Failure> {
        self.session().map(|(api, _)| api)
    }

    fn session(&self) -> Result<(Api, Owner), Failure> {
        if let Some(in_use) = self.in_use.get() {
            return Ok(in_use.clone());
        }
        let not_signed_in = |message: String| {
            Failure::new(Exit::NotSignedIn, message).then("sign in: longshore login <username>")
        };
        let session = config::load()?.ok_or_else(|| not_signed_in("not signed in".to_owned()))?;
        let kept = Api::new(&session.api)?;
        let api = match &self.api {
            Some(address) => Api::new(address)?,
            None => kept.clone(),
        };
        // A token is for the API that gave it and nobody else.
        if api.base().trim_end_matches('/') == kept.base().trim_end_matches('/') {
            let owner = session.owner();
            let api = api.with_session(session.tokens, Box::new(InFile(owner.clone())));
            Ok(self.in_use.get_or_init(|| (api, owner)).clone())
        } else {
            Err(not_signed_in(format!("not signed in to {}", api.base())))
        }
    }
}

/// Runs a command.
pub(crate) async fn run(context: &Context, command: &Command) -> Result<(), Failure> {
    match command {
        Command::Signup { username, invitation } => {
            account::signup(context, username, invitation.as_deref()).await
        }
        Command::Login { username } => account::login(context, username).await,
        Command::Logout { everywhere } => account::logout(context, *everywhere).await,
        Command::Password => account::password(context).await,
        Command::ResetPassword { username, .. } => account::reset_password(context, username).await,
        Command::DeleteAccount { .. } => account::delete(context).await,
        Command::Token(command) => token::run(context, command).await,
        Command::Session(command) => session::run(context, command).await,
        Command::Whoami => account::whoami(context).await,
        Command::Upload(arguments) => upload::run(context, arguments).await,
        Command::Ls {
            path,
            recursive,
            long,
        } => ls::run(context, path, *recursive, *long).await,
        Command::Find { words, under } => find::run(context, words, under).await,
        Command::Du { path } => du::run(context, path).await,
        Command::Download(arguments) => download::run(context, arguments, None).await,
        Command::Link { path } => link::run(context, path).await,
        Command::Mkdir { paths, parents } => mkdir::run(context, paths, *parents).await,
        Command::Mv {
            paths,
            to,
            on_conflict,
        } => mv::run(context, paths, to, (*on_conflict).into()).await,
        Command::Cp {
            paths,
            to,
            recursive,
            on_conflict,
        } => cp::run(context, paths, to, *recursive, (*on_conflict).into()).await,
        Command::Rm {
            paths, upload: true, ..
        } => rm::uploads(context, paths).await,
        Command::Rm {
            paths, permanently, ..
        } => rm::nodes(context, paths, *permanently).await,
        Command::Trash(command) => trash::run(context, command).await,
        Command::Versions(command) => versions::run(context, command).await,
        Command::Uploads { command: None } => uploads::list(context).await,
        Command::Uploads {
            command: Some(Uploads::Abort { ids, .. }),
        } => uploads::abort(context, ids).await,
        Command::Status { path } => status::run(context, path).await,
        Command::Replicas(Replicas::Status) => replicas::status(context).await,
        Command::Replicas(Replicas::Redrive { target }) => {
            replicas::redrive(context, target.as_deref()).await
        }
    }
}

/// The file with this path.
async fn file_at(api: &Api, path: &RemotePath) -> Result<Box<Node>, Failure> {
    match tree::walk(api, path).await? {
        TreeNode::Node(node) if node.kind != NodeKind::Folder => Ok(node),
        _ => Err(not_a_file(path)),
    }
}

/// What is in a folder that was listed; none when it is not there any more.
async fn files_in(api: &Api, path: &RemotePath, folder: &Node) -> Result<Option<Vec<Node>>, Failure> {
    match api.all_files(Some(&folder.id)).await {
        Ok(nodes) => Ok(Some(nodes)),
        Err(error) if error.is("not_found") => Ok(None),
        Err(error) => Err(Failure::from(error).about(&path.to_string())),
    }
}

/// What a node is, in a word.
fn kind(node: &Node) -> &'static str {
    match node.kind {
        NodeKind::File => "file",
        NodeKind::Folder => "folder",
        NodeKind::Other => "other",
    }
}

fn not_a_file(path: &RemotePath) -> Failure {
    Failure::new(Exit::Usage, format!("'{path}' is a folder")).then(format!(
        "list it: longshore ls {}",
        human::quoted(path.to_string())
    ))
}

/// Says that a session or a token was ended, or why not.
fn ended(context: &Context, id: &str, result: Result<(), ApiError>) -> Result<(), Failure> {
    result.map_err(|error| Failure::from(error).about(id))?;
    if context.json {
        output::json(&json!({ "id": id }));
    } else {
        output::line(&format!("{id} is over."));
    }
    Ok(())
}

/// What to tell somebody who interrupted a command.
pub(crate) fn how_to_go_on(context: &Context, command: &Command) -> Option<String> {
    let (done, place) = match command {
        Command::Upload(_) => (
            "stored",
            "run the same command again, here or on another machine, to resume",
        ),
        // What was passed on is gone, and a new run begins anew.
        Command::Download(download) | Command::Versions(Versions::Download { download, .. })
            if download.output.as_deref().is_some_and(is_passed_on) =>
        {
            return None;
        }
        Command::Download(_) | Command::Versions(Versions::Download { .. }) => {
            ("on this disk", "run the same command again to resume")
        }
        _ => return None,
    };
    let words: Vec<String> = env::args_os().map(human::quoted).collect();
    let parts = context.display.parts();
    let kept = parts
        .map(|(some, all)| format!("{some} of {all} parts are {done}; "))
        .unwrap_or_default();
    Some(format!("{kept}{place}:\n  {}", words.join(" ")))
}

/// The account's unfinished uploads of `name` in `parent`, with the parts they have.
async fn uploads_of(api: &Api, parent: Option<&str>, name: &str) -> Result<Vec<Upload>, Failure> {
    let mut found = Vec::new();
    for upload in api.all_uploads().await? {
        if upload.state.is_in_progress() && upload.name == name && upload.parent.as_deref() == parent {
            match api.upload(&upload.id).await {
                Ok(upload) => found.push(upload),
                // It ended just now.
                Err(error) if error.is("not_found") => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
    Ok(found)
}
