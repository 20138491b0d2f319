//! Where a download goes. What cannot be is told before the first byte is fetched.

use crate::exit::{Exit, Failure};
use std::fs::{self, FileType};
use std::io::ErrorKind;
use std::path::{self, Path, PathBuf};

/// Names of standard output.
const STDOUT: [&str; 4] = ["-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"];

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Destination {
    /// Standard output.
    Stdout,
    /// A pipe or a device: it takes the bytes, and stays what it is.
    Stream(PathBuf),
    /// A plain file, or nothing yet.
    File(PathBuf),
}

impl Destination {
    /// What `output` names; `name` is the file's own name, which it gets in a folder. A folder that is not there is made.
    pub(crate) fn of(output: Option<&Path>, name: &str, overwrite: bool) -> Result<Self, Failure> {
        let Some(output) = output else {
            return at(PathBuf::from(name), overwrite);
        };
        if is_stdout(output) {
            return Ok(Self::Stdout);
        }
        let bytes = output.as_os_str().as_encoded_bytes();
        let last = bytes.strip_suffix(b".").unwrap_or(bytes).last();
        let ends_as_folder = last.is_some_and(|last| path::is_separator(char::from(*last)));
        if ends_as_folder {
            fs::create_dir_all(output).map_err(|error| {
                Failure::failed(format!("cannot make the folder {}: {error}", output.display()))
            })?;
        }
        if output.is_dir() {
            return at(output.join(name), overwrite);
        }
        at(output.to_owned(), overwrite)
    }
}

/// Whether it means standard output. A file that is called so is `./-`.
pub(crate) fn is_stdout(output: &Path) -> bool {
    STDOUT.iter().any(|name| output.as_os_str() == *name)
}

/// Whether what goes there is passed on, and nothing of it is kept to go on with.
pub(crate) fn is_passed_on(output: &Path) -> bool {
    is_stdout(output) || fs::metadata(output).is_ok_and(|there| takes_bytes(there.file_type(), true))
}

fn at(path: PathBuf, overwrite: bool) -> Result<Destination, Failure> {
    let shown = path.display();
    let refused = |reason: &str| {
        Failure::new(Exit::Conflict, format!("{shown} {reason}")).then("choose another name with -o")
    };
    match fs::metadata(&path) {
        Ok(there) if there.is_file() => real(&path).map(Destination::File),
        Ok(there) if there.is_dir() => Err(refused("is a folder")),
        Ok(there) if takes_bytes(there.file_type(), overwrite) => Ok(Destination::Stream(path)),
        Ok(there) if takes_bytes(there.file_type(), true) => {
            Err(refused("is a whole disk, which --force would overwrite"))
        }
        Ok(_) => Err(refused("is neither a file nor a pipe")),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            if path.is_symlink() {
                return Err(refused("is a link that leads nowhere"));
            }
            if path.file_name().is_none() {
                return Err(refused("is no name for a file"));
            }
            let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
            if let Some(folder) = folder
                && !folder.is_dir()
            {
                let message = format!("there is no folder {}", folder.display());
                return Err(Failure::new(Exit::NotFound, message)
                    .then("make it, or end the name with / to put the file into a folder that is made"));
            }
            Ok(Destination::File(path))
        }
        Err(error) => Err(Failure::failed(format!("cannot write {shown}: {error}"))),
    }
}

/// Where the file itself is: a link to it stays a link.
fn real(path: &Path) -> Result<PathBuf, Failure> {
    if !path.is_symlink() {
        return Ok(path.to_owned());
    }
    fs::canonicalize(path)
        .map_err(|error| Failure::failed(format!("cannot write {}: {error}", path.display())))
}

/// Whether bytes can be written to what is there. On a disk they replace others.
#[cfg(unix)]
fn takes_bytes(kind: FileType, overwrite: bool) -> bool {
    use std::os::unix::fs::FileTypeExt;
    kind.is_fifo() || kind.is_char_device() || (kind.is_block_device() && overwrite)
}

#[cfg(not(unix))]
fn takes_bytes(_: FileType, _: bool) -> bool {
    false
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;
    use std::os::unix::net::UnixListener;
    use std::process::Command;

    #[test]
    fn each_kind_of_path() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let of = |name: &str| Destination::of(Some(&path(name)), "f.bin", false);
        let file = |name: &str| Ok(Destination::File(path(name)));
        let exit = |name: &str| of(name).unwrap_err().exit;
        fs::write(path("file"), b"").unwrap();
        fs::create_dir(path("folder")).unwrap();
        fs::create_dir_all(path("full/f.bin")).unwrap();
        symlink("file", path("link")).unwrap();
        symlink("nowhere", path("dangling")).unwrap();
        symlink("folder", path("linked")).unwrap();
        assert!(
            Command::new("mkfifo")
                .arg(path("pipe"))
                .status()
                .unwrap()
                .success()
        );
        let _socket = UnixListener::bind(path("socket")).unwrap();

        assert_eq!(of("new"), file("new"));
        assert_eq!(of("file"), file("file"));
        assert_eq!(of("folder"), file("folder/f.bin"));
        assert_eq!(of("folder/"), file("folder/f.bin"));
        assert_eq!(of("linked"), file("linked/f.bin"));
        assert_eq!(of("made/deep/"), file("made/deep/f.bin"));
        assert!(path("made/deep").is_dir());
        let real = fs::canonicalize(path("file")).unwrap();
        assert_eq!(of("link"), Ok(Destination::File(real)));
        assert_eq!(of("pipe"), Ok(Destination::Stream(path("pipe"))));
        for device in ["/dev/null", "/dev/full"] {
            let found = Destination::of(Some(Path::new(device)), "f.bin", true);
            assert_eq!(found, Ok(Destination::Stream(device.into())));
        }
        for name in STDOUT {
            let found = Destination::of(Some(Path::new(name)), "f.bin", false);
            assert_eq!(found, Ok(Destination::Stdout));
        }
        let here = Destination::of(Some(Path::new("./-")), "f.bin", false);
        assert_eq!(here, Ok(Destination::File("./-".into())));

        assert_eq!(exit("missing/file"), Exit::NotFound);
        for name in ["full", "dangling", "socket"] {
            assert_eq!(exit(name), Exit::Conflict, "{name}");
        }
        for name in ["file/", "file/below", &"n".repeat(300)] {
            assert_eq!(exit(name), Exit::Failed, "{name}");
        }
    }
}
