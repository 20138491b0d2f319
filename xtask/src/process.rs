//! Starting, watching and stopping other programs.

use anyhow::{Context, Result, bail};
use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// `PATH` with folders before what it has.
pub(crate) fn before_the_path(folders: Vec<PathBuf>) -> Result<OsString> {
    let old = std::env::var_os("PATH").unwrap_or_default();
    std::env::join_paths(folders.into_iter().chain(std::env::split_paths(&old)))
        .context("PATH has a folder that cannot be in it")
}

/// Runs a command that talks to the terminal itself.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let shown = shown(command);
    let status = command.status().with_context(|| format!("cannot run {shown}"))?;
    if !status.success() {
        bail!("{shown} failed ({status})");
    }
    Ok(())
}

/// Runs a command quietly and returns what it wrote. What it complained about is part of the error.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let shown = shown(command);
    let out = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("cannot run {shown}"))?;
    if !out.status.success() {
        let said = [out.stderr, out.stdout].map(|bytes| String::from_utf8_lossy(&bytes).trim().to_owned());
        let said = said
            .iter()
            .find(|text| !text.is_empty())
            .map_or("it said nothing", String::as_str);
        bail!("{shown} failed ({}): {said}", out.status);
    }
    Ok(String::from_utf8_lossy(&out.stdout).into_owned())
}

/// Runs a command with what it writes added to `log`: for programs that leave a daemon behind, which would keep a pipe
/// open for ever.
pub(crate) fn logged(command: &mut Command, log: &Path) -> Result<()> {
    let shown = shown(command);
    let file = File::options().create(true).append(true).open(log);
    let file = file.with_context(|| format!("cannot write {}", log.display()))?;
    let status = command
        .stdin(Stdio::null())
        .stdout(file.try_clone()?)
        .stderr(file)
        .status();
    let status = status.with_context(|| format!("cannot run {shown}"))?;
    if !status.success() {
        bail!(
            "{shown} failed ({status}); the end of {}:\n{}",
            log.display(),
            last_lines(log)
        );
    }
    Ok(())
}

/// The end of a log file, indented.
pub(crate) fn last_lines(log: &Path) -> String {
    let text = fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<_> = text
        .lines()
        .rev()
        .take(8)
        .map(|line| format!("    {line}"))
        .collect();
    lines.into_iter().rev().collect::<Vec<_>>().join("\n")
}

/// A command as a person would type it, without the folders, and not all of it when it is long.
fn shown(command: &Command) -> String {
    let name = |text: &OsStr| {
        text.to_string_lossy()
            .rsplit('/')
            .next()
            .unwrap_or_default()
            .to_owned()
    };
    let mut words = vec![name(command.get_program())];
    words.extend(
        command
            .get_args()
            .take(6)
            .map(|argument| argument.to_string_lossy().into_owned()),
    );
    if command.get_args().len() > 6 {
        words.push("...".to_owned());
    }
    format!("`{}`", words.join(" "))
}

/// Starts a program that stays when this one ends, with what it writes in `log`. Returns its process id.
///
/// It gets a process group of its own: Ctrl-C in the terminal is not for it, and whatever it starts can be found.
pub(crate) fn spawn_daemon(command: &mut Command, log: &Path) -> Result<u32> {
    let shown = shown(command);
    if log.exists() {
        fs::rename(log, log.with_extension("log.1"))?;
    }
    let file = File::create(log).with_context(|| format!("cannot write {}", log.display()))?;
    command
        .process_group(0)
        .stdin(Stdio::null())
        .stdout(file.try_clone()?)
        .stderr(file);
    // Not waited for on purpose: it outlives this process, and `alive` counts a zombie as dead.
    let child = command.spawn().with_context(|| format!("cannot start {shown}"))?;
    Ok(child.id())
}

/// A server that stays when this program ends: which program it is, and where its process id and its log are.
pub(crate) struct Daemon {
    /// What it is called in messages.
    pub(crate) title: &'static str,
    /// Its program's name.
    pub(crate) program: &'static str,
    pub(crate) pid_file: PathBuf,
    pub(crate) log: PathBuf,
}

impl Daemon {
    /// How long it may take to start, and to stop.
    const TIMEOUT: Duration = Duration::from_secs(30);

