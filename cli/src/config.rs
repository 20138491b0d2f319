//! The session of the last login, kept in a file that only its owner can read.

use crate::exit::{Exit, Failure};
use crate::output;
use client::session::{Keeper, Tokens};
use serde::{Deserialize, Serialize};
use std::env;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

const FILE: &str = "session.json";

/// Who is signed in where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Session {
    pub(crate) api: String,
    pub(crate) username: String,
    pub(crate) tokens: Tokens,
}

/// Keeps the tokens of a session where the session is kept, as long as it is: another process may have signed out, or in as
/// somebody else.
pub(crate) struct InFile {
    api: String,
    username: String,
}

impl InFile {
    pub(crate) fn of(session: &Session) -> Self {
        Self {
            api: session.api.clone(),
            username: session.username.clone(),
        }
    }

    fn session(&self) -> Option<Session> {
        let kept = load().ok().flatten();
        kept.filter(|kept| kept.api == self.api && kept.username == self.username)
    }
}

impl Keeper for InFile {
    fn load(&self) -> Option<Tokens> {
        self.session().map(|session| session.tokens)
    }

    fn keep(&self, tokens: &Tokens) {
        // Another process may have newer ones.
        let older = |session: &Session| session.tokens.good_until <= tokens.good_until;
        let Some(session) = self.session().filter(older) else {
            return;
        };
        let session = Session {
            tokens: tokens.clone(),
            ..session
        };
        if let Err(failure) = save(&session) {
            output::note(&format!(
                "longshore: warning: {}; sign in again next time",
                failure.message
            ));
        }
    }
}

/// The session of the last login, if there was one.
pub(crate) fn load() -> Result<Option<Session>, Failure> {
    load_from(&folder()?)
}

/// Remembers a session.
pub(crate) fn save(session: &Session) -> Result<(), Failure> {
    save_to(&folder()?, session)
}

/// Forgets the session.
pub(crate) fn forget() -> Result<(), Failure> {
    let path = folder()?.join(FILE);
    match fs::remove_file(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(Failure::failed(format!(
            "cannot remove {}: {error}",
            path.display()
        ))),
        _ => Ok(()),
    }
}

fn load_from(folder: &Path) -> Result<Option<Session>, Failure> {
    let path = folder.join(FILE);
    match fs::read(&path) {
        Ok(bytes) => serde_json::from_slice(&bytes).map(Some).map_err(|error| {
            Failure::failed(format!("{} is damaged: {error}", path.display()))
                .then("sign in again: longshore login <username>")
        }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Failure::failed(format!(
            "cannot read {}: {error}",
            path.display()
        ))),
    }
}

/// Writes beside the file and renames, so that a crash leaves the old session or the new one.
fn save_to(folder: &Path, session: &Session) -> Result<(), Failure> {
    let write = || -> io::Result<()> {
        make_private(folder)?;
        // Temporary files are readable by their owner only, and a rename keeps that.
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        serde_json::to_writer_pretty(&mut file, session)?;
        file.write_all(b"\n")?;
        file.as_file().sync_all()?;
        file.persist(folder.join(FILE))?;
        Ok(())
    };
    write().map_err(|error| {
        Failure::failed(format!(
            "cannot keep the session in {}: {error}",
            folder.display()
        ))
        .then("choose another folder with LONGSHORE_CONFIG_DIR")
    })
}

#[cfg(unix)]
fn make_private(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

#[cfg(not(unix))]
fn make_private(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)
}

fn folder() -> Result<PathBuf, Failure> {
    let set = |name: &str| {
        env::var_os(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    set("LONGSHORE_CONFIG_DIR")
        .or_else(|| {
            set("XDG_CONFIG_HOME")
                .or_else(|| set("APPDATA"))
                .map(|base| base.join("longshore"))
        })
        .or_else(|| set("HOME").map(|home| home.join(".config").join("longshore")))
        .ok_or_else(|| {
            Failure::new(Exit::Failed, "there is no place to keep the session")
                .then("set LONGSHORE_CONFIG_DIR to a folder")
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use client::Token;
    use jiff::Timestamp;

    fn session() -> Session {
        Session {
            api: "http://127.0.0.1:1/x".into(),
            username: "ada".into(),
            tokens: Tokens {
                access: Token::new("t0k3n"),
                good_until: Timestamp::UNIX_EPOCH,
                refresh: Token::new("r3fr3sh"),
            },
        }
    }

    #[test]
    fn a_session_is_kept_and_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("deep/er");
        assert_eq!(load_from(&inner).unwrap(), None);
        save_to(&inner, &session()).unwrap();
        let other = Session {
            username: "grace".into(),
            ..session()
        };
        save_to(&inner, &other).unwrap();
        assert_eq!(load_from(&inner).unwrap(), Some(other));
        assert_eq!(
            fs::read_dir(&inner).unwrap().count(),
            1,
            "no temporary file stays"
        );
    }

    #[cfg(unix)]
    #[test]
    fn only_the_owner_can_read_it() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("longshore");
        save_to(&inner, &session()).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&inner), mode(&inner.join(FILE))), (0o700, 0o600));
    }

    #[test]
    fn a_damaged_session_names_the_way_out() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(FILE), "{").unwrap();
        let failure = load_from(folder.path()).unwrap_err();
        assert!(failure.next_step.unwrap().contains("longshore login"));
    }

    #[test]
    fn a_session_does_not_show_its_token() {
        let shown = format!("{:?}", session());
        assert!(!shown.contains("t0k3n") && !shown.contains("r3fr3sh"), "{shown}");
    }
}
