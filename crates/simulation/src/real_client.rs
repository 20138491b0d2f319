//! The client that people run, in a world: its requests arrive at the gateway and at the stores in there.

use crate::gateway::{self, Request as ApiRequest};
use crate::person::PASSWORD;
use crate::world::World;
use bytes::Bytes;
use client::Api;
use client::network::{Body, Network, NetworkError, full};
use client::session::{InMemory, Tokens};
use client::transfer::work_in_place;
use futures::channel::{mpsc, oneshot};
use futures::future::{BoxFuture, join};
use futures::{FutureExt, StreamExt};
use http::{Method, Request, Response};
use http_body_util::BodyExt;
use jiff::Timestamp;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Where the API is.
const API: &str = "api.simulation";
/// One request in so many is lost on its way, and one answer, where the network of clients fails.
const LOST: u64 = 40;
/// How long a connection takes to be refused.
const REFUSED_AFTER: Duration = Duration::from_millis(20);

type Answer = Result<Response<Body>, NetworkError>;
type Exchange = (Request<Body>, oneshot::Sender<Answer>);

/// Hands requests to those who answer them in a world: nothing of a world leaves its thread, and a client may.
struct ToWorld(mpsc::UnboundedSender<Exchange>);

impl Network for ToWorld {
    fn send(&self, request: Request<Body>) -> BoxFuture<'static, Answer> {
        let (reply, answer) = oneshot::channel();
        let sent = self.0.unbounded_send((request, reply));
        async move {
            match (sent, answer.await) {
                (Ok(()), Ok(answer)) => answer,
                _ => Err(lost(true)),
            }
        }
        .boxed()
    }
}

/// Has somebody use a client of the API, and returns when they are done and all that they sent has been answered.
pub async fn with_client<T>(world: &World, work: impl AsyncFnOnce(Api) -> T) -> T {
    work_in_place();
    let (requests, received) = mpsc::unbounded();
    let api = Api::over(&format!("http://{API}"), Arc::new(ToWorld(requests)));
    let api = api.unwrap_or_else(|error| unreachable!("{error}"));
    let answers = received.for_each_concurrent(None, |(request, reply)| async {
        let _ = reply.send(answer(world, request).await);
    });
    join(work(api), answers).await.0
}

/// A client that is signed in as the owner of an account.
///
/// # Errors
/// Those of signing in.
pub async fn signed_in(api: Api, username: &str) -> Result<Api, client::ApiError> {
    let session = api.create_session(username, PASSWORD).await?;
    let tokens = Tokens {
        // By this machine's clock, of which worlds know nothing. That they end is known by what is answered.
        good_until: Timestamp::MAX,
        access: session.access_token,
        refresh: session.refresh_token,
    };
    Ok(api.with_session(tokens, Box::new(InMemory)))
}

async fn answer(world: &World, request: Request<Body>) -> Answer {
    let fails = |of| world.clients_fail.get() && world.rng.within(0..of) == 0;
    if fails(LOST) {
        tokio::time::sleep(REFUSED_AFTER).await;
        return Err(lost(true));
    }
    let (head, body) = request.into_parts();
    let body = body.collect().await?.to_bytes();
    let request = Request::from_parts(head, body);
    let answer = if request.uri().host() == Some(API) {
        gateway::answer(&world.lambda, &of_the_api(&request)).await
    } else {
        world.cloud.send(request).await
    };
    if fails(LOST) {
        return Err(lost(false));
    }
    Ok(answer.map(full))
}

fn lost(is_connect: bool) -> NetworkError {
    NetworkError {
        reason: "lost in the simulation".to_owned(),
        is_connect,
    }
}

fn of_the_api(request: &Request<Bytes>) -> ApiRequest {
    let header = |name: &str| {
        let value = request.headers().get(name)?.to_str().ok()?;
        Some(value.to_owned())
    };
    let token = header("authorization").and_then(|value| value.strip_prefix("Bearer ").map(str::to_owned));
    ApiRequest {
        method: match *request.method() {
            Method::POST => "POST",
            Method::PUT => "PUT",
            Method::PATCH => "PATCH",
            Method::DELETE => "DELETE",
            _ => "GET",
        },
        path: request
            .uri()
            .path_and_query()
            .map(ToString::to_string)
            .unwrap_or_default(),
        token,
        key: header("idempotency-key"),
        body: serde_json::from_slice(request.body()).ok(),
    }
}

/// A folder on this machine, for as long as it is wanted.
pub struct Folder(PathBuf);

impl Folder {
    /// A new one.
    ///
    /// # Errors
    /// When there cannot be one.
    pub fn new() -> std::io::Result<Self> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        // Not by chance: that would be another one the next time.
        let name = format!(
            "longshore-simulation-{}-{}",
            std::process::id(),
            COUNT.fetch_add(1, Ordering::Relaxed)
        );
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path)?;
        Ok(Self(path))
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