    /// Starts it, and waits until it is ready.
    pub(crate) fn start(&self, command: &mut Command, ready: impl Fn() -> bool) -> Result<()> {
        let pid = spawn_daemon(command, &self.log)?;
        fs::write(&self.pid_file, pid.to_string())?;
        wait_for(Self::TIMEOUT, || self.pid().is_none() || ready());
        if self.pid().is_none() || !ready() {
            bail!(
                "{} did not start; the end of {}:\n{}",
                self.title,
                self.log.display(),
                last_lines(&self.log)
            );
        }
        Ok(())
    }

    /// Stops it, if it runs. Returns whether it ran.
    pub(crate) fn stop(&self) -> Result<bool> {
        let Some(pid) = self.pid() else {
            return Ok(false);
        };
        if !terminate(pid, self.program, Self::TIMEOUT)? {
            signal("KILL", &pid.to_string())?;
            wait_for(Self::TIMEOUT, || self.pid().is_none());
        }
        fs::remove_file(&self.pid_file)
            .with_context(|| format!("cannot forget the process id of {}", self.title))?;
        Ok(true)
    }

    /// Its process id, if it runs.
    pub(crate) fn pid(&self) -> Option<u32> {
        running(&self.pid_file, self.program)
    }
}

/// Whether the process in this file runs, and is a `program` (process ids are used again). Returns its id.
pub(crate) fn running(pid_file: &Path, program: &str) -> Option<u32> {
    let pid = fs::read_to_string(pid_file).ok()?.trim().parse().ok()?;
    alive(pid, program).then_some(pid)
}

fn alive(pid: u32, program: &str) -> bool {
    let folder = Path::new("/proc").join(pid.to_string());
    let (state, arguments) = if let Ok(stat) = fs::read_to_string(folder.join("stat")) {
        let state = stat.rsplit(") ").next().unwrap_or_default().chars().next();
        (
            state,
            fs::read_to_string(folder.join("cmdline")).unwrap_or_default(),
        )
    } else if cfg!(target_os = "linux") {
        return false;
    } else {
        let listed = output(Command::new("ps").args(["-o", "stat=,args=", "-p", &pid.to_string()]));
        let Ok(listed) = listed else { return false };
        (listed.trim_start().chars().next(), listed)
    };
    // A program that was killed has no arguments any more while it still holds ports and locks, and its first thread
    // may be a zombie long before the last one has ended.
    let dying = || fs::read_dir(folder.join("task")).is_ok_and(|threads| threads.count() > 1);
    match state {
        None | Some('X') => false,
        Some('Z') => dying(),
        Some(_) => arguments.is_empty() || arguments.contains(program),
    }
}

/// Sends a signal to a process, or with a `-` before the id to its group.
pub(crate) fn signal(name: &str, target: &str) -> Result<()> {
    // The shell's own `kill`: the program of that name is not on every machine.
    output(Command::new("sh").args(["-c", &format!("kill -{name} {target}")])).map(|_| ())
}

/// Asks a process to stop and waits until it has. Returns whether it did.
pub(crate) fn terminate(pid: u32, program: &str, timeout: Duration) -> Result<bool> {
    if !alive(pid, program) {
        return Ok(true);
    }
    signal("TERM", &pid.to_string())?;
    Ok(wait_for(timeout, || !alive(pid, program)))
}

/// Looks again and again until `done` or out of patience. Returns whether it was done.
pub(crate) fn wait_for(timeout: Duration, mut done: impl FnMut() -> bool) -> bool {
    let started = Instant::now();
    loop {
        if done() {
            return true;
        }
        if started.elapsed() > timeout {
            return false;
        }
        sleep(Duration::from_millis(50));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_runs_until_it_is_stopped() {
        let mut child = Command::new("sleep").arg("60").spawn().unwrap();
        assert!(alive(child.id(), "sleep"));
        // For a moment it has no arguments yet, and may be anything.
        assert!(wait_for(Duration::from_secs(5), || !alive(
            child.id(),
            "another-program"
        )));
        assert!(terminate(child.id(), "sleep", Duration::from_secs(5)).unwrap());
        child.wait().unwrap();
    }

    #[test]
    fn a_failure_says_what_the_program_said() {
        let error = output(Command::new("sh").args(["-c", "echo no luck >&2; exit 3"])).unwrap_err();
        assert!(error.to_string().contains("no luck"), "{error}");
    }
}
