//! A strict Alibaba Cloud OSS server for tests.
//!
//! It does what the official clients need and refuses what OSS refuses, with OSS's words: signatures of version 4 only,
//! checked to the letter; clocks; checksums; the order and sizes of parts; overwriting where it is forbidden. It shares no
//! code with what it tests. Its data is on disk and survives `kill -9`. Things go wrong when a test says so.

#![allow(clippy::disallowed_methods, reason = "nothing hands it another time")]

mod admin;
mod answer;
mod call;
mod checksum;
mod disk;
mod encoding;
mod faults;
mod listing;
mod multipart;
mod objects;
mod operation;
mod rate_limiter;
mod refusal;
mod request;
mod respond;
mod service;
mod settings;
mod signature;
mod tls;
mod transfer;
mod verify;
mod xml;

pub use faults::{Kind, Plan};
pub use settings::{Etags, Settings};

use rate_limiter::RateLimiter;
use service::Service;
use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::runtime::Runtime;
use tokio::sync::oneshot;

/// A running server, on threads of its own. It stops when it is dropped.
pub struct Server {
    /// Where it listens, such as `http://127.0.0.1:4570`.
    pub endpoint: String,
    /// What opens the admin paths.
    pub admin_token: String,
    service: Arc<Service>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Starts a server.
    ///
    /// # Errors
    ///
    /// When the port is taken, the folder cannot be used, or the certificate makes no sense.
    pub fn start(settings: Settings) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, settings.port))?;
        listener.set_nonblocking(true)?;
        let tls = settings
            .tls
            .as_ref()
            .map(|(certificate, key)| tls::acceptor(certificate, key));
        let tls = tls.transpose()?;
        let scheme = if tls.is_some() { "https" } else { "http" };
        let endpoint = format!("{scheme}://{}", listener.local_addr()?);
        let admin_token = settings.admin_token.clone().unwrap_or_else(disk::random_id);
        let service = Arc::new(Service::new(settings, admin_token.clone())?);
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        let (stop, stopped) = oneshot::channel();
        let shared = Arc::clone(&service);
        let thread = std::thread::spawn(move || run(runtime, listener, shared, tls, stopped));
        Ok(Self {
            endpoint,
            admin_token,
            service,
            stop: Some(stop),
            thread: Some(thread),
        })
    }

    /// Has things go wrong from now on, as `POST /-/faults` does.
    ///
    /// # Errors
    ///
    /// What makes no sense in the plan.
    pub fn plan(&self, plan: Plan) -> Result<(), String> {
        self.service.faults.plan(plan)
    }

    /// Stops it, and waits until the port is free and no request is under way.
    pub fn stop(self) {
        drop(self);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // It panicked if this is an error, and has said so.
            let _ = thread.join();
        }
    }
}

fn run(
    runtime: Runtime,
    listener: TcpListener,
    service: Arc<Service>,
    tls: Option<tokio_rustls::TlsAcceptor>,
    stopped: oneshot::Receiver<()>,
) {
    /// What is being written to disk is written to its end.
    const TIMEOUT: Duration = Duration::from_secs(10);
    runtime.block_on(async {
        tokio::select! {
            () = accept(listener, service, tls) => {}
            _ = stopped => {}
        }
    });
    runtime.shutdown_timeout(TIMEOUT);
}

async fn accept(listener: TcpListener, service: Arc<Service>, tls: Option<tokio_rustls::TlsAcceptor>) {
    let Ok(listener) = tokio::net::TcpListener::from_std(listener) else {
        return;
    };
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            // Out of file descriptors, perhaps. They come back.
            tokio::time::sleep(Duration::from_millis(10)).await;
            continue;
        };
        let _ = stream.set_nodelay(true);
        let service = Arc::clone(&service);
        let tls = tls.clone();
        tokio::spawn(async move {
            match tls {
                None => serve(stream, service).await,
                Some(tls) => {
                    if let Ok(stream) = tls.accept(stream).await {
                        serve(stream, service).await;
                    }
                }
            }
        });
    }
}

async fn serve<S>(stream: S, service: Arc<Service>)
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Send + Unpin + 'static,
{
    let rate_limiter = Arc::new(RateLimiter::new(Arc::clone(&service.faults)));
    let answer = hyper::service::service_fn(|request| service.answer(request, &rate_limiter));
    // An error here is the client gone, or a fault that a test asked for.
    let _ = hyper::server::conn::http1::Builder::new()
        .serve_connection(hyper_util::rt::TokioIo::new(stream), answer)
        .await;
}
