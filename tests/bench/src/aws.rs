//! Signed requests, to the emulator and to Ceph.

use anyhow::{Context, Result, ensure};
use aws_credential_types::Credentials;
use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SigningSettings,
    UriPathNormalizationMode, sign,
};
use aws_sigv4::sign::v4;
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::Request;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;
use std::time::{Duration, SystemTime};

/// Longer than anything here takes that goes well.
const TIMEOUT: Duration = Duration::from_mins(2);

/// An answer, read to its end.
pub(crate) struct AwsResponse {
    pub(crate) status: u16,
    pub(crate) body: Bytes,
}

impl AwsResponse {
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// Stops unless the request did what it was to do.
    pub(crate) fn succeeded(self, what: &str) -> Result<Self> {
        ensure!(
            (200..300).contains(&self.status),
            "{what}: {} {}",
            self.status,
            self.text()
        );
        Ok(self)
    }
}

/// Somewhere that speaks AWS's protocols over plain HTTP, and who asks there. Connections are kept.
#[derive(Clone)]
pub(crate) struct AwsEndpoint {
    /// Such as `http://127.0.0.1:4566`.
    pub(crate) endpoint: String,
    region: String,
    credentials: Credentials,
    client: Client<HttpConnector, Full<Bytes>>,
}

impl AwsEndpoint {
    pub(crate) fn new(endpoint: &str, region: &str, key_id: &str, secret: &str) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        Self {
            endpoint: endpoint.trim_end_matches('/').to_owned(),
            region: region.to_owned(),
            credentials: Credentials::new(key_id, secret, None, None, "bench"),
            client: Client::builder(TokioExecutor::new()).build(connector),
        }
    }

    /// A call of a service that takes JSON.
    pub(crate) async fn json(&self, service: &str, operation: &str, body: &Value) -> Result<Value> {
        let headers = [
            ("content-type", "application/x-amz-json-1.0"),
            ("x-amz-target", operation),
        ];
        let answer = self
            .send(service, "POST", "/", &headers, body.to_string())
            .await?;
        let answer = answer.succeeded(operation)?;
        if answer.body.is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_slice(&answer.body).with_context(|| format!("{operation} did not answer with JSON"))
    }

    /// A signed request to a path, query included.
    pub(crate) async fn send(
        &self,
        service: &str,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> Result<AwsResponse> {
        let body: Bytes = body.into();
        let url = format!("{}{path}", self.endpoint);
        let signature = self.signature(service, method, &url, headers, &body)?;
        let mut request = Request::builder().method(method).uri(&url);
        let signature = signature
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()));
        for (name, value) in headers.iter().copied().chain(signature) {
            request = request.header(name, value);
        }
        self.exchange(request.body(Full::new(body))?).await
    }

    /// A request that is signed already, by a presigned URL and the headers that belong to it.
    pub(crate) async fn presigned<'a>(
        &self,
        url: &str,
        headers: impl Iterator<Item = (&'a str, &'a str)>,
        body: Bytes,
    ) -> Result<AwsResponse> {
        let mut request = Request::builder().method("PUT").uri(url);
        for (name, value) in headers {
            // The client sets these itself.
            if !["host", "content-length"].contains(&name) {
                request = request.header(name, value);
            }
        }
        self.exchange(request.body(Full::new(body))?).await
    }

    async fn exchange(&self, request: Request<Full<Bytes>>) -> Result<AwsResponse> {
        let what = format!("{} {}", request.method(), request.uri());
        let exchange = async {
            let answer = self.client.request(request).await?;
            let status = answer.status().as_u16();
            let body = answer.into_body().collect().await?.to_bytes();
            anyhow::Ok(AwsResponse { status, body })
        };
        tokio::time::timeout(TIMEOUT, exchange)
            .await
            .with_context(|| format!("{what}: no answer"))?
            .with_context(|| what)
    }

    fn signature(
        &self,
        service: &str,
        method: &str,
        url: &str,
        headers: &[(&str, &str)],
        body: &Bytes,
    ) -> Result<Vec<(String, String)>> {
        let identity = self.credentials.clone().into();
        let mut settings = SigningSettings::default();
        if service == "s3" {
            // S3 takes paths as they are, and wants to know the body's hash.
            settings.percent_encoding_mode = PercentEncodingMode::Single;
            settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
            settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
        }
        let parameters = v4::SigningParams::builder()
            .identity(&identity)
            .region(&self.region)
            .name(service)
            .time(SystemTime::now())
            .settings(settings)
            .build()?
            .into();
        let request = SignableRequest::new(method, url, headers.iter().copied(), SignableBody::Bytes(body))?;
        let (instructions, _) = sign(request, &parameters)?.into_parts();
        let (added, _) = instructions.into_parts();
        Ok(added
            .iter()
            .map(|header| (header.name().to_owned(), header.value().to_owned()))
            .collect())
    }
}
