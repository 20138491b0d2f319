//! OSS's signatures, version 4: of headers, and of URLs.

use super::encoding::{encode, encode_path};
use domain::targets::Credentials;
use hmac::digest::InvalidLength;
use hmac::digest::array::Array;
use hmac::digest::consts::U32;
use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::Duration;

const ALGORITHM: &str = "OSS4-HMAC-SHA256";
const UNSIGNED_PAYLOAD: &str = "UNSIGNED-PAYLOAD";

/// The credentials and region of a signature.
pub(super) struct Signer {
    region: String,
    access_key_id: String,
    /// Keyed with the secret access key.
    keyed: Hmac<Sha256>,
    session_token: Option<SecretString>,
}

/// What is signed.
pub(super) struct Unsigned<'a> {
    pub(super) method: &'a str,
    pub(super) bucket: &'a str,
    /// Empty for the bucket itself.
    pub(super) key: &'a str,
    pub(super) query: Vec<(String, String)>,
    /// With names in lower case.
    pub(super) headers: BTreeMap<String, String>,
}

impl Signer {
    /// # Errors
    /// [`InvalidLength`], which no secret has: a key of any length is one.
    pub(super) fn new(region: &str, credentials: &Credentials) -> Result<Self, InvalidLength> {
        let secret = format!("aliyun_v4{}", credentials.secret_access_key.expose_secret());
        Ok(Self {
            region: region.to_owned(),
            access_key_id: credentials.access_key_id.clone(),
            keyed: Hmac::new_from_slice(secret.as_bytes())?,
            session_token: credentials.session_token.clone(),
        })
    }

    /// Adds the headers that sign a request, which signs the `additional` headers, too.
    pub(super) fn sign_headers(&self, request: &mut Unsigned<'_>, additional: &[&str], now: Timestamp) {
        let date = date(now);
        let mut set = |name: &str, value: &str| request.headers.insert(name.to_owned(), value.to_owned());
        set("x-oss-date", &date);
        set("x-oss-content-sha256", UNSIGNED_PAYLOAD);
        if let Some(token) = &self.session_token {
            set("x-oss-security-token", token.expose_secret());
        }
        let signature = self.signature(request, additional, &date);
        let credential = format!("{}/{}", self.access_key_id, self.scope(&date));
        // An empty list would be refused.
        let additional = match additional {
            [] => String::new(),
            names => format!("AdditionalHeaders={},", names.join(";")),
        };
        let authorization = format!("{ALGORITHM} Credential={credential},{additional}Signature={signature}");
        request.headers.insert("authorization".to_owned(), authorization);
    }

    /// Adds what in the query of a URL signs a request.
    pub(super) fn sign_query(
        &self,
        request: &mut Unsigned<'_>,
        additional: &[&str],
        now: Timestamp,
        lifetime: Duration,
    ) {
        let date = date(now);
        let mut add = |name: &str, value: String| request.query.push((name.to_owned(), value));
        add("x-oss-signature-version", ALGORITHM.to_owned());
        add("x-oss-date", date.clone());
        add("x-oss-expires", lifetime.as_secs().to_string());
        add(
            "x-oss-credential",
            format!("{}/{}", self.access_key_id, self.scope(&date)),
        );
        if let Some(token) = &self.session_token {
            add("x-oss-security-token", token.expose_secret().to_owned());
        }
        if !additional.is_empty() {
            add("x-oss-additional-headers", additional.join(";"));
        }
        let signature = self.signature(request, additional, &date);
        request.query.push(("x-oss-signature".to_owned(), signature));
    }

    fn scope(&self, date: &str) -> String {
        format!("{}/{}/oss/aliyun_v4_request", day(date), self.region)
    }

    fn signature(&self, request: &Unsigned<'_>, additional: &[&str], date: &str) -> String {
        let canonical = Sha256::digest(request.canonical(additional));
        let scope = self.scope(date);
        let to_sign = format!("{ALGORITHM}\n{date}\n{scope}\n{}", hex::encode(canonical));
        // What is signed with one key is the next one.
        let next = |keyed: Hmac<Sha256>, text| {
            let key = keyed.chain_update(text).finalize().into_bytes();
            Hmac::new(&key.concat::<U32>(Array::default()))
        };
        let keyed = [day(date), &self.region, "oss", "aliyun_v4_request"]
            .into_iter()
            .fold(self.keyed.clone(), next);
        hex::encode(keyed.chain_update(to_sign).finalize().into_bytes())
    }
}

