//! The commands of `longshore`, their options and help texts. `docs/cli.md` is made from them.

#[cfg(test)]
mod documented;
mod help;
mod transfers;
mod values;
mod versions;

pub(crate) use transfers::{Download, Upload};
pub(crate) use values::{OnConflict, Scope};
pub(crate) use versions::Versions;

use clap::{Parser, Subcommand};

/// Uploads and downloads files, verified and resumable, and shows their replicas.
#[derive(Debug, Parser)]
#[command(name = "longshore", version, after_help = help::LONGSHORE, arg_required_else_help = true)]
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
    /// Create an account and sign in
    #[command(after_help = help::SIGNUP)]
    Signup {
        /// Name of the new account
        username: String,
        /// Invitation code; prompted for if the API requires one
        #[arg(
            long,
            value_name = "CODE",
            env = "LONGSHORE_INVITATION",
            hide_env_values = true
        )]
        invitation: Option<String>,
    },
    /// Sign in
    #[command(after_help = help::LOGIN)]
    Login {
        /// Name of the account
        username: String,
    },
    /// Sign out
    #[command(after_help = help::LOGOUT)]
    Logout {
        /// End all sessions of the account, on all machines. Personal access tokens stay valid
        #[arg(long)]
        everywhere: bool,
    },
    /// Change the password, and end the sessions on all other machines
    #[command(after_help = help::PASSWORD)]
    Password,
    /// Set a new password with a code from an administrator, end all sessions, and sign in
    #[command(after_help = help::RESET_PASSWORD)]
    ResetPassword {
        /// Name of the account
        username: String,
        /// Code from an administrator; prompted for if not set
        #[arg(
            long,
            value_name = "CODE",
            env = "LONGSHORE_RESET_CODE",
            hide_env_values = true
        )]
        code: Option<String>,
    },
    /// Delete the account and all its files
    #[command(after_help = help::DELETE_ACCOUNT)]
    DeleteAccount {
        /// Do not ask for the name of the account, for scripts
        #[arg(long)]
        yes: bool,
    },
    /// Manage personal access tokens, with which programs sign in
    #[command(subcommand, after_help = help::TOKEN)]
    Token(Token),
    /// Show where the account is signed in, and end sessions
    #[command(subcommand, after_help = help::SESSION)]
    Session(Session),
    /// Show the account that is signed in, and what has how much of its quota
    #[command(after_help = help::WHOAMI)]
    Whoami,
    /// Upload files; run again to resume an interrupted upload
    #[command(after_help = help::UPLOAD)]
    Upload(Upload),
    /// List a folder
    #[command(after_help = help::LS)]
    Ls {
        /// Path of a folder or a file
        #[arg(default_value = "/")]
        path: String,
        /// List the folders in it as well, and those in them
        #[arg(short = 'R', long)]
        recursive: bool,
        /// Show kind and id, too
        #[arg(short, long)]
        long: bool,
    },
    /// Find files and folders by words in their names
    #[command(after_help = help::FIND)]
    Find {
        /// Words, which all have to be in the name
        #[arg(required = true, value_name = "WORD")]
        words: Vec<String>,
        /// Folder to look in, with the folders in it
        #[arg(long, value_name = "FOLDER", default_value = "/")]
        under: String,
    },
    /// Show how much is in a folder, and in each of its folders
    #[command(after_help = help::DU)]
    Du {
        /// Path of a folder or a file
        #[arg(default_value = "/")]
        path: String,
    },
    /// Download a file and verify it; run again to resume an interrupted download
    #[command(after_help = help::DOWNLOAD)]
    Download(Download),
    /// Print a URL from which a file can be downloaded for 15 minutes, without signing in
    #[command(after_help = help::LINK)]
    Link {
        /// Path of the file
        path: String,
    },
    /// Create folders
    #[command(after_help = help::MKDIR)]
    Mkdir {
        /// Paths of folders
        #[arg(required = true, value_name = "PATH")]
        paths: Vec<String>,
        /// Create the folders above them as well, and accept those that exist
        #[arg(short, long)]
        parents: bool,
    },
    /// Rename or move files and folders
    #[command(after_help = help::MV)]
    Mv {
        /// Paths of files or folders
        #[arg(required = true, value_name = "PATH")]
        paths: Vec<String>,
        /// Folder to move them into, or the new path of a single one
        to: String,
        /// What to do if the name is taken by another file
        #[arg(long, value_enum, value_name = "WHAT", default_value_t)]
        on_conflict: OnConflict,
    },
    /// Copy files and folders within the store, without downloading them
    #[command(after_help = help::CP)]
    Cp {
        /// Paths of files, or of folders with --recursive
        #[arg(required = true, value_name = "PATH")]
        paths: Vec<String>,
        /// Folder to copy them into, or the path of a single copy
        to: String,
        /// Copy folders with all that is in them
        #[arg(short, long)]
        recursive: bool,
        /// What to do if the name is taken by another file
        #[arg(long, value_enum, value_name = "WHAT", default_value_t)]
        on_conflict: OnConflict,
    },
    /// Delete files and folders: they go to the trash
    #[command(after_help = help::RM)]
    Rm {
        /// Paths of files or folders
        #[arg(required = true, value_name = "PATH")]
        paths: Vec<String>,
        /// Do not keep them in the trash; they cannot be restored
        #[arg(long)]
        permanently: bool,
        /// Abort the unfinished uploads with these paths instead, and discard what they sent
        #[arg(long, conflicts_with = "permanently")]
        upload: bool,
    },
    /// List what is in the trash, restore it, or remove it permanently
    #[command(subcommand, after_help = help::TRASH)]
    Trash(Trash),
    /// List earlier contents of a file, restore, download, keep or remove them
    #[command(subcommand, after_help = help::VERSIONS)]
    Versions(Versions),
    /// List unfinished uploads, also those whose folder was deleted, or abort them
    #[command(after_help = help::UPLOADS)]
    Uploads {
        #[command(subcommand)]
        command: Option<Uploads>,
    },
    /// Show the replicas of a file, or the progress of an upload
    #[command(after_help = help::STATUS)]
    Status {
        /// Path of a file, a folder or an unfinished upload
        path: String,
    },
    /// Show how replication to other object stores goes, and retry what failed (operators only)
    #[command(subcommand, after_help = help::REPLICAS)]
    Replicas(Replicas),
}

