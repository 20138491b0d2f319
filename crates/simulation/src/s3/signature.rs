//! Who sends a request: the signature of a presigned one, as AWS's "Signature Version 4: query parameters" has it.

use super::refusal::Refusal;
use super::request::{host, query};
use bytes::Bytes;
use hmac::{Hmac, KeyInit, Mac};
use http::header::{AUTHORIZATION, CONTENT_LENGTH, HOST};
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, percent_encode};
use sha2::{Digest, Sha256};

const ALGORITHM: &str = "AWS4-HMAC-SHA256";
/// What is left as it is, besides letters and digits.
const ENCODED: AsciiSet = NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');
/// By how much clocks may differ.
const SKEW: SignedDuration = SignedDuration::from_mins(15);
/// Longest lifetime of a URL, in seconds.
const WEEK: i64 = 7 * 24 * 60 * 60;

/// Who may do everything.
#[derive(Debug)]
pub(crate) struct KeyPair {
    pub(crate) id: String,
    pub(crate) secret: String,
}

/// The parameters of a presigned URL.
struct Presigned {
    algorithm: String,
    credential: String,
    date: String,
    expires: String,
    signed_headers: String,
    signature: String,
}

/// Fails unless the request is signed. One that is signed by header is believed.
pub(crate) fn check(request: &http::Request<Bytes>, keys: &KeyPair, now: Timestamp) -> Result<(), Refusal> {
    let query = query(request).unwrap_or_default();
    if !query.iter().any(|(name, _)| name.starts_with("X-Amz-")) {
        return if request.headers().contains_key(AUTHORIZATION) {
            Ok(())
        } else {
            Err(denied("Access Denied"))
        };
    }
    let presigned = Presigned::of(&query)?;
    let scope = presigned.scope(keys)?;
    presigned.check_time(now)?;
    presigned.check_headers(request)?;
    let canonical = canonical(request, &presigned.signed_headers);
    let text = format!(
        "{ALGORITHM}\n{}\n{scope}\n{}",
        presigned.date,
        hex::encode(Sha256::digest(&canonical))
    );
    let first = format!("AWS4{}", keys.secret).into_bytes();
    let key = scope.split('/').fold(first, |key, word| mac(&key, word));
    if hex::encode(mac(&key, &text)) != presigned.signature {
        let message = "The request signature we calculated does not match the signature you provided. Check your key and \
                       signing method.";
        return Err(Refusal::new(403, "SignatureDoesNotMatch", message)
            .with("AWSAccessKeyId", keys.id.as_str())
            .with("StringToSign", text)
            .with("CanonicalRequest", canonical));
    }
    Ok(())
}

impl Presigned {
    fn of(query: &[(String, String)]) -> Result<Self, Refusal> {
        let parameter = |name: &str| {
            let found = query.iter().find(|(known, _)| known == name);
            found.map(|(_, value)| value.clone()).ok_or_else(|| {
                malformed(
                    "Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, \
                     X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters.",
                )
            })
        };
        if parameter("X-Amz-Security-Token").is_ok() {
            let text = "The provided token is malformed or otherwise invalid.";
            return Err(Refusal::new(400, "InvalidToken", text));
        }
        Ok(Self {
            algorithm: parameter("X-Amz-Algorithm")?,
            credential: parameter("X-Amz-Credential")?,
            date: parameter("X-Amz-Date")?,
            expires: parameter("X-Amz-Expires")?,
            signed_headers: parameter("X-Amz-SignedHeaders")?,
            signature: parameter("X-Amz-Signature")?,
        })
    }