impl Unsigned<'_> {
    /// The query as it is sent and signed.
    pub(super) fn query(&self) -> String {
        let pairs = self.query.iter();
        let mut pairs: Vec<_> = pairs.map(|(name, value)| (encode(name), encode(value))).collect();
        pairs.sort();
        let pairs = pairs.into_iter().map(|(name, value)| match value.as_str() {
            "" => name,
            value => format!("{name}={value}"),
        });
        pairs.collect::<Vec<_>>().join("&")
    }

    fn canonical(&self, additional: &[&str]) -> String {
        let is_signed = |name: &str| {
            name.starts_with("x-oss-")
                || ["content-type", "content-md5"].contains(&name)
                || additional.contains(&name)
        };
        let headers = self.headers.iter().filter(|(name, _)| is_signed(name));
        let mut lines = String::new();
        for (name, value) in headers {
            // Writing to a string cannot fail.
            let _ = writeln!(lines, "{name}:{}", value.trim());
        }
        // The bucket is always there, whatever the URL's host is.
        let path = format!("/{}/{}", encode(self.bucket), encode_path(self.key));
        let (method, query, additional) = (self.method, self.query(), additional.join(";"));
        format!("{method}\n{path}\n{query}\n{lines}\n{additional}\n{UNSIGNED_PAYLOAD}")
    }
}

fn date(now: Timestamp) -> String {
    now.strftime("%Y%m%dT%H%M%SZ").to_string()
}

/// The day of a date.
fn day(date: &str) -> &str {
    date.split('T').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    //! What the tests of Alibaba's own SDKs for Go and Python expect.

    use super::*;

    fn signer(token: Option<&str>) -> Signer {
        let credentials = Credentials {
            access_key_id: "ak".to_owned(),
            secret_access_key: "sk".into(),
            session_token: token.map(SecretString::from),
        };
        Signer::new("cn-hangzhou", &credentials).unwrap()
    }

    fn request(content_type: &str) -> Unsigned<'static> {
        let pair = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        let query = [
            ("param1", "value1"),
            ("+param1", "value3"),
            ("|param1", "value4"),
            ("+param2", ""),
            ("|param2", ""),
            ("param2", ""),
        ];
        let headers = [
            ("x-oss-head1", "value"),
            ("abc", "value"),
            ("zabc", "value"),
            ("xyz", "value"),
            ("content-type", content_type),
        ];
        Unsigned {
            method: "PUT",
            bucket: "bucket",
            key: "1234+-/123/1.txt",
            query: query.map(pair).into(),
            headers: headers.map(pair).into(),
        }
    }

    #[test]
    fn signed_headers() {
        let additional = ["abc", "zabc"];
        for (time, token, additional, expected) in [
            (
                1_702_743_657,
                None,
                &[][..],
                "e21d18daa82167720f9b1047ae7e7f1ce7cb77a31e8203a7d5f4624fa0284afe",
            ),
            (
                1_702_784_856,
                Some("token"),
                &[],
                "b94a3f999cf85bcdc00d332fbd3734ba03e48382c36fa4d5af5df817395bd9ea",
            ),
            (
                1_702_747_512,
                None,
                &additional,
                "4a4183c187c07c8947db7620deb0a6b38d9fbdd34187b6dbaccb316fa251212f",
            ),
        ] {
            let mut request = request("text/plain");
            let now = Timestamp::from_second(time).unwrap();
            signer(token).sign_headers(&mut request, additional, now);
            let query = "%2Bparam1=value3&%2Bparam2&%7Cparam1=value4&%7Cparam2&param1=value1&param2";
            assert_eq!(request.query(), query);
            let authorization = &request.headers["authorization"];
            let (rest, signature) = authorization.split_once(",Signature=").unwrap();
            assert_eq!(signature, expected);
            let listed = rest.split_once(",AdditionalHeaders=").map(|(_, names)| names);
            let names = additional.join(";");
            assert_eq!(listed, (!additional.is_empty()).then_some(names.as_str()));
            assert!(
                rest.starts_with("OSS4-HMAC-SHA256 Credential=ak/202312"),
                "{rest}"
            );
        }
    }

    #[test]
    fn signed_urls() {
        let additional = ["abc", "zabc"];
        for (time, token, additional, expected) in [
            (
                1_702_781_677,
                None,
                &[][..],
                "a39966c61718be0d5b14e668088b3fa07601033f6518ac7b523100014269c0fe",
            ),
            (
                1_702_785_388,
                Some("token"),
                &[],
                "3817ac9d206cd6dfc90f1c09c00be45005602e55898f26f5ddb06d7892e1f8b5",
            ),
            (
                1_702_783_809,
                None,
                &additional,
                "6bd984bfe531afb6db1f7550983a741b103a8c58e5e14f83ea474c2322dfa2b7",
            ),
        ] {
            let mut request = request("application/octet-stream");
            let now = Timestamp::from_second(time).unwrap();
            let lifetime = Duration::from_secs(599);
            signer(token).sign_query(&mut request, additional, now, lifetime);
            let query = request.query();
            assert!(query.contains(&format!("x-oss-signature={expected}")), "{query}");
        }
    }
}
