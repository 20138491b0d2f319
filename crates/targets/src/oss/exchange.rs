//! One request to OSS, and its answer.

use super::encoding::encode_path;
use super::failure::Refusal;
use super::signature::{Signer, Unsigned};
use crate::error::{Cause, Failure, ReplicaError};
use crate::http;
use aws_sdk_s3::primitives::{ByteStream, SdkBody};
use aws_smithy_runtime_api::client::http::{HttpConnector, SharedHttpConnector};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::http::Headers;
use backon::{ExponentialBuilder, Retryable};
use bytes::Bytes;
use domain::targets::{Addressing, Invalid, Target};
use host::{Clock, Rng};
use std::collections::BTreeMap;
use std::fmt::Display;
use std::time::Duration;
use store::Environment;
use store::error::describe;
use store::objects::URL_LIFETIME;
use url::Url;

/// How often a request without a stream is sent again before it has failed.
const RETRIES: usize = 2;
/// How long the first pause between attempts is at least; each further one is twice as long. A part of them is random.
const FIRST_PAUSE: Duration = Duration::from_millis(70);

/// A bucket, how to get there and how to sign in.
pub(super) struct Bucket {
    connector: SharedHttpConnector,
    signer: Signer,
    name: String,
    scheme: String,
    /// Host, and port if it is not the usual one, as URLs and the `Host` header have it.
    host: String,
    /// Whether the bucket is in the path.
    in_path: bool,
    clock: Clock,
    rng: Rng,
}

/// A request without its body.
pub(super) struct Call<'a> {
    /// What OSS calls it.
    pub(super) operation: &'static str,
    pub(super) method: &'static str,
    /// Empty for the bucket itself.
    pub(super) key: &'a str,
    pub(super) query: Vec<(&'static str, String)>,
    pub(super) headers: Vec<(&'static str, String)>,
}

/// The result of a request.
pub(super) enum ExchangeResult {
    /// It was done.
    Done(OssResponse),
    /// It was refused.
    Refused(Refusal),
    /// There was no answer, or only a part of it.
    Lost(Cause),
}

/// An answer.
pub(super) struct OssResponse {
    headers: Headers,
    pub(super) body: Bytes,
}

impl OssResponse {
    /// The text of a header.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)
    }
}

impl Bucket {
    /// A bucket as configured. Nothing is sent yet.
    pub(super) fn new(target: &Target, environment: &Environment) -> Result<Self, ReplicaError> {
        let invalid = |field: &str, error: &dyn Display| Invalid {
            field: format!("targets.{}.{field}", target.name),
            problem: error.to_string(),
        };
        let endpoint = Url::parse(&target.endpoint).map_err(|error| invalid("endpoint", &error))?;
        let host = endpoint.authority();
        let host = match target.addressing {
            Addressing::VirtualHosted => format!("{}.{host}", target.bucket),
            Addressing::CustomDomain | Addressing::Path => host.to_owned(),
        };
        let signer = Signer::new(&target.region, &target.credentials)
            .map_err(|error| invalid("secret_access_key", &error))?;
        Ok(Self {
            connector: http::connector(target, environment)?,
            signer,
            name: target.bucket.clone(),
            scheme: endpoint.scheme().to_owned(),
            host,
            in_path: target.addressing == Addressing::Path,
            clock: environment.clock,
            rng: environment.rng.clone(),
        })
    }

    /// Sends a request that may be sent again.
    pub(super) async fn call(&self, call: &Call<'_>, body: &[u8], timeout: Duration) -> ExchangeResult {
        let attempt = || async {
            let exchange = self.exchange(call, SdkBody::from(body));
            let outcome = match tokio::time::timeout(timeout, exchange).await {
                Ok(outcome) => outcome,
                Err(_) => ExchangeResult::Lost(Cause::of_ours(format!(
                    "no answer within {} seconds",
                    timeout.as_secs()
                ))),
            };
            let passing = match &outcome {
                ExchangeResult::Done(_) => false,
                ExchangeResult::Refused(refusal) => {
                    refusal.status >= 500 && refusal.failure() == Failure::Passing
                }
                ExchangeResult::Lost(_) => true,
            };
            if passing { Err(outcome) } else { Ok(outcome) }
        };
        let pauses = ExponentialBuilder::new()
            .with_min_delay(FIRST_PAUSE)
            .with_max_times(RETRIES)
            .with_jitter_seed(self.rng.random())
            .with_jitter();
        let (Ok(outcome) | Err(outcome)) = attempt.retry(pauses).await;
        outcome
    }

