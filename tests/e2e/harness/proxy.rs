//! An HTTP proxy that counts what passes, and lets things go wrong.
//!
//! Functions are pointed at it as if it were AWS; it passes everything on to the stack. Programs that take a proxy
//! from their environment can use it as that, too.

mod operation;

pub(crate) use operation::operation;

use super::http::exchange;
use super::signed::signature;
use super::stack::stack;
use super::wait::TIMEOUT;
use aws_credential_types::Credentials;
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::header::{CONTENT_LENGTH, HOST, HeaderName, HeaderValue};
use hyper::http::request::Parts;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode, Uri};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use std::io;
use std::sync::{Arc, Mutex};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// What becomes of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Act {
    Pass,
    /// The call is not sent; the caller gets a server error.
    Refuse,
    /// The call is done, and the caller gets a server error all the same.
    FailAfter,
    /// The call is sent twice, one after the other; the caller gets the first answer.
    Twice,
    /// The caller is killed before the call goes out.
    KillBefore,
    /// The caller is killed when the call was done, before it gets the answer.
    KillAfter,
    /// The call is answered, and the answer gets lost; the caller lives.
    LoseAnswer,
    /// The caller gets the answer with one byte of its body changed.
    Spoil,
    /// The call never goes out, and nothing is said.
    Hold,
    /// The call goes out late: when the test says so, whether or not the caller still waits.
    Late,
}

/// A request that arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Seen {
    /// How many there were with this one.
    pub(crate) index: usize,
    /// How many calls there were with this one. The attempts that the SDK makes of one call are one.
    pub(crate) call: usize,
    /// Which attempt of that call this is, from 1.
    pub(crate) attempt: usize,
    /// Service and operation, such as `S3 ListParts`.
    pub(crate) operation: String,
    /// Path and query.
    pub(crate) path: String,
    /// What the SDK calls all attempts of one call.
    invocation: String,
    /// The body; empty when it is long: then it is a file's bytes.
    body: Bytes,
}

impl Seen {
    /// Whether the call names one of these: an account, an upload, a blob.
    pub(crate) fn is_about(&self, words: &[String]) -> bool {
        let body = String::from_utf8_lossy(&self.body);
        words
            .iter()
            .any(|word| body.contains(word) || self.path.contains(word))
    }

    /// Whether it reads the version of the stored format.
    fn reads_format(&self) -> bool {
        let reads = |body: Value| body["Key"]["pk"]["S"] == "FORMAT";
        self.operation == "DynamoDB GetItem" && self.json().is_some_and(reads)
    }

    /// The body, if it is JSON.
    pub(crate) fn json(&self) -> Option<Value> {
        serde_json::from_slice(&self.body).ok()
    }
}

/// How long the bodies are that are kept to look at, in bytes.
const MAX_KEPT: usize = 64 * 1024;

type Rule = Box<dyn Fn(&Seen) -> Act + Send + Sync>;
type Kill = Box<dyn Fn() + Send + Sync>;
type Rewrite = Box<dyn Fn(&Seen) -> Option<Value> + Send + Sync>;

