//! The AWS SDK, connected to a double in memory whose time a test moves.

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::retry::RetryConfig;
use bytes::Bytes;
use http::{Request, Response};
use jiff::{SignedDuration, Timestamp};
use std::fmt;
use std::future::{Ready, ready};
use std::sync::{Arc, Mutex, MutexGuard};

type Answer<S> = fn(&mut S, &Request<Bytes>, Timestamp) -> Response<Bytes>;

/// A double, and the time that it is there.
pub(crate) struct Double<S> {
    state: Arc<Mutex<(S, Timestamp)>>,
    answer: Answer<S>,
}

impl<S> Clone for Double<S> {
    fn clone(&self) -> Self {
        Self {
            state: Arc::clone(&self.state),
            answer: self.answer,
        }
    }
}

impl<S> fmt::Debug for Double<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Double")
    }
}

/// When the tests begin.
pub(crate) fn start() -> Timestamp {
    Timestamp::from_second(1_800_000_000).unwrap()
}

impl<S: Send + 'static> Double<S> {
    pub(crate) fn new(service: S, answer: Answer<S>) -> Self {
        let state = Arc::new(Mutex::new((service, start())));
        Self { state, answer }
    }

    /// The service itself, and the time.
    pub(crate) fn lock(&self) -> MutexGuard<'_, (S, Timestamp)> {
        self.state.lock().unwrap()
    }

    /// Lets time pass: at once, and not when the future is awaited.
    pub(crate) fn wait(&self, seconds: u32) -> Ready<()> {
        self.lock().1 += SignedDuration::from_secs(seconds.into());
        ready(())
    }

    /// For clients of the SDK. They do not repeat what fails.
    pub(crate) fn sdk(&self) -> SdkConfig {
        let double = self.clone();
        let connect = move |_: &_, _: &_| SharedHttpConnector::new(double.clone());
        let credentials = Credentials::new("AKIDEXAMPLE", "secret", None, None, "test");
        SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("us-east-1"))
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .http_client(http_client_fn(connect))
            .retry_config(RetryConfig::disabled())
            .build()
    }
}

impl<S: Send + 'static> HttpConnector for Double<S> {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let (parts, body) = request.try_into_http1x().unwrap().into_parts();
        let body = Bytes::copy_from_slice(body.bytes().unwrap());
        let request = Request::from_parts(parts, body);
        let (service, now) = &mut *self.lock();
        let answer = (self.answer)(service, &request, *now).map(SdkBody::from);
        HttpConnectorFuture::ready(Ok(HttpResponse::try_from(answer).unwrap()))
    }
}
