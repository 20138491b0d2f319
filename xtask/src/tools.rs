//! Small things that several modules need: ports, an HTTP GET, JSON files.

use anyhow::{Context, Result};
use serde_json::Value;
use std::fs;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::time::Duration;

/// Whether something listens there.
pub(crate) fn port_is_taken(port: u16) -> bool {
    TcpStream::connect_timeout(&address(port), Duration::from_secs(1)).is_ok()
}

/// The first free port from this one on. Not one of the system's choosing: those are lent to every connection, and
/// what listens on this port wants it again the next time it starts.
pub(crate) fn free_port(from: u16) -> Result<u16> {
    let mut ports = from..from.saturating_add(500);
    ports
        .find(|port| TcpListener::bind(address(*port)).is_ok())
        .context("no port is free")
}

/// The body of an answer with a 2xx status. Only for servers on this machine.
pub(crate) fn get(port: u16, path: &str) -> Result<String> {
    let mut stream = TcpStream::connect_timeout(&address(port), Duration::from_secs(1))?;
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    write!(stream, "GET {path} HTTP/1.0\r\nHost: 127.0.0.1:{port}\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let (head, body) = answer.split_once("\r\n\r\n").context("no HTTP answer")?;
    let status = head.split(' ').nth(1).unwrap_or_default();
    anyhow::ensure!(status.starts_with('2'), "the answer was {status}");
    Ok(body.to_owned())
}

/// 32 characters that nobody can guess.
pub(crate) fn random_hex() -> Result<String> {
    let mut bytes = [0; 16];
    fs::File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(format!("{:032x}", u128::from_be_bytes(bytes)))
}

fn address(port: u16) -> SocketAddr {
    (Ipv4Addr::LOCALHOST, port).into()
}

/// Reads a JSON file.
pub(crate) fn read_json(path: &Path) -> Result<Value> {
    let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    serde_json::from_str(&text).with_context(|| format!("{} is damaged", path.display()))
}

/// Writes a JSON file beside itself first, so that a reader sees the old one or the new one.
pub(crate) fn write_json(path: &Path, value: &Value) -> Result<()> {
    let new = path.with_extension("new");
    let text = serde_json::to_string_pretty(value)? + "\n";
    fs::write(&new, text)
        .and_then(|()| fs::rename(&new, path))
        .with_context(|| format!("cannot write {}", path.display()))
}

/// A text in a JSON document.
pub(crate) fn text<'a>(value: &'a Value, key: &str) -> Result<&'a str> {
    value[key]
        .as_str()
        .with_context(|| format!("there is no {key:?} in {value}"))
}
