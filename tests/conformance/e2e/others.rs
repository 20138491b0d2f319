//! The DynamoDB of others: both emulators answer with dynoxide, as the simulation does, and it is not to be held to itself alone.

use crate::server::Server;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Python has to read a lot.
const TIMEOUT: Duration = Duration::from_mins(1);

/// A server that is killed when this is dropped.
pub(crate) struct Other {
    pub(crate) server: Server,
    process: Child,
}

impl Drop for Other {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Other {
    /// `MiniStack`'s own.
    pub(crate) fn ministack() -> Self {
        Self::start("ministack", "LONGSHORE_MINISTACK_PYTHON")
    }

    pub(crate) fn moto() -> Self {
        Self::start("moto", "LONGSHORE_MOTO_PYTHON")
    }

    fn start(name: &str, python: &str) -> Self {
        let Some(python) = std::env::var_os(python) else {
            panic!("{python} is not set: run these tests with `cargo xtask test`");
        };
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        drop(listener);
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tools/others_dynamodb.py");
        let process = Command::new(python)
            .arg(script)
            .arg(name)
            .arg(address.port().to_string())
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        let server = Server {
            name: name.to_owned(),
            endpoint: format!("http://{address}"),
            region: "us-east-1".to_owned(),
            keys: ["test".to_owned(), "test".to_owned()],
        };
        // From now on it is killed, whatever happens.
        let mut other = Self { server, process };
        let started = Instant::now();
        while TcpStream::connect(address).is_err() {
            assert!(other.process.try_wait().unwrap().is_none(), "{name} has ended");
            assert!(started.elapsed() < TIMEOUT, "{name} does not start");
            sleep(Duration::from_millis(50));
        }
        other
    }
}
