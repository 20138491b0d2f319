//! The command line's shape.

use clap::{Args, Parser, Subcommand, ValueEnum};
use client::types;
use std::num::NonZeroUsize;
use std::path::PathBuf;

const AFTER_HELP: &str = "\
Environment:
  LONGSHORE_API         address of the API, like --api
  LONGSHORE_PASSWORD    password for signup, login and password, instead of the prompt
  LONGSHORE_NEW_PASSWORD  the new one for password and reset-password
  LONGSHORE_INVITATION  code of an invitation for signup, like --invitation
  LONGSHORE_RESET_CODE  code for reset-password, like --code
  LONGSHORE_TOKEN       personal access token, instead of a login
                        (line breaks at the end of passwords and white space around tokens are ignored)
  LONGSHORE_CONFIG_DIR  where the session is kept (default: $XDG_CONFIG_HOME/longshore)

Exit codes:
    0  done
    1  failed
    2  wrong usage
    3  not signed in
    4  not found, here or there
    5  conflict: the name is taken, or the folder not empty
    6  quota exceeded
    7  the API or the store is out of reach
    8  the bytes are not what they should be; no file was saved
  130  interrupted (Ctrl-C, or asked to end by the system); upload and download go on where they stopped when run again

A command that is given several files or ids does what it can, tells why each other failed, and ends with the code that
all failures share, with 3 or 7 when that kept it from going on, or else with 1.";

/// Keeps files: uploads in verified parts, resumable both ways, with verified copies in other stores.
#[derive(Debug, Parser)]
#[command(name = "longshore", version, after_help = AFTER_HELP, arg_required_else_help = true)]
pub(crate) struct Arguments {
    /// Address of the API [default: that of the last login]
    #[arg(
        long,
        global = true,
        value_name = "URL",
        env = "LONGSHORE_API",
        hide_env_values = true
    )]
    pub(crate) api: Option<String>,
    /// Write JSON: one document per line on standard output, errors on standard error
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Show no progress
    #[arg(short, long, global = true)]
    pub(crate) quiet: bool,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Register and sign in
    Signup {
        /// The name to register
        username: String,
        /// The code of an invitation; asked for where one is needed
        #[arg(
            long,
            value_name = "CODE",
            env = "LONGSHORE_INVITATION",
            hide_env_values = true
        )]
        invitation: Option<String>,
    },
    /// Sign in
    Login {
        /// The name to sign in with
        username: String,
    },
    /// Sign out
    Logout {
        /// End all sessions of the account, on all machines. Personal access tokens stay good
        #[arg(long)]
        everywhere: bool,
    },
    /// Change the password, and end the sessions on all other machines
    Password,
    /// Set a forgotten password with a code that an administrator gave, end all sessions, and sign in
    ResetPassword {
        /// The name to sign in with
        username: String,
        /// The code; asked for if it is not given
        #[arg(
            long,
            value_name = "CODE",
            env = "LONGSHORE_RESET_CODE",
            hide_env_values = true
        )]
        code: Option<String>,
    },
    /// Delete the account, and every file that it has
    DeleteAccount {
        /// Do not ask for the account's name to be typed, for scripts
        #[arg(long)]
        yes: bool,
    },
    /// Tokens for programs, which cannot type passwords
    #[command(subcommand)]
    Token(Token),
    /// Show who is signed in, and how much room is left
    Whoami,
    /// Upload files; run again to resume an interrupted upload
    Upload(Upload),
    /// List a folder
    Ls {
        /// The folder, or one file
        #[arg(default_value = "/")]
        path: String,
    },
    /// Download a file, verified; run again to resume an interrupted download
    Download(Download),
    /// Remove a file or an empty folder
    Rm {
        /// What to remove
        path: String,
        /// Give up the unfinished uploads of this name instead, and what they have sent
        #[arg(long)]
        upload: bool,
    },
    /// List unfinished uploads, also those whose folder is gone, or give them up
    Uploads {
        #[command(subcommand)]
        command: Option<Uploads>,
    },
    /// Show a file's copies, or how far an upload is
    Status {
        /// The file, or the name of an unfinished upload
        path: String,
    },
    /// Look after the copies in other stores (operators only)
    #[command(subcommand)]
    Replicas(Replicas),
}

#[derive(Debug, Subcommand)]
pub(crate) enum Uploads {
    /// Give unfinished uploads up, and what they have sent
    Abort {
        /// Their ids, as `longshore uploads` shows them
        #[arg(required_unless_present = "all", value_name = "ID")]
        ids: Vec<String>,
        /// All that the account has
        #[arg(long, conflicts_with = "ids")]
        all: bool,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Token {
    /// Make one. It is shown once
    Create {
        /// What to call it
        name: String,
        /// What it lets its bearer do; may be given more than once
        #[arg(long = "scope", value_enum, required = true, value_name = "SCOPE")]
        scopes: Vec<Scope>,
        /// How many days it is good, 366 at most
        #[arg(long, default_value_t = 90, value_parser = clap::value_parser!(u16).range(1..=366))]
        days: u16,
    },
    /// List them
    Ls,
    /// End one
    Rm {
        /// Its id
        id: String,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Scope {
    /// See and download files
    Read,
    /// Begin, send and complete uploads, and make folders; `longshore upload` wants `read` as well
    Upload,
    /// Delete files, look after tokens and, for operators, targets
    Admin,
}

impl From<Scope> for types::Scope {
    fn from(scope: Scope) -> Self {
        match scope {
            Scope::Read => Self::Read,
            Scope::Upload => Self::Upload,
            Scope::Admin => Self::Admin,
        }
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum Replicas {
    /// Show how copying to each target goes
    Status,
    /// Try again what was given up
    Redrive {
        /// Only at this target
        #[arg(long, value_name = "NAME")]
        target: Option<String>,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Upload {
    /// Local plain files. Each gets its own name over there; names that differ in case are different names
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// Folder to upload to; made if it is not there
    #[arg(long, value_name = "FOLDER", default_value = "/")]
    pub(crate) to: String,
    /// What to do when another file has the name already. An interrupted upload may be run again with another choice
    #[arg(long, value_enum, value_name = "WHAT", default_value_t)]
    pub(crate) on_conflict: OnConflict,
    #[command(flatten)]
    pub(crate) streams: Streams,
}

/// A file with the same name and the same bytes is never a conflict: it is there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum OnConflict {
    /// Leave it alone and say so
    #[default]
    Fail,
    /// Keep both: the new one becomes "name (1).txt", or the first number that is free
    Rename,
    /// Give the other file the new bytes; a folder is never replaced
    Replace,
}

impl From<OnConflict> for types::OnConflict {
    fn from(choice: OnConflict) -> Self {
        match choice {
            OnConflict::Fail => Self::Fail,
            OnConflict::Rename => Self::Rename,
            OnConflict::Replace => Self::Replace,
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct Download {
    /// The file to download
    pub(crate) path: String,
    /// Local file, or folder to put it in (made if it ends with /); "-" is standard output [default: its own name, here]
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Replace a local file that exists
    #[arg(short, long)]
    pub(crate) force: bool,
    #[command(flatten)]
    pub(crate) streams: Streams,
}

#[derive(Debug, Args)]
pub(crate) struct Streams {
    /// Parts to move at a time
    #[arg(long, value_name = "N", default_value = "4")]
    pub(crate) streams: NonZeroUsize,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_shape_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn every_exit_code_is_documented() {
        for exit in crate::exit::Exit::ALL {
            let code = format!("\n{:>5}  ", exit as u8);
            assert!(AFTER_HELP.contains(&code), "{code}");
        }
    }
}
