//! The session of the last login, kept in a file that only its owner can read.

use crate::exit::{Exit, Failure};
use crate::output;
use client::session::{Keeper, Tokens};
use client::{InvalidToken, Token, own_file};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use std::env;
use std::fs::{self, File, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

const FILE: &str = "session.json";
const LOCK: &str = "session.lock";
/// How long to wait for others, who have the lock for some milliseconds each.
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// Who is signed in where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Session {
    pub(crate) api: String,
    pub(crate) username: String,
    pub(crate) tokens: Tokens,
}

/// Whose session it is, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Owner {
    pub(crate) api: String,
    pub(crate) username: String,
}

impl Session {
    pub(crate) fn owner(&self) -> Owner {
        Owner {
            api: self.api.clone(),
            username: self.username.clone(),
        }
    }
}

impl Owner {
    fn has(&self, session: &Session) -> bool {
        self.api == session.api && self.username == session.username
    }
}

/// Keeps the tokens of a session where the session is kept, as long as it is: another process may have signed out, or in as
/// somebody else.
pub(crate) struct InFile(pub(crate) Owner);

impl Keeper for InFile {
    fn load(&self) -> Option<Tokens> {
        let kept = load().ok().flatten();
        kept.filter(|kept| self.0.has(kept)).map(|kept| kept.tokens)
    }

