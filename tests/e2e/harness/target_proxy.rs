//! A relay between workers and a target, which lets things go wrong on the way.
//!
//! It streams, so that large files pass through it, and changes nothing that is signed: the host included. Targets sign
//! requests for the relay's address.

use super::bytes::MIB;
use super::proxy::operation;
use bytes::Bytes;
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::client::conn::http1 as client;
use hyper::server::conn::http1 as server;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use std::collections::{BTreeMap, HashMap};
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, ready};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// What becomes of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    Pass,
    /// The target never gets it; the worker gets a server error.
    Refuse,
    /// The connection is closed; the target never gets it.
    Reset,
    /// The connection is closed when half of the body has passed.
    ResetHalfway,
    /// Nothing is said until the worker gives up waiting.
    Hang,
    /// The target does it, and the answer gets lost.
    LoseAnswer,
    /// The target gets a body with one byte changed.
    Flip,
    /// The worker is killed before the target gets it.
    KillBefore,
    /// The worker is killed when the target has answered.
    KillAfter,
}

/// A request that arrived.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    /// Such as `UploadPart`.
    pub(crate) operation: String,
    /// Path and query.
    pub(crate) path: String,
    /// How many there were of this operation on this key and part, with this one.
    pub(crate) repeated: usize,
    /// How long the body is.
    pub(crate) length: usize,
}

type Rule = Box<dyn Fn(&Asked) -> Fate + Send + Sync>;
type Kill = Box<dyn Fn(&Asked) + Send + Sync>;
type RelayResponse = Response<BoxBody<Bytes, hyper::Error>>;

struct State {
    upstream: String,
    rule: Rule,
    kill: Mutex<Option<Kill>>,
    asked: Mutex<HashMap<String, usize>>,
    /// How often each fate befell an operation.
    befallen: Mutex<BTreeMap<String, usize>>,
}

/// A running relay; it ends with the test.
pub(crate) struct Relay {
    pub(crate) endpoint: String,
    state: Arc<State>,
    task: JoinHandle<()>,
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Relay {
    /// In front of a target's endpoint. `rule` is asked about every request.
    pub(crate) async fn start(endpoint: &str, rule: impl Fn(&Asked) -> Fate + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(State {
            upstream: endpoint.strip_prefix("http://").unwrap().to_owned(),
            rule: Box::new(rule),
            kill: Mutex::default(),
            asked: Mutex::default(),
            befallen: Mutex::default(),
        });
        let task = tokio::spawn(accept(listener, Arc::clone(&state)));
        Self {
            endpoint: format!("http://{address}"),
            state,
            task,
        }
    }

    /// How to kill the worker that asks.
    pub(crate) fn on_kill(&self, kill: impl Fn(&Asked) + Send + Sync + 'static) {
        *self.state.kill.lock().unwrap() = Some(Box::new(kill));
    }

    /// How often each fate befell each operation, such as `UploadPart Flip`.
    pub(crate) fn befallen(&self) -> BTreeMap<String, usize> {
        self.state.befallen.lock().unwrap().clone()
    }

    /// How often something has gone wrong, other than passing.
    pub(crate) fn faults(&self) -> usize {
        let befallen = self.befallen();
        let wrong = befallen.iter().filter(|(what, _)| !what.ends_with("Pass"));
        wrong.map(|(_, times)| times).sum()
    }
}

/// A rule that has some of the requests fail, from 0 to 1, each of `ways` as often as the others. A seed picks the same
/// operations on the same parts again, whichever is faster.
pub(crate) fn some_fail(
    seed: u64,
    rate: f64,
    ways: &'static [Fate],
) -> impl Fn(&Asked) -> Fate + Send + Sync {
    move |asked| {
        let part = query(&asked.path, "partNumber").unwrap_or_default();
        let name = format!("{} {part} {}", asked.operation, asked.repeated);
        let random = name
            .bytes()
            .fold(mixed(seed), |state, byte| mixed(state ^ u64::from(byte)));
        #[allow(clippy::cast_precision_loss, reason = "53 bits of it are plenty")]
        let point = (random >> 11) as f64 / (1_u64 << 53) as f64;
        if point >= rate {
            return Fate::Pass;
        }
        let way = mixed(random) % ways.len() as u64;
        ways[usize::try_from(way).unwrap()]
    }
}

/// `SplitMix64`: neighbouring numbers in, unrelated ones out.
pub(crate) fn mixed(number: u64) -> u64 {
    let number = number.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let number = (number ^ (number >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    number ^ (number >> 31)
}

fn query<'a>(path: &'a str, name: &str) -> Option<&'a str> {
    let mut pairs = path.split(['?', '&']);
    pairs.find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))
}