    /// What the key is made for: day, region, service and the closing word.
    fn scope(&self, keys: &KeyPair) -> Result<String, Refusal> {
        if self.algorithm != ALGORITHM {
            return Err(malformed(
                "X-Amz-Algorithm only supports \"AWS4-HMAC-SHA256 and AWS4-ECDSA-P256-SHA256\"",
            ));
        }
        let day = self.date.get(..8).unwrap_or_default();
        let (id, scope) = self.credential.split_once('/').unwrap_or_default();
        let is_scope = match scope.split('/').collect::<Vec<_>>()[..] {
            [of_day, _region, service, end] => of_day == day && service == "s3" && end == "aws4_request",
            _ => false,
        };
        if !is_scope {
            return Err(malformed("Error parsing the X-Amz-Credential parameter."));
        }
        if id != keys.id {
            let text = "The AWS Access Key Id you provided does not exist in our records.";
            return Err(Refusal::new(403, "InvalidAccessKeyId", text).with("AWSAccessKeyId", id));
        }
        Ok(scope.to_owned())
    }

    fn check_time(&self, now: Timestamp) -> Result<(), Refusal> {
        let signed_at = DateTime::strptime("%Y%m%dT%H%M%SZ", &self.date)
            .and_then(|time| time.to_zoned(TimeZone::UTC))
            .map_err(|_| malformed("X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\""))?
            .timestamp();
        let seconds: i64 = self
            .expires
            .parse()
            .map_err(|_| malformed("X-Amz-Expires should be a number"))?;
        if seconds > WEEK {
            let text = "X-Amz-Expires must be less than a week (in seconds) that is 604800";
            return Err(malformed(text));
        }
        if seconds < 0 {
            return Err(malformed("X-Amz-Expires must be non-negative"));
        }
        let age = now.duration_since(signed_at);
        if age < -SKEW {
            return Err(denied("Request is not yet valid"));
        }
        if age > SignedDuration::from_secs(seconds) {
            return Err(denied("Request has expired")
                .with("X-Amz-Expires", self.expires.as_str())
                .with("ServerTime", now.to_string()));
        }
        Ok(())
    }

    /// Nothing is sent that the signer has not seen.
    fn check_headers(&self, request: &http::Request<Bytes>) -> Result<(), Refusal> {
        let signed: Vec<&str> = self.signed_headers.split(';').collect();
        let names = request.headers().keys().map(http::HeaderName::as_str);
        let sensitive = names
            .filter(|name| name.starts_with("x-amz-"))
            .chain([HOST.as_str()]);
        let unsigned: Vec<&str> = sensitive.filter(|name| !signed.contains(name)).collect();
        if unsigned.is_empty() {
            return Ok(());
        }
        let refusal = denied("There were headers present in the request which were not signed");
        Err(refusal.with("HeadersNotSigned", unsigned.join(", ")))
    }
}

/// The canonical request.
fn canonical(request: &http::Request<Bytes>, signed_headers: &str) -> String {
    let headers = signed_headers
        .split(';')
        .map(|name| format!("{name}:{}\n", value(request, name)));
    let payload = value(request, "x-amz-content-sha256");
    let payload = if payload.is_empty() {
        "UNSIGNED-PAYLOAD"
    } else {
        &payload
    };
    format!(
        "{}\n{}\n{}\n{}\n{signed_headers}\n{payload}",
        request.method(),
        canonical_path(request.uri().path()),
        canonical_query(request.uri().query().unwrap_or_default()),
        headers.collect::<String>(),
    )
}

fn canonical_path(path: &str) -> String {
    path.split('/').map(encoded_again).collect::<Vec<_>>().join("/")
}

fn canonical_query(query: &str) -> String {
    let mut pairs: Vec<_> = query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .filter(|(name, _)| *name != "X-Amz-Signature")
        .map(|(name, value)| (encoded_again(name), encoded_again(value)))
        .collect();
    pairs.sort();
    let pairs = pairs.into_iter().map(|(name, value)| format!("{name}={value}"));
    pairs.collect::<Vec<_>>().join("&")
}

/// However it was encoded, in the one way that is signed.
fn encoded_again(text: &str) -> String {
    let bytes: Vec<u8> = percent_decode_str(text).collect();
    percent_encode(&bytes, &ENCODED).to_string()
}

