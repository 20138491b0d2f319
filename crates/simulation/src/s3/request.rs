//! A request as S3 reads it.

use super::operation::{self, Operation};
use super::refusal::Refusal;
use bytes::Bytes;
use http::header::{CONTENT_LENGTH, HOST};
use percent_encoding::percent_decode_str;
use sha2::{Digest, Sha256};
use std::str::FromStr;

/// What it is about, decoded.
#[derive(Debug)]
pub(crate) struct Request<'a> {
    /// As it came.
    pub(crate) raw: &'a http::Request<Bytes>,
    /// The bucket; empty where none is named.
    pub(crate) bucket: String,
    /// The key; empty where none is named.
    pub(crate) key: String,
    query: Vec<(String, String)>,
}

/// What the request was sent to, with the port if it says one.
pub(crate) fn host<T>(raw: &http::Request<T>) -> String {
    let header = raw.headers().get(HOST).and_then(|host| host.to_str().ok());
    let of_url = raw.uri().authority().map(http::uri::Authority::as_str);
    header.or(of_url).unwrap_or_default().to_owned()
}

/// The query, in pieces and decoded; `None` when it is not UTF-8.
pub(crate) fn query<T>(raw: &http::Request<T>) -> Option<Vec<(String, String)>> {
    let pairs = raw.uri().query().unwrap_or_default().split('&');
    pairs
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            Some((decoded(name)?, decoded(value)?))
        })
        .collect()
}

fn decoded(text: &str) -> Option<String> {
    let text = percent_decode_str(text).decode_utf8().ok()?;
    Some(text.into_owned())
}

impl<'a> Request<'a> {
    /// The bucket is in the path (`http://s3.simulation/<bucket>/<key>`) or in the host
    /// (`http://<bucket>.s3.simulation/<key>`). `None` when something is not UTF-8.
    pub(crate) fn read(raw: &'a http::Request<Bytes>) -> Option<Self> {
        let path = raw.uri().path();
        let path = path.strip_prefix('/').unwrap_or(path);
        let host = host(raw);
        let (bucket, key) = match host.split_once(".s3.") {
            Some((bucket, _)) => (bucket, path),
            None => path.split_once('/').unwrap_or((path, "")),
        };
        Some(Self {
            raw,
            bucket: decoded(bucket)?,
            key: decoded(key)?,
            query: query(raw)?,
        })
    }

    /// The operation.
    pub(crate) fn operation(&self) -> Operation {
        let names: Vec<&str> = self.query.iter().map(|(name, _)| name.as_str()).collect();
        let is_copy = self.header("x-amz-copy-source").is_some();
        if self.bucket.is_empty() || is_copy {
            return Operation::Unknown;
        }
        operation::find(self.raw.method(), !self.key.is_empty(), &names)
    }

    /// A parameter of the query.
    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        let found = self.query.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    /// A parameter that is a number.
    pub(crate) fn number<T: FromStr>(&self, name: &str) -> Result<Option<T>, Refusal> {
        let parse = |value: &str| {
            let text = format!("Provided {name} not an integer or within integer range");
            value
                .parse()
                .map_err(|_| Refusal::invalid_argument(text, name, value))
        };
        self.parameter(name).map(parse).transpose()
    }

    /// A header, if it is text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.raw.headers().get(name)?.to_str().ok()
    }

    /// The body.
    pub(crate) fn body(&self) -> &'a Bytes {
        self.raw.body()
    }

    /// Whether nothing may be at the key yet.
    pub(crate) fn only_if_absent(&self) -> Result<bool, Refusal> {
        match self.header("if-none-match") {
            None => Ok(false),
            Some("*") => Ok(true),
            Some(_) => Err(Refusal::not_implemented("If-None-Match but for *")),
        }
    }

    /// What it asks for, where the double lacks it.
    pub(crate) fn not_implemented(&self) -> Refusal {
        let names: Vec<&str> = self.query.iter().map(|(name, _)| name.as_str()).collect();
        let target = match (self.bucket.is_empty(), self.key.is_empty()) {
            (true, _) => "the service",
            (false, true) => "a bucket",
            (false, false) => "an object",
        };
        let operation = self.parameter("x-id").unwrap_or("operation");
        Refusal::not_implemented(&format!(
            "{operation} ({} of {target}, with {names:?})",
            self.raw.method()
        ))
    }

    /// The body is as long as is said, and has the SHA-256 that is said.
    pub(crate) fn check_body(&self) -> Result<(), Refusal> {
        let length = self.header(CONTENT_LENGTH.as_str());
        if length.is_some_and(|length| length.parse() != Ok(self.body().len())) {
            let text = "You did not provide the number of bytes specified by the Content-Length HTTP header";
            return Err(Refusal::new(400, "IncompleteBody", text));
        }
        match self.header("x-amz-content-sha256") {
            None | Some("UNSIGNED-PAYLOAD") => Ok(()),
            Some(streaming) if streaming.starts_with("STREAMING-") => {
                Err(Refusal::not_implemented(streaming))
            }
            Some(digest) if digest == hex::encode(Sha256::digest(self.body())) => Ok(()),
            Some(digest) => {
                let text = "The provided 'x-amz-content-sha256' header does not match what was computed.";
                let refusal = Refusal::new(400, "XAmzContentSHA256Mismatch", text);
                Err(refusal.with("ClientComputedContentSHA256", digest))
            }
        }
    }

    /// Nothing is asked for by a header that would be ignored.
    pub(crate) fn check_headers(&self, operation: Operation) -> Result<(), Refusal> {
        if operation == Operation::Unknown {
            return Err(self.not_implemented());
        }
        let mut names = self.raw.headers().keys().map(http::HeaderName::as_str);
        match names.find(|name| !operation.takes(name)) {
            Some(name) => Err(Refusal::not_implemented(&format!(
                "{name} of {}",
                operation.name()
            ))),
            None => Ok(()),
        }
    }
}
