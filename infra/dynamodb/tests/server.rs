//! The program, as the emulators use it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test stops where it fails"
)]
#![allow(clippy::disallowed_methods, reason = "the program runs in real time")]

use serde_json::{Value, json};
use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// A running server. It is killed, as with `kill -9`, when this is dropped.
struct Server {
    process: Child,
    address: String,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

/// Not by the tempfile crate, which asks for a feature that has dynoxide compiled once more for these tests.
fn empty_folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}

fn program(dir: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dynamodb-server"));
    command.arg("--dir").arg(dir).args(["--region", "eu-north-1"]);
    command
}

fn start(dir: &Path) -> Server {
    let file = dir.join("address");
    let _ = fs::remove_file(&file);
    let process = program(dir).spawn().unwrap();
    let started = Instant::now();
    while !file.exists() {
        assert!(started.elapsed() < Duration::from_secs(30), "it does not start");
        sleep(Duration::from_millis(10));
    }
    let address = fs::read_to_string(&file).unwrap();
    Server { process, address }
}

impl Server {
    fn call(&self, operation: &str, parameters: &Value) -> (u16, Value) {
        let body = parameters.to_string();
        let mut stream = TcpStream::connect(&self.address).unwrap();
        write!(
            stream,
            "POST / HTTP/1.1\r\nhost: here\r\nconnection: close\r\nx-amz-target: DynamoDB_20120810.{operation}\r\n\
             content-length: {}\r\n\r\n{body}",
            body.len()
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        (status, serde_json::from_str(body).unwrap())
    }

    fn done(&self, operation: &str, parameters: &Value) -> Value {
        let (status, answer) = self.call(operation, parameters);
        assert_eq!(status, 200, "{answer}");
        answer
    }

    fn create_table(&self) -> Value {
        self.done(
            "CreateTable",
            &json!({
                "TableName": "table",
                "BillingMode": "PAY_PER_REQUEST",
                "AttributeDefinitions": [{ "AttributeName": "pk", "AttributeType": "S" }],
                "KeySchema": [{ "AttributeName": "pk", "KeyType": "HASH" }],
            }),
        )
    }

    fn put(&self, key: &str) {
        self.done(
            "PutItem",
            &json!({ "TableName": "table", "Item": { "pk": { "S": key } } }),
        );
    }

    fn has(&self, key: &str) -> bool {
        let get = json!({ "TableName": "table", "Key": { "pk": { "S": key } }, "ConsistentRead": true });
        self.done("GetItem", &get).get("Item").is_some()
    }
}

#[test]
fn what_was_answered_survives_a_kill() {
    let dir = empty_folder("kill");
    let server = start(&dir);
    server.create_table();
    server.put("first");
    drop(server);
    for round in 0..5 {
        let server = start(&dir);
        assert!(server.has("first"));
        for other in 0..round {
            assert!(server.has(&format!("{other}")), "{other} of {round}");
        }
        server.done(
            "TransactWriteItems",
            &json!({ "TransactItems": [
                { "Put": { "TableName": "table", "Item": { "pk": { "S": round.to_string() } } } },
                { "Delete": { "TableName": "table", "Key": { "pk": { "S": "nothing" } } } },
            ] }),
        );
    }
}

#[test]
fn tables_are_named_by_region() {
    let dir = empty_folder("region");
    let server = start(&dir);
    let arn = "arn:aws:dynamodb:eu-north-1:000000000000:table/table";
    assert_eq!(server.create_table()["TableDescription"]["TableArn"], arn);
    let tags = json!({ "ResourceArn": arn, "Tags": [{ "Key": "purpose", "Value": "test" }] });
    server.done("TagResource", &tags);
    let listed = server.done("ListTagsOfResource", &json!({ "ResourceArn": arn }));
    assert_eq!(listed["Tags"], tags["Tags"]);
}

#[test]
fn what_cannot_be_done_is_refused() {
    let dir = empty_folder("refused");
    let server = start(&dir);
    for (operation, parameters, kind) in [
        (
            "GetItem",
            json!({ "TableName": "nothing", "Key": { "pk": { "S": "x" } } }),
            "ResourceNotFoundException",
        ),
        ("CreateTable", json!("text"), "SerializationException"),
        ("MakeCoffee", json!({}), "NotImplemented"),
    ] {
        let (status, answer) = server.call(operation, &parameters);
        assert_eq!(status, 400, "{operation}");
        assert!(answer["__type"].as_str().unwrap().ends_with(kind), "{answer}");
    }
}

#[test]
fn a_folder_has_one_server() {
    let dir = empty_folder("server");
    let server = start(&dir);
    let second = program(&dir).stderr(Stdio::piped()).output().unwrap();
    assert!(!second.status.success());
    let said = String::from_utf8(second.stderr).unwrap();
    assert!(said.contains("another server uses this folder"), "{said}");
    server.create_table();
}
