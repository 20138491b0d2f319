//! A request as this server sees it: which bucket and key it is about, and what is in its query.

use crate::encoding::{decode, decode_query};
use crate::refusal::Refusal;
use crate::settings::Settings;
use hyper::Method;
use hyper::header::HOST;
use hyper::http::request::Parts;
use std::net::IpAddr;

/// The head of a request, taken apart.
#[derive(Debug)]
pub(crate) struct Head {
    pub(crate) method: Method,
    /// As the client wrote it, without the port.
    pub(crate) host: String,
    pub(crate) bucket: String,
    /// Empty when the request is about the bucket.
    pub(crate) key: String,
    /// Names and values, decoded, in their order.
    pub(crate) query: Vec<(String, String)>,
    /// Names in lower case.
    pub(crate) headers: Vec<(String, Vec<u8>)>,
}

impl Head {
    pub(crate) fn new(parts: &Parts, settings: &Settings) -> Result<Self, Refusal> {
        let host = parts.headers.get(HOST).and_then(|host| host.to_str().ok());
        let host = without_port(host.unwrap_or_default()).to_lowercase();
        let path = text(decode(parts.uri.path()))?;
        let path = path.strip_prefix('/').unwrap_or(&path);
        let (bucket, key) = bucket_and_key(&host, path, settings);
        let mut query = Vec::new();
        for pair in parts.uri.query().unwrap_or_default().split('&') {
            if pair.is_empty() {
                continue;
            }
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            query.push((text(decode_query(name))?, text(decode_query(value))?));
        }
        let headers = parts
            .headers
            .iter()
            .map(|(name, value)| (name.as_str().to_owned(), value.as_bytes().to_vec()));
        Ok(Self {
            method: parts.method.clone(),
            bucket: bucket.to_owned(),
            key: key.to_owned(),
            query,
            headers: headers.collect(),
            host,
        })
    }

    /// A value of the query. One without `=` is empty.
    pub(crate) fn query(&self, name: &str) -> Option<&str> {
        let mut found = self.query.iter().filter(|(own, _)| own == name);
        found.next().map(|(_, value)| value.as_str())
    }

    /// Whether the query has this name.
    pub(crate) fn asks(&self, name: &str) -> bool {
        self.query(name).is_some()
    }

    /// A value of the query that must be there.
    pub(crate) fn required(&self, name: &str) -> Result<&str, Refusal> {
        self.query(name)
            .ok_or_else(|| Refusal::invalid_argument(format!("{name} is missing in the query.")))
    }

    /// A number in the query, within bounds.
    pub(crate) fn number(&self, name: &str, default: usize, largest: usize) -> Result<usize, Refusal> {
        let Some(value) = self.query(name) else {
            return Ok(default);
        };
        let number = value.parse().ok().filter(|number| *number <= largest);
        number.ok_or_else(|| {
            Refusal::invalid_argument(format!("Argument {name} must be between 0 and {largest}."))
                .field("ArgumentName", name)
                .field("ArgumentValue", value)
        })
    }

    /// A header's text; one that is no text is not there.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(own, _)| own == name);
        found.and_then(|(_, value)| std::str::from_utf8(value).ok())
    }

    /// Whether nothing may be there yet under the key.
    pub(crate) fn forbids_overwriting(&self) -> Result<bool, Refusal> {
        match self.header("x-oss-forbid-overwrite") {
            None | Some("false") => Ok(false),
            Some("true") => Ok(true),
            Some(other) => Err(
                Refusal::invalid_argument("x-oss-forbid-overwrite must be true or false.")
                    .field("ArgumentName", "x-oss-forbid-overwrite")
                    .field("ArgumentValue", other),
            ),
        }
    }
}

/// The bucket is in the path when the host is an address or `localhost` (which OSS itself does not do), it is the one
/// bucket there is when the host is a custom domain, and else the first word of the host.
fn bucket_and_key<'a>(host: &'a str, path: &'a str, settings: &'a Settings) -> (&'a str, &'a str) {
    if settings.custom_domains.iter().any(|domain| domain == host) {
        return (&settings.bucket, path);
    }
    let address = host.trim_start_matches('[').trim_end_matches(']');
    match host.split_once('.') {
        Some((bucket, _)) if address.parse::<IpAddr>().is_err() => (bucket, path),
        _ => path.split_once('/').unwrap_or((path, "")),
    }
}

fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    }
}

fn text(decoded: Option<Vec<u8>>) -> Result<String, Refusal> {
    let text = decoded.and_then(|bytes| String::from_utf8(bytes).ok());
    text.ok_or_else(|| Refusal::bad_request("InvalidObjectName", "The name is not percent-encoded UTF-8."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bucket_is_in_the_path_the_host_or_the_settings() {
        let mut settings = Settings::for_tests("/nowhere".as_ref());
        settings.bucket = "longshore".to_owned();
        settings.custom_domains = vec!["files.example.com".to_owned()];
        let find = |host, path| bucket_and_key(without_port(host), path, &settings);
        assert_eq!(find("127.0.0.1:80", "other/a/b"), ("other", "a/b"));
        assert_eq!(find("127.0.0.1", "other"), ("other", ""));
        assert_eq!(find("[::1]:80", "other/a"), ("other", "a"));
        assert_eq!(find("localhost:80", "other/a"), ("other", "a"));
        assert_eq!(
            find("other.oss-cn-hangzhou.aliyuncs.com", "a/b"),
            ("other", "a/b")
        );
        assert_eq!(find("other.localhost:80", ""), ("other", ""));
        assert_eq!(find("files.example.com:80", "a/b"), ("longshore", "a/b"));
    }
}
