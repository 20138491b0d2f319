//! Somebody at a terminal, and an API and a store in this process that know just enough.

use serde_json::{Value, json};
use std::collections::HashMap;
use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::process::{Command, Output};
use std::sync::{Arc, Mutex};
use std::thread;
use tempfile::TempDir;

const NOW: &str = "2026-11-20T10:00:00Z";

/// What there is, and what was asked for.
#[derive(Default)]
pub(crate) struct World {
    address: String,
    /// By id.
    nodes: HashMap<String, Value>,
    pub(crate) uploads: Vec<Value>,
    pub(crate) asked: Vec<String>,
    /// Answers that are given instead, by the name that the request's body has, or by the call.
    pub(crate) refused: HashMap<&'static str, (u16, &'static str)>,
    /// The store does not answer, but a page.
    pub(crate) portal: bool,
}

/// Somebody signed in, in a folder of their own.
pub(crate) struct Terminal {
    folder: TempDir,
    config: TempDir,
    pub(crate) world: Arc<Mutex<World>>,
}

impl Terminal {
    pub(crate) fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let world = World {
            address: address.clone(),
            ..World::default()
        };
        let world = Arc::new(Mutex::new(world));
        let shared = Arc::clone(&world);
        // Ends with the process.
        thread::spawn(move || {
            for stream in listener.incoming() {
                let world = Arc::clone(&shared);
                thread::spawn(move || serve(stream.unwrap(), &world));
            }
        });
        let config = tempfile::tempdir().unwrap();
        let tokens = json!({ "access": "t0k3n", "good_until": "2099-01-01T00:00:00Z", "refresh": "r3fr3sh" });
        let session = json!({ "api": address, "username": "ann", "tokens": tokens });
        std::fs::write(config.path().join("session.json"), session.to_string()).unwrap();
        Self {
            folder: tempfile::tempdir().unwrap(),
            config,
            world,
        }
    }

    pub(crate) fn path(&self, name: &[u8]) -> PathBuf {
        self.folder.path().join(OsStr::from_bytes(name))
    }

    pub(crate) fn write(&self, names: &[&[u8]]) {
        for name in names {
            let path = self.path(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, name).unwrap();
        }
    }

    pub(crate) fn run<A: AsRef<OsStr>>(&self, arguments: &[A]) -> Output {
        let api = self.world.lock().unwrap().address.clone();
        Command::new(env!("CARGO_BIN_EXE_longshore"))
            .args(arguments)
            .current_dir(self.folder.path())
            .env_clear()
            .env("LONGSHORE_CONFIG_DIR", self.config.path())
            .env("LONGSHORE_API", api)
            .output()
            .unwrap()
    }

    /// The names of the files that are stored.
    pub(crate) fn stored(&self) -> Vec<String> {
        let world = self.world.lock().unwrap();
        let files = world.nodes.values().filter(|node| node["kind"] == "file");
        let mut names: Vec<_> = files
            .map(|node| node["name"].as_str().unwrap().to_owned())
            .collect();
        names.sort();
        names
    }

    pub(crate) fn count(&self, call: &str) -> usize {
        let world = self.world.lock().unwrap();
        world.asked.iter().filter(|asked| asked.starts_with(call)).count()
    }

    pub(crate) fn refuse(&self, what: &'static str, status: u16, code: &'static str) {
        self.world.lock().unwrap().refused.insert(what, (status, code));
    }

    pub(crate) fn add_folder(&self, id: &str, name: &str, parent: Option<&str>) {
        let node = json!({ "id": id, "kind": "folder", "name": name, "parent": parent, "created_at": NOW });
        self.world.lock().unwrap().nodes.insert(id.to_owned(), node);
    }

    pub(crate) fn add_upload(&self, id: &str, name: &str, parent: Option<&str>) {
        let upload = json!({
            "id": id, "state": "open", "name": name, "parent": parent, "size": 20_000_000, "part_size": 8_388_608,
            "part_count": 3, "received": [{ "number": 2, "size": 8_388_608 }], "created_at": NOW,
            "expires_at": "2026-11-27T10:00:00Z",
        });
        self.world.lock().unwrap().uploads.push(upload);
    }
}

