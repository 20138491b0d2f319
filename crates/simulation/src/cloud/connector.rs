//! The AWS SDK of a function, connected to the cloud.

use super::call::{self, Call, Service};
use super::fault::Fault;
use super::lock::lock;
use super::services::Cloud;
use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorFuture};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::BodyExt;
use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::Notify;

/// When a call arrives that is late: after every time-out of the functions', but for that of completing an object.
const LATE: Duration = Duration::from_secs(20);

/// What connects one instance of a function with the cloud, seen from outside.
#[derive(Clone)]
pub struct Link {
    state: Arc<Mutex<Invocation>>,
    killed: Arc<Notify>,
}

struct Invocation {
    number: u64,
    function: String,
    /// What the SDK calls all attempts of a call, in the order of the first ones.
    sites: Vec<(String, usize)>,
}

impl Link {
    /// Of an instance that has no invocation yet.
    #[must_use]
    pub fn new(function: &str) -> Self {
        Self {
            state: Arc::new(Mutex::new(Invocation {
                number: 0,
                function: function.to_owned(),
                sites: Vec::new(),
            })),
            killed: Arc::default(),
        }
    }

    /// The instance begins an invocation.
    pub fn begin(&self, invocation: u64) {
        let mut state = lock(&self.state);
        state.number = invocation;
        state.sites.clear();
    }

    /// Returns when a fault kills the instance.
    pub async fn killed(&self) {
        self.killed.notified().await;
    }
}

/// Takes a function's calls to the cloud.
pub struct Connector {
    cloud: Cloud,
    link: Link,
}

impl Connector {
    /// The connector of an instance.
    #[must_use]
    pub fn new(cloud: Cloud, link: Link) -> Self {
        Self { cloud, link }
    }

    fn note(&self, request: &Request<Bytes>) -> (Call, Option<Fault>) {
        let shared = &self.cloud.shared;
        let mut state = lock(&self.link.state);
        let mut calls = lock(&shared.calls);
        let id = invocation_id(request.headers()).unwrap_or_else(|| format!("{}", calls.len()));
        let known = state.sites.iter().position(|(known, _)| *known == id);
        let index = known.unwrap_or(state.sites.len());
        if known.is_none() {
            state.sites.push((id, 0));
        }
        let attempt = state.sites.get_mut(index).map_or(1, |(_, attempts)| {
            *attempts += 1;
            *attempts
        });
        let uri = request.uri();
        let call = Call {
            at: shared.clock.now(),
            invocation: state.number,
            function: state.function.clone(),
            site: index + 1,
            attempt,
            operation: call::operation(request),
            to: format!("{}{}", uri.host().unwrap_or_default(), uri.path()),
            body: digest(request.body()),
        };
        calls.push(call.clone());
        let fault = lock(&shared.faults).decide(&call);
        (call, fault)
    }
}

impl fmt::Debug for Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Connector")
    }
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let this = Self::new(self.cloud.clone(), self.link.clone());
        HttpConnectorFuture::new(async move {
            let request = request.try_into_http1x().map_err(user)?;
            let (parts, body) = request.into_parts();
            let body = body.collect().await.map_err(ConnectorError::io)?.to_bytes();
            let answer = this.exchange(Request::from_parts(parts, body)).await?;
            HttpResponse::try_from(answer.map(SdkBody::from)).map_err(user)
        })
    }
}

impl Connector {
    async fn exchange(self, request: Request<Bytes>) -> Result<Response<Bytes>, ConnectorError> {
        let (call, fault) = self.note(&request);
        let (request, conditions, is_held) = {
            let mut all = lock(&self.cloud.shared.conditions);
            let (request, conditions) = all.pass(&call, request);
            let is_held = all.holds(&conditions);
            (request, conditions, is_held)
        };
        let never = std::future::pending::<Result<Response<Bytes>, ConnectorError>>;
        let (peer, sent) = (self.cloud.peer(&request), request.body().len());
        match fault {
            Some(Fault::KillBefore) => {
                self.link.killed.notify_one();
                return never().await;
            }
            Some(Fault::Refuse) => {
                self.cloud.travel(peer, 0).await;
                return Ok(server_error());
            }
            Some(Fault::Throttle) => {
                self.cloud.travel(peer, 0).await;
                return Ok(throttled(&request));
            }
            _ => {}
        }
        // What was sent arrives, whatever becomes of the function meanwhile.
        let cloud = self.cloud.clone();
        let under_way = tokio::spawn(async move {
            if is_held {
                cloud.shared.let_go.notified().await;
            }
            if fault == Some(Fault::Late) {
                tokio::time::sleep(LATE).await;
            }
            cloud.travel(peer, sent).await;
            let answer = cloud.answer(&request);
            lock(&cloud.shared.conditions).answered(&conditions, &answer);
            if fault == Some(Fault::Twice) {
                cloud.travel(peer, sent).await;
                drop(cloud.answer(&request));
            }
            answer
        });
        if is_held {
            self.link.killed.notify_one();
            return never().await;
        }
        let answer = under_way.await.map_err(user)?;
        self.cloud.travel(peer, answer.body().len()).await;
        match fault {
            Some(Fault::KillAfter) => {
                self.link.killed.notify_one();
                never().await
            }
            Some(Fault::LoseAnswer) => Err(ConnectorError::io("the answer was lost".into())),
            Some(Fault::FailAfter) => Ok(server_error()),
            _ => Ok(answer),
        }
    }
}

fn user(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> ConnectorError {
    ConnectorError::user(error.into())
}

fn invocation_id(headers: &HeaderMap) -> Option<String> {
    let id = headers.get("amz-sdk-invocation-id")?;
    id.to_str().ok().map(str::to_owned)
}

/// Members of JSON objects come in any order.
fn digest(body: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    match serde_json::from_slice::<serde_json::Value>(body) {
        Ok(value) => value.to_string().hash(&mut hasher),
        Err(_) => body.hash(&mut hasher),
    }
    hasher.finish()
}

fn server_error() -> Response<Bytes> {
    with_status(StatusCode::INTERNAL_SERVER_ERROR, Bytes::new())
}

/// As each service says it.
fn throttled(request: &Request<Bytes>) -> Response<Bytes> {
    let json = |code: &str| Bytes::from(format!(r#"{{"__type":"{code}","message":"a fault"}}"#));
    match Service::of(request) {
        Service::DynamoDb => with_status(
            StatusCode::BAD_REQUEST,
            json("com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException"),
        ),
        Service::Sqs => with_status(
            StatusCode::BAD_REQUEST,
            json("com.amazonaws.sqs#RequestThrottled"),
        ),
        Service::SecretsManager => with_status(StatusCode::BAD_REQUEST, json("ThrottlingException")),
        Service::S3 => with_status(
            StatusCode::SERVICE_UNAVAILABLE,
            Bytes::from_static(b"<Error><Code>SlowDown</Code><Message>a fault</Message></Error>"),
        ),
    }
}

fn with_status(status: StatusCode, body: Bytes) -> Response<Bytes> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response
}
