//! Calls to the API: timeouts, retries, and answers as values. What is sent to the object store goes another
//! way (`transfer::store`), because it must never carry the token.

mod call;

pub(crate) use call::{Call, Repeat};

use crate::backoff::{self, Retry};
use crate::error::{ApiError, Carried, Problem};
use crate::network::{self, Network, NetworkError};
use crate::secret::{InvalidToken, Token};
use crate::session::Credentials;
use crate::types::Session;
use backon::BackoffBuilder;
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue, IF_MATCH, RETRY_AFTER};
use http::{Request, Response, StatusCode};
use http_body_util::BodyExt;
use serde::de::DeserializeOwned;
use serde_json::json;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;
use url::{Host, Url};
use wire::session;

/// How long an exchange of tokens may take. One whose answer got lost has to be tried again while it gets the same answer
/// ([`domain::session::GRACE`]).
const EXCHANGE_TIMEOUT: Duration = Duration::from_secs(10);
/// Longest wait that a server may ask for.
const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(30);
/// By what the server knows a call again.
const IDEMPOTENCY_KEY: &str = "idempotency-key";

/// What came back, whole.
pub(crate) struct ApiResponse {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    body: Bytes,
    /// Whether an earlier try may have done it already, and its answer got lost.
    pub(crate) may_be_second: bool,
}

impl ApiResponse {
    fn is_error(&self) -> bool {
        self.status.is_client_error() || self.status.is_server_error()
    }

    /// Whether it is a web page and no gateway's that is overloaded. The API never answers with one.
    fn is_page(&self) -> bool {
        let kind = self.headers.get(CONTENT_TYPE);
        let is_html = kind.is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"));
        let is_passing = self.status.is_server_error() || self.status == StatusCode::TOO_MANY_REQUESTS;
        is_html && (!is_passing || self.status == StatusCode::NETWORK_AUTHENTICATION_REQUIRED)
    }

    /// Whether it says no more than that the call is done. A redirect does not, nor does an answer with something in it.
    pub(crate) fn done(&self, call: &Call<'_>) -> Result<(), ApiError> {
        if self.status == StatusCode::NO_CONTENT || Some(self.status) == call.done_before {
            return Ok(());
        }
        Err(ApiError::Unexpected {
            call: call.name(),
            reason: format!("status {}", self.status),
        })
    }

    /// What it says, in JSON.
    pub(crate) fn json<T: DeserializeOwned>(&self, call: &Call<'_>) -> Result<T, ApiError> {
        let unexpected = |reason| ApiError::Unexpected {
            call: call.name(),
            reason,
        };
        if !self.status.is_success() {
            return Err(unexpected(format!("status {}", self.status)));
        }
        serde_json::from_slice(&self.body).map_err(|error| unexpected(error.to_string()))
    }
}

/// An exchange of tokens under way.
type Exchange = Pin<Box<dyn Future<Output = Result<Session, ApiError>> + Send>>;

/// Sends calls to one API.
#[derive(Clone)]
pub(crate) struct Http {
    pub(crate) network: Arc<dyn Network>,
    pub(crate) base: Url,
    pub(crate) credentials: Credentials,
    pub(crate) retry: Retry,
}

