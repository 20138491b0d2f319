//! Somebody at a terminal, and the API that they use.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};
use tempfile::TempDir;

pub(crate) const TOKEN: &str = "t0k3n";

/// What the API answers, by method and path: the first answer each, until only one is left.
type Answers = Vec<(&'static str, u16, Value)>;

#[derive(Default)]
struct World {
    answers: Answers,
    /// One line for each call: `get /v1/targets`.
    asked: Vec<String>,
    /// The tokens that came, in the same order.
    tokens: Vec<Option<String>>,
    /// What was sent.
    bodies: Vec<Value>,
    /// What the store has.
    object: Vec<u8>,
    /// How long it takes to answer.
    delay: Duration,
}

/// Somebody signed in at an API.
pub(crate) struct Terminal {
    pub(crate) config: TempDir,
    folder: TempDir,
    pub(crate) api: String,
    world: Arc<Mutex<World>>,
}

impl Terminal {
    pub(crate) fn new(answers: Answers) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let api = format!("http://{}", listener.local_addr().unwrap());
        let world = Arc::new(Mutex::new(World {
            answers,
            ..World::default()
        }));
        let served = Arc::clone(&world);
        // Ends with the process.
        thread::spawn(move || {
            for stream in listener.incoming() {
                // A program that was ended has gone away.
                let _ = serve(stream.unwrap(), &served);
            }
        });
        let terminal = Self {
            config: tempfile::tempdir().unwrap(),
            folder: tempfile::tempdir().unwrap(),
            api,
            world,
        };
        terminal.sign_in("ann", "2099-01-01T00:00:00Z");
        terminal
    }

    /// An API that has the file `f.bin`.
    pub(crate) fn with_file(bytes: &[u8]) -> Self {
        let file = json!({
            "id": "f1", "kind": "file", "name": "f.bin", "parent": null, "size": bytes.len(), "content_id": content_id(bytes),
            "created_at": "2026-11-20T10:00:00Z", "updated_at": "2026-11-20T10:00:00Z",
        });
        let terminal = Self::new(vec![
            (
                "get /v1/files?name=f.bin",
                200,
                json!({ "items": [file], "next_cursor": null }),
            ),
            ("get /v1/files/f1", 200, file.clone()),
            (
                "get /v1/files/f1/content",
                307,
                json!({ "location": "/store/f1" }),
            ),
        ]);
        terminal.world.lock().unwrap().object = bytes.to_vec();
        terminal
    }

    /// The session that is kept: of whom, and how long its first token is good.
    pub(crate) fn sign_in(&self, username: &str, good_until: &str) {
        let tokens = json!({ "access": TOKEN, "good_until": good_until, "refresh": "r3fr3sh" });
        let session = json!({ "api": self.api, "username": username, "tokens": tokens });
        std::fs::write(self.session_file(), session.to_string()).unwrap();
    }

    pub(crate) fn session_file(&self) -> PathBuf {
        self.config.path().join("session.json")
    }

    /// What the store has from here on.
    pub(crate) fn store(&self, bytes: &[u8]) {
        self.world.lock().unwrap().object = bytes.to_vec();
    }

    /// How long each answer takes from here on.
    pub(crate) fn delay(&self, delay: Duration) {
        self.world.lock().unwrap().delay = delay;
    }

    /// A name in the folder that commands run in.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The names in that folder, sorted.
    pub(crate) fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.folder.path()).unwrap();
        let mut names: Vec<_> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    /// `longshore <arguments>`, not yet run.
    pub(crate) fn command(&self, arguments: &[impl AsRef<OsStr>]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_longshore"));
        command
            .args(arguments)
            .current_dir(self.folder.path())
            .env_clear()
            .env("LONGSHORE_CONFIG_DIR", self.config.path())
            .env("LONGSHORE_API", &self.api)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// Runs a command line of a shell, in which `longshore` is the program.
    pub(crate) fn shell(&self, line: &str) -> Output {
        let program = self.command(&[""; 0]);
        let mut shell = Command::new("bash");
        shell
            .args(["-c", &line.replace("longshore", env!("CARGO_BIN_EXE_longshore"))])
            .current_dir(self.folder.path())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .stdin(Stdio::null());
        for (name, value) in program.get_envs() {
            shell.env(name, value.unwrap());
        }
        shell.output().unwrap()
    }

    pub(crate) fn asked(&self) -> Vec<String> {
        self.world.lock().unwrap().asked.clone()
    }

    pub(crate) fn tokens(&self) -> Vec<Option<String>> {
        self.world.lock().unwrap().tokens.clone()
    }

    /// What was sent with the calls that sent something.
    pub(crate) fn bodies(&self) -> Vec<Value> {
        self.world.lock().unwrap().bodies.clone()
    }

    /// Waits until a call was made.
    #[track_caller]
    pub(crate) fn wait_for(&self, call: &str) {
        let began = Instant::now();
        while !self.asked().iter().any(|asked| asked == call) {
            assert!(
                began.elapsed() < Duration::from_secs(30),
                "nobody asked for {call}"
            );
            thread::sleep(Duration::from_millis(5));
        }
    }
}

