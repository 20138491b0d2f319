//! DynamoDB for stacks on one machine: dynoxide with a file, over HTTP, on 127.0.0.1 only. The emulators ask it and have checked by
//! then who may do what.
//!
//! What was answered survives `kill -9`: it is in the file's write-ahead log by then, and in the system's memory. It is not waited until
//! it is on the disk, so a power failure may take the last of it, and leaves the file whole.

mod answer;

use answer::Server;
use anyhow::{Context, Result};
use clap::Parser;
use http_body_util::{BodyExt, Full};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use std::fs::{self, File};
use std::io::Write;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};

/// DynamoDB on 127.0.0.1, with a file.
#[derive(Parser)]
struct Arguments {
    /// Where the data is, and the file `address` that says where the server listens
    #[arg(long)]
    dir: PathBuf,
    /// The region in what it calls its tables by
    #[arg(long, default_value = "us-east-1")]
    region: String,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let Arguments { dir, region } = Arguments::parse();
    fs::create_dir_all(&dir).with_context(|| format!("cannot make {}", dir.display()))?;
    let _alone = only_one(&dir)?;
    let server = Arc::new(Server::open(&dir.join("dynamodb.sqlite"), region)?);
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    say_where(&dir, &listener)?;
    tokio::spawn(expire(Arc::clone(&server)));
    // Nothing has to be done at the end.
    loop {
        match listener.accept().await {
            Ok((stream, _)) => drop(tokio::spawn(serve(stream, Arc::clone(&server)))),
            // Out of file descriptors, perhaps. They come back.
            Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
        }
    }
}

/// Fails where another server is at work on this folder. The system lets go of the lock when the process ends, however it does.
fn only_one(dir: &Path) -> Result<File> {
    let path = dir.join("lock");
    let file = File::create(&path)?;
    file.try_lock()
        .with_context(|| format!("cannot lock {}: another server uses this folder", path.display()))?;
    Ok(file)
}

/// Renamed into place: who reads it reads all of it.
fn say_where(dir: &Path, listener: &TcpListener) -> Result<()> {
    let new = dir.join("address.new");
    fs::write(&new, listener.local_addr()?.to_string())?;
    fs::rename(&new, dir.join("address"))?;
    Ok(())
}

async fn serve(stream: TcpStream, server: Arc<Server>) {
    let _ = stream.set_nodelay(true);
    let answer = service_fn(async |request: hyper::Request<hyper::body::Incoming>| {
        let (head, body) = request.into_parts();
        let body = body.collect().await?.to_bytes();
        Ok::<_, hyper::Error>(server.answer(&head, &body).map(Full::new))
    });
    // An error here is a client that has gone.
    let _ = http1::Builder::new()
        .serve_connection(TokioIo::new(stream), answer)
        .await;
}

/// Deletes what has expired, every minute. AWS does so within days.
async fn expire(server: Arc<Server>) {
    let mut minute = tokio::time::interval(Duration::from_mins(1));
    loop {
        minute.tick().await;
        let server = Arc::clone(&server);
        let swept = tokio::task::spawn_blocking(move || server.expire()).await;
        if let Ok(Err(error)) = swept {
            let _ = writeln!(std::io::stderr(), "cannot delete what has expired: {error}");
        }
    }
}