/// One request per connection.
fn serve(stream: TcpStream, world: &Mutex<World>) {
    let mut reader = BufReader::new(stream);
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        if line.trim().is_empty() {
            break;
        }
        lines.push(line);
    }
    let header = |name: &str| {
        let find = |line: &String| {
            let (found, value) = line.split_once(':')?;
            found.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
        };
        lines.iter().find_map(find)
    };
    let length = header("content-length").map_or(0, |text| text.parse().unwrap());
    let mut body = Vec::new();
    reader.by_ref().take(length).read_to_end(&mut body).unwrap();
    let call = lines[0].rsplit_once(' ').unwrap().0.to_owned();
    let (status, headers, body) = if call.starts_with("PUT /store/") {
        store(world, &header("x-amz-checksum-sha256").unwrap())
    } else {
        let body = serde_json::from_slice(&body).unwrap_or_default();
        let (status, answer) = answer(&mut world.lock().unwrap(), &call, &body);
        (status, String::new(), answer.to_string())
    };
    let head = format!(
        "HTTP/1.1 {status} X\r\ncontent-length: {}\r\nconnection: close\r\n{headers}\r\n",
        body.len()
    );
    reader.get_mut().write_all((head + &body).as_bytes()).unwrap();
}

fn store(world: &Mutex<World>, sum: &str) -> (u16, String, String) {
    if world.lock().unwrap().portal {
        let headers = "content-type: text/html\r\nserver: hotel\r\n".to_owned();
        return (403, headers, "<html>Please sign in</html>".to_owned());
    }
    (
        200,
        format!("etag: \"1\"\r\nx-amz-checksum-sha256: {sum}\r\n"),
        String::new(),
    )
}

fn problem(status: u16, code: &str) -> (u16, Value) {
    (
        status,
        json!({ "code": code, "status": status, "message": format!("about {code}") }),
    )
}

fn answer(world: &mut World, call: &str, body: &Value) -> (u16, Value) {
    world.asked.push(call.to_owned());
    let name = body["name"].as_str().unwrap_or(call);
    if let Some((status, code)) = world.refused.get(name) {
        return problem(*status, code);
    }
    let (method, path) = call.split_once(" /v1/").unwrap();
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let segments: Vec<&str> = path.split('/').collect();
    match (method, segments.as_slice()) {
        ("GET", ["uploads"]) => (200, json!({ "items": world.uploads, "next_cursor": null })),
        ("POST", ["uploads"]) => {
            let id = format!("u{}", world.asked.len());
            let mut upload = json!({ "id": id, "state": "open", "part_size": 8_388_608, "part_count": 1 });
            upload
                .as_object_mut()
                .unwrap()
                .extend(body.as_object().unwrap().clone());
            world.uploads.push(upload.clone());
            (201, upload)
        }
        ("POST", ["uploads", id, "parts"]) => {
            let part = &body["parts"][0];
            let headers = json!({ "x-amz-checksum-sha256": part["sha256"] });
            let url = format!("{}/store/{id}", world.address);
            (
                200,
                json!({ "parts": [{ "number": 1, "url": url, "headers": headers }] }),
            )
        }
        ("POST", ["uploads", id, "complete"]) => {
            let index = world
                .uploads
                .iter()
                .position(|upload| upload["id"] == *id)
                .unwrap();
            let mut upload = world.uploads.remove(index);
            let node = json!({
                "id": id, "kind": "file", "name": upload["name"], "parent": upload["parent"], "size": upload["size"],
                "created_at": NOW,
            });
            world.nodes.insert((*id).to_owned(), node.clone());
            upload["state"] = "complete".into();
            upload["file"] = node;
            (200, upload)
        }
        ("GET", ["uploads", id]) => found(world.uploads.iter().find(|upload| upload["id"] == *id)),
        ("DELETE", ["uploads", id]) => match world.uploads.iter().position(|upload| upload["id"] == *id) {
            Some(index) => {
                world.uploads.remove(index);
                (204, Value::Null)
            }
            None => problem(404, "not_found"),
        },
        ("GET", ["files"]) => {
            let name = query.split('&').find_map(|pair| pair.strip_prefix("name="));
            let items: Vec<_> = world
                .nodes
                .values()
                .filter(|node| node["name"] == name.unwrap())
                .collect();
            (200, json!({ "items": items }))
        }
        ("GET", ["files", id]) => found(world.nodes.get(*id)),
        ("DELETE", ["files", id]) => {
            world.nodes.remove(*id);
            let into = world.uploads.iter().filter(|upload| upload["parent"] == *id);
            (200, json!({ "open_uploads": into.count() }))
        }
        _ => problem(404, "not_found"),
    }
}

fn found(value: Option<&Value>) -> (u16, Value) {
    value.map_or_else(|| problem(404, "not_found"), |value| (200, value.clone()))
}