    /// Sends a request once, and waits for its answer.
    pub(super) async fn exchange(&self, call: &Call<'_>, body: SdkBody) -> ExchangeResult {
        let exchange = async {
            let request = self.request(call, body)?;
            let response = self.connector.call(request).await;
            let response = response.map_err(|error| describe(error.into_source().as_ref()))?;
            read(response).await
        };
        exchange
            .await
            .unwrap_or_else(|text| ExchangeResult::Lost(Cause::no_answer(text)))
    }

    /// A URL from which anybody can read an object, with these response headers. No header is signed: the client
    /// may send any, a range for example.
    pub(super) fn sign_read(&self, key: &str, media_type: &str, disposition: &str) -> String {
        let query = [
            ("response-content-type", media_type),
            ("response-content-disposition", disposition),
        ];
        let mut request = Unsigned {
            method: "GET",
            bucket: &self.name,
            key,
            query: query
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .into(),
            headers: BTreeMap::new(),
        };
        self.signer
            .sign_query(&mut request, &[], self.clock.now(), URL_LIFETIME);
        self.url(&request)
    }

    fn url(&self, request: &Unsigned<'_>) -> String {
        let bucket = if self.in_path {
            format!("/{}", self.name)
        } else {
            String::new()
        };
        let (scheme, host, key) = (&self.scheme, &self.host, encode_path(request.key));
        let mark = if request.query.is_empty() { "" } else { "?" };
        format!("{scheme}://{host}{bucket}/{key}{mark}{}", request.query())
    }

    fn request(&self, call: &Call<'_>, body: SdkBody) -> Result<HttpRequest, String> {
        let owned = |(name, value): &(&str, String)| ((*name).to_owned(), value.clone());
        let mut unsigned = Unsigned {
            method: call.method,
            bucket: &self.name,
            key: call.key,
            query: call.query.iter().map(owned).collect(),
            headers: call.headers.iter().map(owned).collect(),
        };
        let host = ("host".to_owned(), self.host.clone());
        unsigned.headers.extend([host]);
        self.signer
            .sign_headers(&mut unsigned, &["host"], self.clock.now());
        let mut request = HttpRequest::new(body);
        request.set_method(call.method).map_err(|e| describe(&e))?;
        request.set_uri(self.url(&unsigned)).map_err(|e| describe(&e))?;
        for (name, value) in unsigned.headers {
            let set = request.headers_mut().try_insert(name, value);
            set.map_err(|e| describe(&e))?;
        }
        Ok(request)
    }
}

async fn read(response: HttpResponse) -> Result<ExchangeResult, String> {
    let mut response = response;
    let body = ByteStream::new(response.take_body()).collect().await;
    let body = body.map_err(|error| describe(&error))?.into_bytes();
    let status = response.status();
    if status.is_success() {
        let headers = response.headers().clone();
        return Ok(ExchangeResult::Done(OssResponse { headers, body }));
    }
    let header = response.headers().get("x-oss-err");
    Ok(ExchangeResult::Refused(Refusal::read(
        status.as_u16(),
        &body,
        header,
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bucket(endpoint: &str, addressing: Addressing) -> Bucket {
        let mut target = crate::for_tests::target(endpoint);
        target.addressing = addressing;
        Bucket::new(&target, &crate::for_tests::environment()).unwrap()
    }

    #[test]
    fn where_the_bucket_is() {
        let real = "https://oss-cn-hangzhou.aliyuncs.com";
        for (endpoint, addressing, host, url) in [
            (
                real,
                Addressing::VirtualHosted,
                "bucket.oss-cn-hangzhou.aliyuncs.com",
                "https://bucket.oss-cn-hangzhou.aliyuncs.com/p/a%20b?uploads",
            ),
            (
                "https://files.example.com",
                Addressing::CustomDomain,
                "files.example.com",
                "https://files.example.com/p/a%20b?uploads",
            ),
            (
                "http://127.0.0.1:8080",
                Addressing::Path,
                "127.0.0.1:8080",
                "http://127.0.0.1:8080/bucket/p/a%20b?uploads",
            ),
        ] {
            let call = Call {
                operation: "InitiateMultipartUpload",
                method: "POST",
                key: "p/a b",
                query: vec![("uploads", String::new())],
                headers: Vec::new(),
            };
            let request = bucket(endpoint, addressing)
                .request(&call, SdkBody::empty())
                .unwrap();
            assert_eq!((request.uri(), request.method()), (url, "POST"));
            assert_eq!(request.headers().get("host"), Some(host));
            let authorization = request.headers().get("authorization").unwrap();
            assert!(
                authorization.contains(",AdditionalHeaders=host,"),
                "{authorization}"
            );
        }
    }
}
