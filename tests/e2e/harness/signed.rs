//! Requests to AWS itself, signed with the credentials in the environment (an emulator takes any).

use super::http::{HttpResponse, send};
use super::stack::stack;
use aws_credential_types::Credentials;
use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SigningSettings,
    UriPathNormalizationMode, sign,
};
use aws_sigv4::sign::v4;
use bytes::Bytes;
use std::env;
use std::time::SystemTime;

/// Sends a signed request and reads the answer.
pub(crate) async fn send_signed(
    service: &str,
    method: &str,
    url: &str,
    headers: &[(&str, &str)],
    body: impl Into<Bytes>,
) -> HttpResponse {
    let body: Bytes = body.into();
    let added = signature(&credentials(), service, method, url, headers, &body);
    let mut all = headers.to_vec();
    all.extend(added.iter().map(|(name, value)| (name.as_str(), value.as_str())));
    send(method, url, &all, body).await
}

/// The headers that sign a request.
pub(crate) fn signature(
    credentials: &Credentials,
    service: &str,
    method: &str,
    url: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Vec<(String, String)> {
    let identity = credentials.clone().into();
    let mut settings = SigningSettings::default();
    if service == "s3" {
        // S3 takes paths as they are, and wants to know the body's hash.
        settings.percent_encoding_mode = PercentEncodingMode::Single;
        settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
        settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
    }
    let parameters = v4::SigningParams::builder()
        .identity(&identity)
        .region(&stack().region)
        .name(service)
        .time(SystemTime::now())
        .settings(settings)
        .build()
        .unwrap()
        .into();
    let request = SignableRequest::new(method, url, headers.iter().copied(), SignableBody::Bytes(body));
    let (instructions, _) = sign(request.unwrap(), &parameters).unwrap().into_parts();
    let (added, _) = instructions.into_parts();
    added
        .iter()
        .map(|header| (header.name().to_owned(), header.value().to_owned()))
        .collect()
}

fn credentials() -> Credentials {
    let variable = |name| env::var(name).ok().filter(|value: &String| !value.is_empty());
    Credentials::new(
        variable("AWS_ACCESS_KEY_ID").unwrap_or_else(|| "test".to_owned()),
        variable("AWS_SECRET_ACCESS_KEY").unwrap_or_else(|| "test".to_owned()),
        variable("AWS_SESSION_TOKEN"),
        None,
        "environment",
    )
}