struct State {
    upstream: String,
    rule: Rule,
    seen: Mutex<Vec<Seen>>,
    /// What becomes of reads of the format, and how many there were.
    format: Mutex<(Act, usize)>,
    kill: Mutex<Option<Kill>>,
    rewrite: Mutex<Option<Rewrite>>,
    /// What rewritten calls are signed with; nothing where signatures do not count.
    credentials: Option<Credentials>,
    /// Whether the late calls may go.
    go: watch::Sender<bool>,
    /// How many late calls have not been answered yet.
    late: watch::Sender<usize>,
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
        Self::start_for(rule, None).await
    }

    /// The same for a caller that signs with these.
    pub(crate) async fn start_for(
        rule: impl Fn(&Seen) -> Act + Send + Sync + 'static,
        credentials: Option<Credentials>,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let state = Arc::new(State {
            upstream: stack().endpoint.strip_prefix("http://").unwrap().to_owned(),
            rule: Box::new(rule),
            seen: Mutex::default(),
            format: Mutex::new((Act::Pass, 0)),
            kill: Mutex::default(),
            rewrite: Mutex::default(),
            credentials,
            go: watch::Sender::new(false),
            late: watch::Sender::new(0),
        });
        let task = tokio::spawn(accept(listener, Arc::clone(&state)));
        Self { url, state, task }
    }

    /// How to kill the caller.
    pub(crate) fn on_kill(&self, kill: impl Fn() + Send + Sync + 'static) {
        *self.state.kill.lock().unwrap() = Some(Box::new(kill));
    }

    /// What to send instead of a JSON body; `None` leaves it as it is.
    pub(crate) fn on_send(&self, rewrite: impl Fn(&Seen) -> Option<Value> + Send + Sync + 'static) {
        *self.state.rewrite.lock().unwrap() = Some(Box::new(rewrite));
    }

    /// Lets the late calls go.
    pub(crate) fn go(&self) {
        self.state.go.send_replace(true);
    }

    /// Lets the late calls go, and waits until the server has answered them.
    pub(crate) async fn go_and_wait(&self) {
        self.go();
        let none_left = async { drop(self.state.late.subscribe().wait_for(|late| *late == 0).await) };
        timeout(TIMEOUT, none_left)
            .await
            .expect("late calls are answered");
    }

    /// What becomes of the read of the format with which a function begins: the rule is not asked about it, and it is not
    /// among what passed.
    pub(crate) fn on_format(&self, act: Act) {
        self.state.format.lock().unwrap().0 = act;
    }

    /// How often the format was read.
    pub(crate) fn format_reads(&self) -> usize {
        self.state.format.lock().unwrap().1
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

async fn pass_on(state: &Arc<State>, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, io::Error> {
    let lost = || io::Error::other("a fault that a test asked for");
    let (mut head, body) = request.into_parts();
    let mut body = body.collect().await.map_err(io::Error::other)?.to_bytes();
    let seen = state.note(&head, &body);
    let act = if seen.reads_format() {
        let mut format = state.format.lock().unwrap();
        format.1 += 1;
        format.0
    } else {
        (state.rule)(&seen)
    };
    let kill = || state.kill.lock().unwrap().as_ref().map(|kill| kill());
    match act {
        Act::KillBefore => {
            kill();
            return Err(lost());
        }
        Act::Refuse => return Ok(failure()),
        Act::Hold => std::future::pending().await,
        Act::Pass
        | Act::KillAfter
        | Act::LoseAnswer
        | Act::FailAfter
        | Act::Spoil
        | Act::Twice
        | Act::Late => {}
    }
    let rewritten = state
        .rewrite
        .lock()
        .unwrap()
        .as_ref()
        .and_then(|rewrite| rewrite(&seen));
    if let Some(rewritten) = rewritten {
        body = rewritten.to_string().into();
        head.headers.insert(CONTENT_LENGTH, body.len().into());
        state.sign_again(&mut head, &body);
    }
    // Asked as a proxy, the whole address is in the request line; the server wants the path only.
    let upstream = head
        .uri
        .authority()
        .map_or(state.upstream.clone(), ToString::to_string);
    head.uri = seen.path.parse::<Uri>().map_err(io::Error::other)?;
    head.headers.remove("transfer-encoding");
    head.headers.remove("expect");
    let again = (act == Act::Twice).then(|| Request::from_parts(head.clone(), Full::new(body.clone())));
    let request = Request::from_parts(head, Full::new(body));
    let answer = if act == Act::Late {
        send_late(state, upstream.clone(), request).await?
    } else {
        exchange(&upstream, request).await.map_err(io::Error::other)?
    };
    if let Some(again) = again {
        exchange(&upstream, again).await.map_err(io::Error::other)?;
    }
    match act {
        Act::KillAfter => {
            kill();
            Err(lost())
        }
        Act::LoseAnswer => Err(lost()),
        Act::FailAfter => Ok(failure()),
        _ => {
            let (mut head, mut body) = answer.into_parts();
            head.headers.remove("transfer-encoding");
            if act == Act::Spoil {
                body = spoiled(&body);
            }
            Ok(Response::from_parts(head, Full::new(body)))
        }
    }
}

impl State {
    /// Signs a call to the table whose body is another one now.
    fn sign_again(&self, head: &mut Parts, body: &[u8]) {
        let Some(credentials) = &self.credentials else {
            return;
        };
        let header = |name: HeaderName| head.headers.get(name).unwrap().to_str().unwrap().to_owned();
        let url = format!("http://{}{}", header(HOST), head.uri.path());
        let target = HeaderName::from_static("x-amz-target");
        let signed = [(target.as_str(), header(target.clone()))];
        let signed = signed.each_ref().map(|(name, value)| (*name, value.as_str()));
        for (name, value) in signature(credentials, "dynamodb", head.method.as_str(), &url, &signed, body) {
            let name = HeaderName::try_from(name).unwrap();
            head.headers.insert(name, HeaderValue::try_from(value).unwrap());
        }
    }

    fn note(&self, head: &Parts, body: &Bytes) -> Seen {
        let header = |name| head.headers.get(name).and_then(|value| value.to_str().ok());
        let path = head.uri.path_and_query().map(ToString::to_string);
        let mut all = self.seen.lock().unwrap();
        let index = all.len() + 1;
        // A caller that is no SDK makes every call once.
        let invocation = header("amz-sdk-invocation-id").map_or_else(|| format!("{index}"), str::to_owned);
        let earlier = all.iter().rev().find(|seen| seen.invocation == invocation);
        let seen = Seen {
            index,
            call: earlier.map_or_else(
                || all.iter().map(|seen| seen.call).max().unwrap_or(0) + 1,
                |seen| seen.call,
            ),
            attempt: earlier.map_or(1, |seen| seen.attempt + 1),
            operation: operation(&head.method, header("x-amz-target"), &head.uri),
            path: path.unwrap_or_default(),
            invocation,
            body: if body.len() > MAX_KEPT {
                Bytes::new()
            } else {
                body.clone()
            },
        };
        if !seen.reads_format() {
            all.push(seen.clone());
        }
        seen
    }
}

/// Sends a request when the test says so, even if the caller has given up waiting by then.
async fn send_late(
    state: &Arc<State>,
    upstream: String,
    request: Request<Full<Bytes>>,
) -> Result<Response<Bytes>, io::Error> {
    state.late.send_modify(|late| *late += 1);
    let state = Arc::clone(state);
    let sent = tokio::spawn(async move {
        drop(state.go.subscribe().wait_for(|go| *go).await);
        let answer = exchange(&upstream, request).await;
        state.late.send_modify(|late| *late -= 1);
        answer
    });
    sent.await.map_err(io::Error::other)?.map_err(io::Error::other)
}

/// The same with one byte changed, in the middle.
fn spoiled(body: &[u8]) -> Bytes {
    let mut body = body.to_vec();
    let middle = body.len() / 2;
    if let Some(byte) = body.get_mut(middle) {
        *byte ^= 1;
    }
    body.into()
}

/// What SDKs take for a passing failure of the server.
fn failure() -> Response<Full<Bytes>> {
    let mut failure = Response::new(Full::default());
    *failure.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
    failure
}
