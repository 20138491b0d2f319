//! An HTTP proxy that counts what passes, and lets things go wrong.
//!
//! Functions are pointed at it as if it were AWS; it passes everything on to the stack. Programs that take a proxy
//! from their environment can use it as that, too.

use super::http::exchange;
use super::stack::stack;
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, Uri};
use hyper_util::rt::TokioIo;
use std::io;
use std::sync::{Arc, Mutex};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// What becomes of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Act {
    Pass,
    /// The caller is killed before the call goes out.
    KillBefore,
    /// The caller is killed when the call was answered, before it hears of it.
    KillAfter,
    /// The call is answered, and the answer gets lost; the caller lives.
    LoseAnswer,
    /// The call never goes out, and nothing is said.
    Hold,
    /// The call goes out late: when the test says so.
    Late,
}

/// A call that arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Seen {
    /// How many there were with this one.
    pub(crate) index: usize,
    /// Service and operation, such as `S3 ListParts`.
    pub(crate) operation: String,
    /// Path and query.
    pub(crate) path: String,
}

type Rule = Box<dyn Fn(&Seen) -> Act + Send + Sync>;
type Kill = Box<dyn Fn() + Send + Sync>;

struct State {
    upstream: String,
    rule: Rule,
    seen: Mutex<Vec<Seen>>,
    kill: Mutex<Option<Kill>>,
    /// Whether the late calls may go.
    go: watch::Sender<bool>,
}

/// A running proxy; it ends with the test.
pub(crate) struct Proxy {
    pub(crate) url: String,
    state: Arc<State>,
    task: JoinHandle<()>,
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Proxy {
    /// Starts a proxy that asks `rule` about every call.
    pub(crate) async fn start(rule: impl Fn(&Seen) -> Act + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let state = Arc::new(State {
            upstream: stack().endpoint.strip_prefix("http://").unwrap().to_owned(),
            rule: Box::new(rule),
            seen: Mutex::default(),
            kill: Mutex::default(),
            go: watch::Sender::new(false),
        });
        let task = tokio::spawn(accept(listener, Arc::clone(&state)));
        Self { url, state, task }
    }

    /// How to kill the caller.
    pub(crate) fn on_kill(&self, kill: impl Fn() + Send + Sync + 'static) {
        *self.state.kill.lock().unwrap() = Some(Box::new(kill));
    }

    /// Lets the late calls go.
    pub(crate) fn go(&self) {
        self.state.go.send_replace(true);
    }

    /// What passed so far.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.state.seen.lock().unwrap().clone()
    }

    /// The operations that passed so far.
    pub(crate) fn operations(&self) -> Vec<String> {
        self.seen().into_iter().map(|seen| seen.operation).collect()
    }

    /// Forgets what passed.
    pub(crate) fn forget(&self) {
        self.state.seen.lock().unwrap().clear();
    }
}

async fn accept(listener: TcpListener, state: Arc<State>) {
    while let Ok((stream, _)) = listener.accept().await {
        let _ = stream.set_nodelay(true);
        let state = Arc::clone(&state);
        tokio::spawn(async move {
            let service = service_fn(|request| pass_on(&state, request));
            // An error here is the caller gone, or one of the faults that this is for.
            let _ = http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}

async fn pass_on(state: &State, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, io::Error> {
    let lost = || io::Error::other("a fault that a test asked for");
    let (mut head, body) = request.into_parts();
    let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
    let target = head
        .headers
        .get("x-amz-target")
        .and_then(|value| value.to_str().ok());
    let path = head
        .uri
        .path_and_query()
        .map(ToString::to_string)
        .unwrap_or_default();
    let seen = {
        let mut all = state.seen.lock().unwrap();
        let seen = Seen {
            index: all.len() + 1,
            operation: operation(&head.method, target, &head.uri),
            path: path.clone(),
        };
        all.push(seen.clone());
        seen
    };
    let act = (state.rule)(&seen);
    let kill = || state.kill.lock().unwrap().as_ref().map(|kill| kill());
    match act {
        Act::KillBefore => {
            kill();
            return Err(lost());
        }
        Act::Hold => std::future::pending().await,
        Act::Late => drop(state.go.subscribe().wait_for(|go| *go).await),
        Act::Pass | Act::KillAfter | Act::LoseAnswer => {}
    }
    // Asked as a proxy, the whole address is in the request line; the server wants the path only.
    let upstream = head
        .uri
        .authority()
        .map_or(state.upstream.clone(), ToString::to_string);
    head.uri = path.parse::<Uri>().map_err(io::Error::other)?;
    head.headers.remove("transfer-encoding");
    head.headers.remove("expect");
    let answer = exchange(&upstream, Request::from_parts(head, Full::new(body)))
        .await
        .map_err(io::Error::other)?;
    match act {
        Act::KillAfter => {
            kill();
            Err(lost())
        }
        Act::LoseAnswer => Err(lost()),
        _ => {
            let (mut head, body) = answer.into_parts();
            head.headers.remove("transfer-encoding");
            Ok(Response::from_parts(head, Full::new(body)))
        }
    }
}

/// What AWS calls a request. One to our own API is called `API`.
fn operation(method: &Method, target: Option<&str>, uri: &Uri) -> String {
    if uri.path().starts_with("/_aws/execute-api/") {
        return format!("API {method}");
    }
    if let Some(target) = target {
        let (service, operation) = target.split_once('.').unwrap_or(("", target));
        let service = match service {
            "DynamoDB_20120810" => "DynamoDB",
            "AmazonSQS" => "SQS",
            "secretsmanager" => "SecretsManager",
            other => other,
        };
        return format!("{service} {operation}");
    }
    let query = uri.query().unwrap_or_default();
    let has = |name: &str| query.split('&').any(|pair| pair.split('=').next() == Some(name));
    let of_bucket = uri.path().trim_matches('/').split('/').count() < 2;
    let operation = match method.as_str() {
        "POST" if has("uploads") => "CreateMultipartUpload",
        "POST" if has("uploadId") => "CompleteMultipartUpload",
        "GET" if has("uploads") => "ListMultipartUploads",
        "GET" if has("uploadId") => "ListParts",
        "GET" if of_bucket => "ListObjectsV2",
        "GET" => "GetObject",
        "HEAD" => "HeadObject",
        "PUT" if has("partNumber") => "UploadPart",
        "PUT" => "PutObject",
        "DELETE" if has("uploadId") => "AbortMultipartUpload",
        "DELETE" => "DeleteObject",
        other => other,
    };
    format!("S3 {operation}")
}