async fn accept(listener: TcpListener, state: Arc<State>) {
    while let Ok((stream, _)) = listener.accept().await {
        let _ = stream.set_nodelay(true);
        let state = Arc::clone(&state);
        tokio::spawn(async move {
            let service = service_fn(|request| relay(&state, request));
            // An error here is the worker gone, or one of the faults that this is for.
            let _ = server::Builder::new()
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}

async fn relay(state: &State, request: Request<Incoming>) -> io::Result<RelayResponse> {
    let lost = || io::Error::other("a fault that a test asked for");
    let asked = state.note(&request);
    let fate = (state.rule)(&asked);
    state.count(&asked, fate);
    let kill = || state.kill.lock().unwrap().as_ref().map(|kill| kill(&asked));
    match fate {
        Fate::Refuse => {
            request.into_body().collect().await.map_err(io::Error::other)?;
            return Ok(failure());
        }
        Fate::Reset => return Err(lost()),
        Fate::Hang => {
            // All of it: the SDK gives up much sooner when it cannot send.
            request.into_body().collect().await.map_err(io::Error::other)?;
            return std::future::pending().await;
        }
        Fate::KillBefore => {
            kill();
            return Err(lost());
        }
        Fate::Pass | Fate::ResetHalfway | Fate::LoseAnswer | Fate::Flip | Fate::KillAfter => {}
    }
    let body = |body| Passing {
        body,
        passed: 0,
        flip: (fate == Fate::Flip).then_some(asked.length / 2),
        end: (fate == Fate::ResetHalfway).then_some(asked.length / 2),
    };
    let answer = state.send(request.map(body)).await?;
    match fate {
        Fate::LoseAnswer | Fate::KillAfter => {
            // All of it: then the target has done what it was asked for.
            answer.into_body().collect().await.map_err(io::Error::other)?;
            if fate == Fate::KillAfter {
                kill();
            }
            Err(lost())
        }
        _ => Ok(answer.map(Incoming::boxed)),
    }
}

impl State {
    fn note(&self, request: &Request<Incoming>) -> Asked {
        let uri = request.uri();
        let operation = operation(request.method(), None, uri).replace("S3 ", "");
        let path = uri.path_and_query().map(ToString::to_string).unwrap_or_default();
        let part = query(&path, "partNumber").unwrap_or_default();
        let name = format!("{operation} {} {part}", uri.path());
        let mut counts = self.asked.lock().unwrap();
        let repeated = counts.entry(name).or_default();
        *repeated += 1;
        let length = request.body().size_hint().exact().unwrap_or(0);
        Asked {
            operation,
            path,
            repeated: *repeated,
            length: usize::try_from(length).unwrap(),
        }
    }

    fn count(&self, asked: &Asked, fate: Fate) {
        let mut befallen = self.befallen.lock().unwrap();
        *befallen
            .entry(format!("{} {fate:?}", asked.operation))
            .or_default() += 1;
    }

    async fn send(&self, mut request: Request<Passing>) -> io::Result<Response<Incoming>> {
        let stream = TcpStream::connect(&self.upstream).await?;
        stream.set_nodelay(true)?;
        let mut builder = client::Builder::new();
        builder.max_buf_size(MIB);
        let (mut sender, connection) = builder
            .handshake(TokioIo::new(stream))
            .await
            .map_err(io::Error::other)?;
        // It goes on until the answer was read.
        tokio::spawn(connection);
        // A client that waits for `100 Continue` has got it from here.
        request.headers_mut().remove("expect");
        let mut answer = sender.send_request(request).await.map_err(io::Error::other)?;
        answer.headers_mut().remove("transfer-encoding");
        Ok(answer)
    }
}

/// A body on its way to the target.
struct Passing {
    body: Incoming,
    passed: usize,
    /// Which byte becomes another one.
    flip: Option<usize>,
    /// After how many bytes it breaks off.
    end: Option<usize>,
}

impl Body for Passing {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        if self.end.is_some_and(|end| self.passed >= end) {
            return Poll::Ready(Some(Err(io::Error::other("half of it is enough"))));
        }
        let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
        let frame = frame.map(|frame| frame.map_err(io::Error::other));
        Poll::Ready(frame.map(|frame| Ok(Frame::data(self.changed(frame?.into_data().unwrap_or_default())))))
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Passing {
    fn changed(&mut self, data: Bytes) -> Bytes {
        let start = self.passed;
        self.passed += data.len();
        let Some(place) = self.flip.and_then(|place| place.checked_sub(start)) else {
            return data;
        };
        if place >= data.len() {
            return data;
        }
        let mut data = data.to_vec();
        data[place] ^= 1;
        data.into()
    }
}

/// What workers take for a passing failure of the server.
fn failure() -> RelayResponse {
    let text = "<?xml version=\"1.0\"?><Error><Code>InternalError</Code><Message>by a test</Message></Error>";
    let body = Full::from(text).map_err(|never| match never {}).boxed();
    let mut failure = Response::new(body);
    *failure.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
    failure
}
