//! Calls to the API: timeouts, retries, and answers as values. What is sent to the object store goes another
//! way (`transfer::store`), because it must never carry the token.

use crate::backoff::Retry;
use crate::error::{ApiError, Problem, reason_of};
use crate::secret::Token;
use reqwest::header::{AUTHORIZATION, HeaderValue, RETRY_AFTER};
use reqwest::{Client, ClientBuilder, Method, Response, StatusCode, Url, redirect};
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::net::IpAddr;
use std::time::Duration;

/// A gateway gives up after 29 seconds; waiting much longer is useless.
const CALL_TIMEOUT: Duration = Duration::from_secs(35);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Longest wait that a server may ask for.
const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(30);

/// May the call be made again when it is unknown whether the first one arrived?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Repeat {
    /// Doing it twice is the same as doing it once.
    Always,
    /// Only when it surely did not arrive.
    IfNotSent,
}

/// One call.
pub(crate) struct Call<'a> {
    pub(crate) method: Method,
    /// Segments below `/v1`, not yet percent-encoded.
    pub(crate) path: &'a [&'a str],
    pub(crate) query: Vec<(&'static str, String)>,
    pub(crate) body: Option<Value>,
    pub(crate) repeat: Repeat,
}

impl<'a> Call<'a> {
    pub(crate) fn new(method: Method, path: &'a [&'a str]) -> Self {
        let repeat = if method == Method::POST {
            Repeat::IfNotSent
        } else {
            Repeat::Always
        };
        Self {
            method,
            path,
            query: Vec::new(),
            body: None,
            repeat,
        }
    }

    pub(crate) fn body(mut self, body: Value) -> Self {
        self.body = Some(body);
        self
    }

    pub(crate) fn query(mut self, name: &'static str, value: Option<&str>) -> Self {
        self.query.extend(value.map(|value| (name, value.to_owned())));
        self
    }

    pub(crate) fn repeatable(mut self) -> Self {
        self.repeat = Repeat::Always;
        self
    }

    fn name(&self) -> String {
        format!("{} /v1/{}", self.method, self.path.join("/"))
    }
}

/// Sends calls to one API.
#[derive(Clone)]
pub(crate) struct Http {
    pub(crate) api: Client,
    /// For presigned URLs: no token, no redirects, no overall timeout (parts may be large).
    pub(crate) store: Client,
    pub(crate) base: Url,
    pub(crate) token: Option<Token>,
    pub(crate) retry: Retry,
}

impl Http {
    pub(crate) fn new(base: &str) -> Result<Self, ApiError> {
        let address = |reason: &str| ApiError::Address {
            text: base.to_owned(),
            reason: reason.to_owned(),
        };
        let url = Url::parse(base.trim()).map_err(|error| address(&error.to_string()))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(address("it must begin with http:// or https://"));
        }
        // Fails when another provider was installed before, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        Ok(Self {
            api: client(|client| client.timeout(CALL_TIMEOUT))?,
            store: client(|client| client)?,
            base: url,
            token: None,
            retry: Retry::CALL,
        })
    }

    /// Makes a call whose answer is JSON.
    pub(crate) async fn json<T: DeserializeOwned>(&self, call: Call<'_>) -> Result<T, ApiError> {
        let response = self.send(&call).await?;
        let status = response.status();
        let unexpected = |reason| ApiError::Unexpected {
            call: call.name(),
            reason,
        };
        let body = response
            .bytes()
            .await
            .map_err(|error| self.unreachable(reason_of(error)))?;
        if !status.is_success() {
            return Err(unexpected(format!("status {status}")));
        }
        serde_json::from_slice(&body).map_err(|error| unexpected(error.to_string()))
    }

    /// Makes a call and gives its answer if it is no error; redirects are answers too.
    pub(crate) async fn send(&self, call: &Call<'_>) -> Result<Response, ApiError> {
        let mut failed = 0;
        loop {
            failed += 1;
            let (error, may_repeat, asked) = match self.once(call).await {
                // The first try did it; only its answer got lost.
                Ok(response)
                    if failed > 1
                        && call.method == Method::DELETE
                        && response.status() == StatusCode::NOT_FOUND =>
                {
                    return Ok(response);
                }
                Ok(response)
                    if !response.status().is_client_error() && !response.status().is_server_error() =>
                {
                    return Ok(response);
                }
                Ok(response) => {
                    let status = response.status();
                    let asked = retry_after(&response);
                    let body = response.bytes().await.unwrap_or_default();
                    let problem = Problem::from_answer(status, &body);
                    // Calls that were throttled, or lost a race with another, did nothing. After any other
                    // server error the call may have been done.
                    let may_repeat = status == StatusCode::TOO_MANY_REQUESTS
                        || problem.code == "changed_meanwhile"
                        || (status.is_server_error() && call.repeat == Repeat::Always);
                    (ApiError::Problem(Box::new(problem)), may_repeat, asked)
                }
                Err(error) => {
                    let may_repeat = call.repeat == Repeat::Always || error.is_connect();
                    (self.unreachable(reason_of(error)), may_repeat, None)
                }
            };
            match self.retry.wait(failed) {
                Some(wait) if may_repeat => {
                    tokio::time::sleep(wait.max(asked.unwrap_or_default())).await;
                }
                _ => return Err(error),
            }
        }
    }

    async fn once(&self, call: &Call<'_>) -> Result<Response, reqwest::Error> {
        let mut request = self.api.request(call.method.clone(), self.url(call));
        if let Some(token) = &self.token
            && let Ok(mut value) = HeaderValue::from_str(&format!("Bearer {}", token.reveal()))
        {
            value.set_sensitive(true);
            request = request.header(AUTHORIZATION, value);
        }
        if let Some(body) = &call.body {
            request = request.json(body);
        }
        request.send().await
    }

    fn url(&self, call: &Call<'_>) -> Url {
        let mut url = self.base.clone();
        // An http(s) URL always has a path to extend.
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().push("v1").extend(call.path);
        }
        url.set_query(None);
        if !call.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&call.query);
        }
        url
    }

    /// Whether what is sent can be read on the way: no TLS, and not to this machine.
    pub(crate) fn is_exposed(&self) -> bool {
        let host = self
            .base
            .host_str()
            .unwrap_or_default()
            .trim_start_matches('[')
            .trim_end_matches(']');
        let here = host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
        self.base.scheme() == "http" && !here
    }

    pub(crate) fn unreachable(&self, reason: String) -> ApiError {
        ApiError::Unreachable {
            host: self.base.origin().ascii_serialization(),
            reason,
        }
    }
}