    fn keep(&self, tokens: &Tokens, before: &[Token]) {
        let kept = folder().and_then(|folder| keep_in(&folder, &self.0, tokens, before));
        if let Err(failure) = kept {
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

/// Remembers a session, whatever was kept before.
pub(crate) fn save(session: &Session) -> Result<(), Failure> {
    save_to(&folder()?, session)
}

/// Forgets the session of `owner`. If somebody else has signed in meanwhile, it is forgotten already.
pub(crate) fn forget(owner: &Owner) -> Result<(), Failure> {
    forget_in(&folder()?, owner)
}

/// The personal access token that the environment has. One that cannot be one is an error: a command that goes on without
/// it would be somebody else's.
pub(crate) fn token() -> Result<Option<Token>, Failure> {
    const NAME: &str = "LONGSHORE_TOKEN";
    let Some(text) = env::var_os(NAME).filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    // What is in it stays out of the message.
    let token = text.to_str().ok_or(InvalidToken).and_then(str::parse);
    token.map(Some).map_err(|error| {
        Failure::new(Exit::Usage, format!("{NAME}: {error}"))
            .then("set it to what `longshore token create` has shown, or unset it")
    })
}

/// A password that the environment has, without the line break at its end that files have: nobody can type one.
pub(crate) fn password(name: &str) -> Result<Option<SecretString>, Failure> {
    let Some(text) = env::var_os(name) else {
        return Ok(None);
    };
    let text = text
        .into_string()
        .map_err(|_| Failure::new(Exit::Usage, format!("{name} is not in UTF-8")))?;
    Ok(Some(text.trim_end_matches(['\r', '\n']).into()))
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

fn save_to(folder: &Path, session: &Session) -> Result<(), Failure> {
    let saved = lock(folder).and_then(|lock| write(folder, session, &lock));
    saved.map_err(|error| cannot_keep(folder, &error))
}

/// Keeps exchanged tokens in the place of those that they were exchanged for. What else is kept there stays: it is of
/// another session, or another process has exchanged these again.
fn keep_in(folder: &Path, owner: &Owner, tokens: &Tokens, before: &[Token]) -> Result<(), Failure> {
    let lock = lock(folder).map_err(|error| cannot_keep(folder, &error))?;
    let is_before = |kept: &Session| owner.has(kept) && before.contains(&kept.tokens.refresh);
    let Some(kept) = load_from(folder)?.filter(is_before) else {
        return Ok(());
    };
    let session = Session {
        tokens: tokens.clone(),
        ..kept
    };
    write(folder, &session, &lock).map_err(|error| cannot_keep(folder, &error))
}

fn forget_in(folder: &Path, owner: &Owner) -> Result<(), Failure> {
    let path = folder.join(FILE);
    let failed = |error| Failure::failed(format!("cannot remove {}: {error}", path.display()));
    let _lock = lock(folder).map_err(failed)?;
    if !load_from(folder)?.is_some_and(|kept| owner.has(&kept)) {
        return Ok(());
    }
    match fs::remove_file(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed(error)),
        _ => Ok(()),
    }
}

/// Holds off all who change the session, until it is dropped.
struct Lock {
    _file: File,
}

/// What looks at the session and then changes it has to have the lock all the while.
fn lock(folder: &Path) -> io::Result<Lock> {
    make_private(folder)?;
    let path = folder.join(LOCK);
    // Nobody reads it, so it may be anybody's: a container's or an administrator's who used the same folder.
    let file = own_file::open_or_make_of_anybody(&path)
        .map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", path.display())))?;
    let began = Instant::now();
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(Lock { _file: file }),
            // Not every file system has locks.
            Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => {
                return Ok(Lock { _file: file });
            }
            Err(TryLockError::Error(error)) => return Err(error),
            Err(TryLockError::WouldBlock) if began.elapsed() < LONGEST_WAIT => {
                thread::sleep(Duration::from_millis(10));
            }
            Err(TryLockError::WouldBlock) => {
                return Err(io::Error::new(
                    io::ErrorKind::TimedOut,
                    "another process is changing it and does not end",
                ));
            }
        }
    }
}

/// Writes beside the file and renames, so that a crash leaves the old session or the new one, and that nothing is written
/// through a link.
fn write(folder: &Path, session: &Session, _: &Lock) -> io::Result<()> {
    // Temporary files are readable by their owner only, and a rename keeps that.
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    serde_json::to_writer_pretty(&mut file, session)?;
    file.write_all(b"\n")?;
    file.as_file().sync_all()?;
    file.persist(folder.join(FILE))?;
    Ok(())
}

fn cannot_keep(folder: &Path, error: &io::Error) -> Failure {
    Failure::failed(format!(
        "cannot keep the session in {}: {error}",
        folder.display()
    ))
    .then("choose another folder with LONGSHORE_CONFIG_DIR")
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
    use jiff::Timestamp;

    fn tokens(refresh: &str) -> Tokens {
        Tokens {
            refresh: Token::new(refresh),
            ..session().tokens
        }
    }

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
        let mut names: Vec<_> = fs::read_dir(&inner)
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        names.sort();
        assert_eq!(names, [FILE, LOCK], "no temporary file stays");
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

    /// `keep` is called long after the command has loaded its session; whatever happened meanwhile is newer.
    #[test]
    fn tokens_are_kept_only_in_the_place_of_those_that_they_were_exchanged_for() {
        let folder = tempfile::tempdir().unwrap();
        let kept = || load_from(folder.path()).unwrap();
        let ours = session().owner();
        let before = [Token::new("r3fr3sh"), Token::new("s3c0nd")];
        let keep = |refresh: &str| keep_in(folder.path(), &ours, &tokens(refresh), &before).unwrap();
        keep("third");
        assert_eq!(kept(), None, "signed out");
        save_to(folder.path(), &session()).unwrap();
        keep("third");
        // The clock says nothing: all of these end at the same time.
        assert_eq!(kept().unwrap().tokens, tokens("third"));
        keep("older");
        assert_eq!(
            kept().unwrap().tokens,
            tokens("third"),
            "another process was quicker"
        );
        let bobs = Session {
            username: "bob".into(),
            ..session()
        };
        save_to(folder.path(), &bobs).unwrap();
        keep("third");
        assert_eq!(kept(), Some(bobs.clone()), "somebody else signed in");
        forget_in(folder.path(), &ours).unwrap();
        assert_eq!(kept(), Some(bobs.clone()));
        forget_in(folder.path(), &bobs.owner()).unwrap();
        assert_eq!(kept(), None);
    }

    /// The moment between looking and writing, made long.
    #[test]
    fn nobody_signs_in_between_looking_and_keeping() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().to_owned();
        save_to(&path, &session()).unwrap();
        let held = lock(&path).unwrap();
        let bobs = Session {
            username: "bob".into(),
            ..session()
        };
        let signing_in = thread::spawn({
            let (path, bobs) = (path.clone(), bobs.clone());
            move || save_to(&path, &bobs).unwrap()
        });
        thread::sleep(Duration::from_millis(100));
        assert!(!signing_in.is_finished(), "it waits for its turn");
        write(&path, &session(), &held).unwrap();
        drop(held);
        signing_in.join().unwrap();
        assert_eq!(load_from(&path).unwrap(), Some(bobs));
    }

    #[cfg(unix)]
    #[test]
    fn nothing_is_written_through_a_link() {
        use std::os::unix::fs::symlink;
        let folder = tempfile::tempdir().unwrap();
        let victim = folder.path().join("victim");
        fs::write(&victim, b"precious").unwrap();
        let inner = folder.path().join("longshore");
        fs::create_dir(&inner).unwrap();
        symlink(&victim, inner.join(FILE)).unwrap();
        save_to(&inner, &session()).unwrap();
        assert_eq!(load_from(&inner).unwrap(), Some(session()));
        fs::remove_file(inner.join(LOCK)).unwrap();
        symlink(&victim, inner.join(LOCK)).unwrap();
        save_to(&inner, &session()).unwrap_err();
        assert_eq!(fs::read(&victim).unwrap(), b"precious");
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