impl Http {
    pub(crate) fn new(base: &str, network: Arc<dyn Network>) -> Result<Self, ApiError> {
        let address = |reason: &str| ApiError::Address {
            text: base.to_owned(),
            reason: reason.to_owned(),
        };
        let url = Url::parse(base.trim()).map_err(|error| address(&error.to_string()))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(address("it must begin with http:// or https://"));
        }
        Ok(Self {
            network,
            base: url,
            credentials: Credentials::default(),
            retry: backoff::CALL,
        })
    }

    /// Makes a call whose answer is JSON.
    pub(crate) async fn json<T: DeserializeOwned>(&self, call: Call<'_>) -> Result<T, ApiError> {
        self.send(&call).await?.json(&call)
    }

    /// Makes a call and returns its answer if it is no error; redirects are answers too.
    pub(crate) async fn send(&self, call: &Call<'_>) -> Result<ApiResponse, ApiError> {
        let (mut waits, mut refused, mut may_be_done) = (self.retry.build(), None, false);
        loop {
            let token = self.token(refused.as_ref()).await?;
            let authorization = token.as_ref().map(authorization).transpose()?;
            let (error, may_repeat, asked) = match self.attempt(call, authorization).await {
                // Whatever its status, a page says nothing about the call.
                Ok(answer) if answer.is_page() => {
                    let may_repeat = call.repeat == Repeat::Always;
                    (self.not_the_api(&answer), may_repeat, None)
                }
                Ok(answer) if may_be_done && Some(answer.status) == call.done_before => return Ok(answer),
                // A token of a session may have ended early, and there is another one to be had, once.
                Ok(answer)
                    if answer.status == StatusCode::UNAUTHORIZED
                        && refused.is_none()
                        && matches!(self.credentials, Credentials::Session(_)) =>
                {
                    refused = token;
                    continue;
                }
                Ok(mut answer) if !answer.is_error() => {
                    answer.may_be_second = may_be_done;
                    return Ok(answer);
                }
                Ok(answer) => {
                    let status = answer.status;
                    may_be_done |= status.is_server_error();
                    let mut problem = Problem::from_answer(status, &answer.body);
                    problem.carried = self.credentials.kind();
                    // Calls that were throttled, or lost a race with another, did nothing. After any other
                    // server error the call may have been done.
                    let may_repeat = status == StatusCode::TOO_MANY_REQUESTS
                        || problem.code == "changed_meanwhile"
                        || (status.is_server_error() && call.repeat == Repeat::Always);
                    let asked = retry_after(&answer.headers);
                    // A caller that is to come back in minutes is told so, and not kept waiting.
                    let may_repeat = may_repeat && asked.is_none_or(|asked| asked <= LONGEST_RETRY_AFTER);
                    (ApiError::Problem(Box::new(problem)), may_repeat, asked)
                }
                Err(error) => {
                    may_be_done |= !error.is_connect;
                    let may_repeat = call.repeat == Repeat::Always || error.is_connect;
                    (self.unreachable(error.reason), may_repeat, None)
                }
            };
            match waits.next() {
                Some(wait) if may_repeat => {
                    tokio::time::sleep(wait.max(asked.unwrap_or_default())).await;
                }
                _ => return Err(error),
            }
        }
    }

    /// What calls carry now, and not the one that was `refused`.
    async fn token(&self, refused: Option<&Token>) -> Result<Option<Token>, ApiError> {
        match &self.credentials {
            Credentials::Nobody => Ok(None),
            Credentials::Token(token) => Ok(Some(token.clone())),
            Credentials::Session(session) => {
                let http = self.clone();
                let exchange = move |refresh: Token| http.exchange(&refresh);
                session.access(refused, exchange).await.map(Some)
            }
        }
    }

    /// `POST /v1/sessions/refresh`: exchanges a refresh token. Sent twice within a moment, it gets the same answer. Of one type,
    /// for this is how calls get their tokens, and a call itself.
    fn exchange(self, refresh: &Token) -> Exchange {
        let body = json!({ "refresh_token": refresh.reveal() });
        let anonymous = Self {
            credentials: Credentials::Nobody,
            ..self
        };
        Box::pin(async move {
            let call = Call::to::<session::Refresh>().body(body);
            let exchanged = anonymous.json(call.repeatable().within(EXCHANGE_TIMEOUT)).await;
            exchanged.map_err(|mut error| {
                // The call whose token this would have been is one of the session.
                if let ApiError::Problem(problem) = &mut error {
                    problem.carried = Carried::Session;
                }
                error
            })
        })
    }

    /// One try.
    async fn attempt(
        &self,
        call: &Call<'_>,
        authorization: Option<HeaderValue>,
    ) -> Result<ApiResponse, NetworkError> {
        let answer = async {
            let request = self.request(call, authorization)?;
            whole(self.network.send(request).await?).await
        };
        let answer = timeout(call.timeout, answer).await;
        answer.unwrap_or_else(|_| Err(NetworkError::timed_out()))
    }

    fn request(
        &self,
        call: &Call<'_>,
        authorization: Option<HeaderValue>,
    ) -> Result<Request<network::Body>, NetworkError> {
        let mut request = Request::builder()
            .method(call.method.clone())
            .uri(self.url(call).as_str());
        if let Some(value) = authorization {
            request = request.header(AUTHORIZATION, value);
        }
        if let Some(key) = &call.key {
            request = request.header(IDEMPOTENCY_KEY, key);
        }
        if let Some(version) = call.version {
            request = request.header(IF_MATCH, wire::precondition::tag(version));
        }
        let body = match &call.body {
            Some(body) => {
                request = request.header(CONTENT_TYPE, "application/json");
                network::full(body.to_string())
            }
            None => network::empty(),
        };
        request.body(body).map_err(|error| NetworkError {
            reason: error.to_string(),
            is_connect: true,
        })
    }

    fn url(&self, call: &Call<'_>) -> Url {
        let mut url = self.base.clone();
        // An http(s) URL always has a path to extend.
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(&call.path);
        }
        url.set_query(None);
        if !call.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&call.query);
        }
        url
    }

    /// Whether what is sent can be read on the way: no TLS, and not to this machine.
    pub(crate) fn is_exposed(&self) -> bool {
        let here = match self.base.host() {
            Some(Host::Domain(name)) => name == "localhost",
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        };
        self.base.scheme() == "http" && !here
    }

    fn not_the_api(&self, answer: &ApiResponse) -> ApiError {
        ApiError::NotTheApi {
            host: self.base.origin().ascii_serialization(),
            answer: format!("{}, a web page", answer.status),
        }
    }

    pub(crate) fn unreachable(&self, reason: String) -> ApiError {
        ApiError::Unreachable {
            host: self.base.origin().ascii_serialization(),
            reason,
        }
    }
}

/// What says whose call it is. A token that no header can have is an error, and not a call by nobody.
fn authorization(token: &Token) -> Result<HeaderValue, ApiError> {
    let value = HeaderValue::from_str(&format!("Bearer {}", token.reveal()));
    let mut value = value.map_err(|_| InvalidToken)?;
    value.set_sensitive(true);
    Ok(value)
}

/// An answer with all of its body. One that ends early is none, unless its status already says enough.
async fn whole(answer: Response<network::Body>) -> Result<ApiResponse, NetworkError> {
    let (head, body) = answer.into_parts();
    let mut answer = ApiResponse {
        status: head.status,
        headers: head.headers,
        body: Bytes::new(),
        may_be_second: false,
    };
    match body.collect().await {
        Ok(body) => answer.body = body.to_bytes(),
        Err(_) if answer.is_error() => {}
        Err(error) => return Err(error),
    }
    Ok(answer)
}

/// How long the server asks to stay away, in seconds; the form with a date is not worth reading.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests;