/// Sends a running program a signal.
pub(crate) fn signal(program: &Child, name: &str) {
    let kill = format!("kill -{name} {}", program.id());
    assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
}

/// The content id of bytes of one part.
pub(crate) fn content_id(bytes: &[u8]) -> String {
    use base64::Engine;
    let digest = Sha256::digest(Sha256::digest(bytes));
    format!("{}-1", base64::engine::general_purpose::STANDARD.encode(digest))
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// Standard output's documents.
pub(crate) fn documents(output: &Output) -> Vec<Value> {
    let text = text(&output.stdout);
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// One request per connection.
fn serve(stream: TcpStream, world: &Mutex<World>) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream);
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        if line.trim().is_empty() {
            break;
        }
        lines.push(line.trim_end().to_owned());
    }
    let header = |name: &str| {
        let values = lines.iter().filter_map(|line| line.split_once(": "));
        let mut found = values.filter(|(header, _)| header.eq_ignore_ascii_case(name));
        found.next().map(|(_, value)| value.to_owned())
    };
    let length: u64 = header("content-length").map_or(0, |text| text.parse().unwrap());
    let mut body = Vec::new();
    reader.by_ref().take(length).read_to_end(&mut body)?;
    let call = lines
        .first()
        .map(|line| line.to_ascii_lowercase())
        .unwrap_or_default();
    let call = call.trim_end_matches(" http/1.1").to_owned();
    let reply = {
        let mut world = world.lock().unwrap();
        world.asked.push(call.clone());
        world.bodies.extend(serde_json::from_slice::<Value>(&body).ok());
        if call.starts_with("get /store/") {
            stored(&world.object, header("range"))
        } else {
            let token = header("authorization");
            world
                .tokens
                .push(token.map(|value| value.trim_start_matches("Bearer ").to_owned()));
            let (status, body) = answer(&mut world.answers, &call);
            let location = body["location"]
                .as_str()
                .map(|place| format!("location: {place}\r\n"));
            whole(status, &location.unwrap_or_default(), body.to_string().as_bytes())
        }
    };
    let delay = world.lock().unwrap().delay;
    thread::sleep(delay);
    reader.get_mut().write_all(&reply)
}

fn whole(status: u16, headers: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head =
        format!("HTTP/1.1 {status} X\r\n{headers}content-length: {length}\r\nconnection: close\r\n\r\n");
    [head.as_bytes(), body].concat()
}

fn stored(object: &[u8], range: Option<String>) -> Vec<u8> {
    let range = range.unwrap();
    let (first, last) = range.trim_start_matches("bytes=").split_once('-').unwrap();
    let (first, last): (usize, usize) = (first.parse().unwrap(), last.parse().unwrap());
    let headers = format!("content-range: bytes {first}-{last}/{}\r\n", object.len());
    whole(206, &headers, &object[first..=last])
}

fn answer(answers: &mut Answers, call: &str) -> (u16, Value) {
    let mut fitting = (0..answers.len()).filter(|index| answers[*index].0 == call);
    let Some(first) = fitting.next() else {
        let problem = json!({"code": "not_found", "status": 404, "message": "there is no such target"});
        return (404, problem);
    };
    let is_last = fitting.next().is_none();
    let (_, status, body) = answers[first].clone();
    if !is_last {
        answers.remove(first);
    }
    (status, body)
}
