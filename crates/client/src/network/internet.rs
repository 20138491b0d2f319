//! The network that there is.

use super::{Body, Network, NetworkError};
use crate::error::ApiError;
use futures::FutureExt;
use futures::future::BoxFuture;
use http::header::CONTENT_LENGTH;
use http::{Request, Response};
use http_body::Body as _;
use http_body_util::BodyExt;
use reqwest::{Client, redirect};
use std::error::Error;
use std::fmt::Write as _;
use std::time::Duration;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Connections to servers, kept for the next request.
pub(crate) struct Internet(Client);

impl Internet {
    pub(crate) fn new() -> Result<Self, ApiError> {
        // Fails when another provider was installed before, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = || {
            Client::builder()
                // The owner of an account tells their sessions apart by it.
                .user_agent(format!("longshore/{} ({})", env!("CARGO_PKG_VERSION"), std::env::consts::OS))
                .redirect(redirect::Policy::none())
                .connect_timeout(CONNECT_TIMEOUT)
        };
        // A machine without certificate authorities (a small container) cannot speak https, but plain http it can.
        let built = client().build().or_else(|_| client().tls_certs_only([]).build());
        let built = built.map_err(|error| ApiError::Setup(reason_of(error)))?;
        Ok(Self(built))
    }
}

impl Network for Internet {
    fn send(&self, request: Request<Body>) -> BoxFuture<'static, Result<Response<Body>, NetworkError>> {
        let request = with_length(request).map(whole_or_streamed).try_into();
        let answer = request.map(|request| self.0.execute(request));
        async move {
            let answer = answer.map_err(network_error)?.await.map_err(network_error)?;
            let answer: Response<reqwest::Body> = answer.into();
            Ok(answer.map(|body| body.map_err(network_error).boxed_unsync()))
        }
        .boxed()
    }
}

/// With its length, which a body that is streamed does not say.
fn with_length(mut request: Request<Body>) -> Request<Body> {
    if let Some(length) = request.body().size_hint().exact().filter(|length| *length > 0) {
        let headers = request.headers_mut();
        headers.entry(CONTENT_LENGTH).or_insert(length.into());
    }
    request
}

fn whole_or_streamed(body: Body) -> reqwest::Body {
    if body.is_end_stream() {
        reqwest::Body::default()
    } else {
        reqwest::Body::wrap_stream(body.into_data_stream())
    }
}

fn network_error(error: reqwest::Error) -> NetworkError {
    NetworkError {
        is_connect: error.is_connect(),
        reason: reason_of(error),
    }
}

/// What a network error says, without its URL.
fn reason_of(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        let inner_text = inner.to_string();
        if !text.contains(&inner_text) {
            let _ = write!(text, ": {inner_text}");
        }
        source = inner.source();
    }
    text
}
