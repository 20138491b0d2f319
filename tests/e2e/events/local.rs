//! What a person has running to invoke a function on this machine: the sample world, cargo-lambda's runtime API, and
//! the function.

use crate::harness::stack::{bootstrap, python, root};
use serde_json::Value;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tempfile::{NamedTempFile, TempDir};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::time::{sleep, timeout};

/// How long anything here may take on a busy machine.
const TIMEOUT: Duration = Duration::from_mins(3);

/// The sample world, put by `events/sample/put.py`, which stays to put it again.
pub(super) struct SampleWorld {
    _process: Child,
    ask: ChildStdin,
    done: Lines<BufReader<ChildStdout>>,
    folder: TempDir,
}

impl SampleWorld {
    pub(super) async fn put() -> Self {
        let folder = TempDir::new().unwrap();
        let mut process = Command::new(python())
            .arg(root().join("events/sample/put.py"))
            .arg("--stack")
            .arg(std::env::var_os("LONGSHORE_STACK").expect("run this with `cargo xtask test`"))
            .arg("--out")
            .arg(folder.path())
            .arg("--again")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let (ask, done) = (process.stdin.take().unwrap(), process.stdout.take().unwrap());
        let mut world = Self {
            _process: process,
            ask,
            done: BufReader::new(done).lines(),
            folder,
        };
        world.is_put().await;
        world
    }

    pub(super) async fn put_again(&mut self) {
        self.ask.write_all(b"\n").await.unwrap();
        self.is_put().await;
    }

    async fn is_put(&mut self) {
        let line = timeout(TIMEOUT, self.done.next_line())
            .await
            .expect("putting the sample world takes too long");
        assert_eq!(
            line.unwrap().as_deref(),
            Some("put"),
            "put.py ended: its message is above"
        );
    }

    /// The event with bad input that was made of a function's other one, if it has none of its own.
    pub(super) fn bad_input(&self, function: &str) -> Option<PathBuf> {
        let path = self.folder.path().join(format!("bad-input/{function}.json"));
        path.exists().then_some(path)
    }

    /// The environment for functions, as `cargo lambda watch --env-file` reads it.
    fn environment(&self) -> Vec<(String, String)> {
        let text = std::fs::read_to_string(self.folder.path().join("env")).unwrap();
        let pairs = text.lines().map(|line| line.split_once('=').unwrap());
        pairs
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect()
    }
}

/// `cargo lambda watch --only-lambda-apis`: Lambda for functions that were built before.
pub(super) struct Watch {
    _process: Child,
    port: u16,
}

impl Watch {
    pub(super) async fn start() -> Self {
        // Somebody else may take the port between looking and listening.
        for _ in 0..3 {
            let free = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let port = free.local_addr().unwrap().port();
            drop(free);
            let mut process = cargo_lambda("watch", port)
                .args(["--only-lambda-apis", "--ignore-changes"])
                .spawn()
                .unwrap();
            let listens = async {
                while TcpStream::connect(("127.0.0.1", port)).await.is_err() {
                    sleep(Duration::from_millis(50)).await;
                }
            };
            tokio::select! {
                // It would have ended if somebody else had taken the port.
                () = listens => if process.try_wait().unwrap().is_none() {
                    return Self { _process: process, port };
                },
                _ = process.wait() => {}
                () = sleep(TIMEOUT) => {}
            }
        }
        panic!("cargo lambda watch does not start");
    }
}

/// A command of cargo-lambda, on this machine only.
fn cargo_lambda(command: &str, port: u16) -> Command {
    let mut process = Command::new(root().join(".longshore/venv/bin/cargo-lambda"));
    process
        .args([
            "lambda",
            command,
            "--invoke-address",
            "127.0.0.1",
            "--invoke-port",
        ])
        .arg(port.to_string())
        .current_dir(root())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true);
    process
}

/// A function as it was built for deployment, asking cargo-lambda for events.
pub(super) struct Function {
    name: String,
    _process: Child,
    log: NamedTempFile,
}

impl Function {
    pub(super) fn start(name: &str, world: &SampleWorld, watch: &Watch) -> Self {
        let log = NamedTempFile::new().unwrap();
        let output = |file: &File| Stdio::from(file.try_clone().unwrap());
        let process = Command::new(bootstrap(name))
            .env_clear()
            .envs(world.environment())
            .envs([
                ("AWS_LAMBDA_FUNCTION_NAME", name),
                ("AWS_LAMBDA_FUNCTION_VERSION", "1"),
                ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "4096"),
            ])
            .env(
                "AWS_LAMBDA_RUNTIME_API",
                format!("http://127.0.0.1:{}/.rt/{name}", watch.port),
            )
            .stdin(Stdio::null())
            .stdout(output(log.as_file()))
            .stderr(output(log.as_file()))
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        Self {
            name: name.to_owned(),
            _process: process,
            log,
        }
    }

    /// `cargo lambda invoke <name> --data-file <event>`. An error is what it said.
    pub(super) async fn invoke(&self, event: &Path, watch: &Watch) -> Result<Value, String> {
        let mut command = cargo_lambda("invoke", watch.port);
        command
            .arg(&self.name)
            .arg("--data-file")
            .arg(event)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let Ok(output) = timeout(TIMEOUT, command.output()).await else {
            return Err("no answer".to_owned());
        };
        let output = output.unwrap();
        let said = [output.stdout.as_slice(), &output.stderr].concat();
        match serde_json::from_slice(&output.stdout) {
            Ok(answer) if output.status.success() => Ok(with_readable_body(answer)),
            _ => Err(String::from_utf8_lossy(&said).into_owned()),
        }
    }

    /// What the function wrote so far.
    pub(super) fn log(&self) -> String {
        std::fs::read_to_string(self.log.path()).unwrap_or_default()
    }
}

/// A body is easier to read as JSON than as text that is JSON.
fn with_readable_body(mut answer: Value) -> Value {
    let parsed = answer["body"]
        .as_str()
        .and_then(|text| serde_json::from_str(text).ok());
    if let Some(body) = parsed {
        answer["body"] = body;
    }
    answer
}