#[derive(Debug, Subcommand)]
pub(crate) enum Uploads {
    /// Abort unfinished uploads, and discard what they sent
    #[command(after_help = help::UPLOADS_ABORT)]
    Abort {
        /// Ids of uploads, as `longshore uploads` shows them
        #[arg(required_unless_present = "all", value_name = "ID")]
        ids: Vec<String>,
        /// Abort all unfinished uploads of the account
        #[arg(long, conflicts_with = "ids")]
        all: bool,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Token {
    /// Create a token. It is shown once
    #[command(after_help = help::TOKEN_CREATE)]
    Create {
        /// Name of the token, to recognize it in the list
        name: String,
        /// What the token permits; can be repeated
        #[arg(long = "scope", value_enum, required = true, value_name = "SCOPE")]
        scopes: Vec<Scope>,
        /// Days until it expires, at most 366
        #[arg(long, default_value_t = 90, value_parser = clap::value_parser!(u16).range(1..=366))]
        days: u16,
    },
    /// List the tokens of the account
    #[command(after_help = help::TOKEN_LS)]
    Ls,
    /// Revoke a token
    #[command(after_help = help::TOKEN_RM)]
    Rm {
        /// Id of the token, as `longshore token ls` shows it
        id: String,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Trash {
    /// List what is in the trash, the newest first
    #[command(after_help = help::TRASH_LS)]
    Ls,
    /// Restore files and folders
    #[command(after_help = help::TRASH_RESTORE)]
    Restore {
        /// Paths that they had, or ids, as `longshore trash ls` shows them
        #[arg(required = true, value_name = "PATH")]
        paths: Vec<String>,
        /// Folder to restore them into, instead of the one that they were in
        #[arg(long, value_name = "FOLDER")]
        to: Option<String>,
        /// What to do if the name is taken
        #[arg(long, value_enum, value_name = "WHAT", default_value_t)]
        on_conflict: OnConflict,
    },
    /// Remove files and folders permanently
    #[command(after_help = help::TRASH_RM)]
    Rm {
        /// Paths that they had, or ids, as `longshore trash ls` shows them
        #[arg(required = true, value_name = "PATH")]
        paths: Vec<String>,
    },
    /// Remove all that is in the trash permanently
    #[command(after_help = help::TRASH_EMPTY)]
    Empty {
        /// Do not ask, for scripts
        #[arg(long)]
        yes: bool,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Session {
    /// List the sessions of the account
    #[command(after_help = help::SESSION_LS)]
    Ls,
    /// End a session, for example on a machine that was lost
    #[command(after_help = help::SESSION_RM)]
    Rm {
        /// Id of the session, as `longshore session ls` shows it
        id: String,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Replicas {
    /// Show the replication status of each target
    #[command(after_help = help::REPLICAS_STATUS)]
    Status,
    /// Retry failed replicas
    #[command(after_help = help::REPLICAS_REDRIVE)]
    Redrive {
        /// Only those at this target
        #[arg(long, value_name = "NAME")]
        target: Option<String>,
    },
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
            assert!(help::LONGSHORE.contains(&code), "{code}");
        }
    }
}
