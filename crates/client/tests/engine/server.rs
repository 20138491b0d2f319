//! The server: connections, what is logged, and failures on demand.

use crate::content::{MIB, bytes};
use crate::reply::{Reply, body, problem};
use crate::world::{Fault, World};
use crate::{fake_api, fake_files, fake_store};
use bytes::Bytes;
use futures::{StreamExt, stream};
use http_body_util::{BodyExt, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::header::{CONTENT_TYPE, ETAG, LOCATION, RETRY_AFTER, SERVER};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// A server that ends with the test.
pub(crate) struct Server {
    address: String,
    world: Arc<Mutex<World>>,
    task: JoinHandle<()>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Server {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let world: Arc<Mutex<World>> = Arc::default();
        let task = tokio::spawn(accept(listener, address.clone(), Arc::clone(&world)));
        Self { address, world, task }
    }

    /// Scheme, host and port.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    pub(crate) fn base(&self) -> String {
        format!("{}/_aws/execute-api/abc/test", self.address)
    }

    pub(crate) fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap()
    }

    /// The world, for who outlives a borrow of it.
    pub(crate) fn shared(&self) -> Arc<Mutex<World>> {
        Arc::clone(&self.world)
    }

    pub(crate) fn fail(&self, what: &str, fault: Fault) {
        self.world().faults.push((what.to_owned(), fault));
    }

    /// Waits until a log line begins with `what`.
    pub(crate) async fn seen(&self, what: &str) {
        while self.count(what) == 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// How many log lines begin with `what`.
    pub(crate) fn count(&self, what: &str) -> usize {
        self.world()
            .log
            .iter()
            .filter(|line| line.starts_with(what))
            .count()
    }
}

async fn accept(listener: TcpListener, address: String, world: Arc<Mutex<World>>) {
    while let Ok((stream, _)) = listener.accept().await {
        let (address, world) = (address.clone(), Arc::clone(&world));
        tokio::spawn(async move {
            let service = service_fn(|request| serve(request, &address, &world));
            let _ = http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}

async fn serve(request: Request<Incoming>, address: &str, world: &Mutex<World>) -> io::Result<Reply> {
    let (head, body) = request.into_parts();
    let store = head.uri.path().starts_with("/store/");
    let line = if store {
        fake_store::line(&head)
    } else {
        fake_api::line(&head)
    };
    let fault = {
        let mut world = world.lock().unwrap();
        world.log.push(line.clone());
        let found = world
            .faults
            .iter()
            .position(|(what, _)| line.starts_with(what.as_str()));
        found.map(|index| world.faults.remove(index).1)
    };
    match fault {
        Some(Fault::Early(status, code)) => return Ok(refuse(store, status, code)),
        Some(Fault::Drop) => return Err(io::ErrorKind::ConnectionReset.into()),
        Some(Fault::Silence) => return std::future::pending().await,
        Some(Fault::Slow(wait)) => tokio::time::sleep(wait).await,
        _ => {}
    }
    let mut body = body
        .collect()
        .await
        .map_err(io::Error::other)?
        .to_bytes()
        .to_vec();
    if let Some(Fault::Answer(status, code)) = fault {
        return Ok(refuse(store, status, code));
    }
    if let Some(Fault::Portal(status)) = fault {
        return Ok(portal(status));
    }
    if let Some(Fault::Throttled(seconds)) = fault {
        let mut reply = refuse(store, 429, "too_many_requests");
        reply.headers_mut().insert(RETRY_AFTER, seconds.into());
        return Ok(reply);
    }
    let upload = !body.is_empty();
    if fault == Some(Fault::Corrupt) {
        flip(&mut body);
    }
    let reply = {
        let mut world = world.lock().unwrap();
        if let Some(Fault::Replace(seed)) = fault {
            fake_files::replace(&mut world, &bytes(MIB, seed + 100));
        }
        if store {
            fake_store::handle(&mut world, &head, body)
        } else {
            fake_api::handle(&mut world, &head, &body, address)
        }
    };
    match fault {
        Some(Fault::LoseAnswer) => Err(io::ErrorKind::ConnectionReset.into()),
        Some(Fault::Vanish(length)) => {
            world.lock().unwrap().objects.clear();
            Ok(change(reply, |body| body.truncate(length)).await)
        }
        Some(Fault::Cut(length)) => Ok(change(reply, |body| body.truncate(length)).await),
        Some(Fault::Corrupt) if !upload => Ok(change(reply, |body| flip(body)).await),
        _ => Ok(reply),
    }
}

fn refuse(store: bool, status: u16, code: &str) -> Reply {
    if store {
        fake_store::refusal(status, code)
    } else {
        problem(status, code)
    }
}

fn portal(status: u16) -> Reply {
    Response::builder()
        .status(status)
        .header(CONTENT_TYPE, "text/html; charset=utf-8")
        .header(SERVER, "hotel")
        .header(ETAG, "\"0123456789abcdef\"")
        .header(LOCATION, "http://127.0.0.1:1/sign-in")
        .body(body(b"<html>Welcome! <Code>AccessDenied</Code></html>".to_vec()))
        .unwrap()
}

fn flip(body: &mut [u8]) {
    let middle = body.len() / 2;
    if let Some(byte) = body.get_mut(middle) {
        *byte ^= 1;
    }
}

/// Changes the body but not the headers; one that got shorter ends in a closed connection.
async fn change(reply: Reply, change: impl FnOnce(&mut Vec<u8>)) -> Reply {
    let (head, body) = reply.into_parts();
    let mut body = body.collect().await.unwrap().to_bytes().to_vec();
    let length = body.len();
    change(&mut body);
    let end = (body.len() < length).then_some(async {
        // So that what is there is sent, and not closed away.
        tokio::time::sleep(Duration::from_millis(20)).await;
        Err(io::ErrorKind::ConnectionReset.into())
    });
    let frames = stream::iter([Ok(Frame::data(Bytes::from(body)))]);
    let frames = frames.chain(stream::iter(end).then(|end| end));
    Response::from_parts(head, BodyExt::boxed(StreamBody::new(frames)))
}