fn client(finish: impl Fn(ClientBuilder) -> ClientBuilder) -> Result<Client, ApiError> {
    let client = || {
        let client = Client::builder()
            .user_agent(concat!("longshore/", env!("CARGO_PKG_VERSION")))
            .redirect(redirect::Policy::none())
            .connect_timeout(CONNECT_TIMEOUT);
        finish(client)
    };
    // A machine without certificate authorities (a small container) cannot speak https, but plain http it can.
    let built = client().build().or_else(|_| client().tls_certs_only([]).build());
    built.map_err(|error| ApiError::Setup(reason_of(error)))
}

/// How long the server asks to stay away, in seconds; the form with a date is not worth reading.
fn retry_after(response: &Response) -> Option<Duration> {
    let seconds = response
        .headers()
        .get(RETRY_AFTER)?
        .to_str()
        .ok()?
        .trim()
        .parse()
        .ok()?;
    Some(Duration::from_secs(seconds).min(LONGEST_RETRY_AFTER))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(base: &str, path: &[&str], query: &[(&'static str, &str)]) -> String {
        let mut call = Call::new(Method::GET, path);
        for (name, value) in query {
            call = call.query(name, Some(value));
        }
        Http::new(base).unwrap().url(&call).to_string()
    }

    #[test]
    fn paths_go_below_the_stage_and_are_encoded() {
        let base = "http://127.0.0.1:4566/_aws/execute-api/abc/prod";
        assert_eq!(
            url(base, &["files", "a/b?c"], &[]),
            format!("{base}/v1/files/a%2Fb%3Fc")
        );
        assert_eq!(
            url(&format!("{base}/"), &["files"], &[]),
            format!("{base}/v1/files")
        );
        assert_eq!(
            url("https://h", &["files"], &[("name", "a&b +")]),
            "https://h/v1/files?name=a%26b+%2B"
        );
    }

    #[test]
    fn only_plain_http_to_elsewhere_is_exposed() {
        let exposed = |base| Http::new(base).unwrap().is_exposed();
        assert!(exposed("http://example.com/x") && exposed("http://10.0.0.1:4566"));
        for safe in [
            "https://example.com",
            "http://127.0.0.1:4566/x",
            "http://localhost:1",
            "http://[::1]:1",
        ] {
            assert!(!exposed(safe), "{safe}");
        }
    }

    #[test]
    fn a_wrong_address_is_told() {
        for bad in ["", "localhost:4566", "ftp://host", "http://"] {
            assert!(matches!(Http::new(bad), Err(ApiError::Address { .. })), "{bad:?}");
        }
    }
}