/// The value of a header, as it is signed. What a connection adds by itself is there even if the request lacks it.
fn value(request: &http::Request<Bytes>, name: &str) -> String {
    let values: Vec<String> = request
        .headers()
        .get_all(name)
        .iter()
        .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
        .collect();
    let text = match name {
        "host" => host(request),
        name if name == CONTENT_LENGTH.as_str() && values.is_empty() => request.body().len().to_string(),
        _ => values.join(","),
    };
    text.split_ascii_whitespace().collect::<Vec<_>>().join(" ")
}

fn mac(key: &[u8], text: &str) -> Vec<u8> {
    // A key of any length will do, so this cannot fail.
    Hmac::<Sha256>::new_from_slice(key)
        .map(|hmac| hmac.chain_update(text).finalize().into_bytes().to_vec())
        .unwrap_or_default()
}

fn denied(message: &str) -> Refusal {
    Refusal::new(403, "AccessDenied", message)
}

fn malformed(message: &str) -> Refusal {
    Refusal::new(400, "AuthorizationQueryParametersError", message)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of AWS's documentation.
    const URL: &str = "https://examplebucket.s3.amazonaws.com/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256\
        &X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request\
        &X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host\
        &X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404";

    fn ask(url: &str, now: &str) -> Result<(), &'static str> {
        let keys = KeyPair {
            id: "AKIAIOSFODNN7EXAMPLE".to_owned(),
            secret: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".to_owned(),
        };
        let request = http::Request::get(url).body(Bytes::new()).unwrap();
        check(&request, &keys, now.parse().unwrap()).map_err(|refusal| refusal.code)
    }

    #[test]
    fn the_documented_example() {
        assert_eq!(ask(URL, "2013-05-24T12:00:00Z"), Ok(()));
        assert_eq!(ask(URL, "2013-05-25T00:00:00Z"), Ok(()));
        assert_eq!(ask(URL, "2013-05-25T00:00:01Z"), Err("AccessDenied"));
        assert_eq!(ask(URL, "2013-05-23T23:40:00Z"), Err("AccessDenied"));
    }

    #[test]
    fn what_is_changed_or_lacking() {
        for (from, to, code) in [
            ("test.txt", "test.txu", "SignatureDoesNotMatch"),
            (
                "X-Amz-Expires=86400",
                "X-Amz-Expires=86401",
                "SignatureDoesNotMatch",
            ),
            ("=aeeed9", "=beeed9", "SignatureDoesNotMatch"),
            ("us-east-1", "us-east-2", "SignatureDoesNotMatch"),
            ("examplebucket", "otherbucket", "SignatureDoesNotMatch"),
            ("AKIAIOSFODNN7EXAMPLE", "AKIAIOSFODNN7", "InvalidAccessKeyId"),
            ("SignedHeaders=host", "SignedHeaders=", "AccessDenied"),
            ("F20130524", "F20130525", "AuthorizationQueryParametersError"),
            (
                "X-Amz-Date=20130524T",
                "X-Amz-Date=20130524",
                "AuthorizationQueryParametersError",
            ),
            (
                "X-Amz-Expires=86400",
                "X-Amz-Expires=604801",
                "AuthorizationQueryParametersError",
            ),
            (
                "X-Amz-Expires=86400",
                "X-Amz-Expires=soon",
                "AuthorizationQueryParametersError",
            ),
            ("X-Amz-Expires=86400", "", "AuthorizationQueryParametersError"),
            (
                "X-Amz-Expires=86400",
                "X-Amz-Expires=-1",
                "AuthorizationQueryParametersError",
            ),
            ("SHA256", "SHA1", "AuthorizationQueryParametersError"),
            (
                "X-Amz-Expires",
                "X-Amz-Security-Token=a&X-Amz-Expires",
                "InvalidToken",
            ),
        ] {
            let changed = URL.replace(from, to);
            assert_ne!(changed, URL);
            assert_eq!(ask(&changed, "2013-05-24T12:00:00Z"), Err(code), "{from} {to}");
        }
        let (plain, _) = URL.split_once('?').unwrap();
        assert_eq!(ask(plain, "2013-05-24T12:00:00Z"), Err("AccessDenied"));
    }
}
