//! A client that signs as the documentation says, with nothing of the server's, and can do it wrong.

use crate::reply::{Reply, authority, exchange};
use bytes::Bytes;
use hmac::{Hmac, KeyInit, Mac};
use http_body_util::Full;
use hyper::Request;
use jiff::{SignedDuration, Timestamp};
use oss_server::{Server, Settings};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use sha2::{Digest, Sha256};
use std::fmt::Write;
use std::path::Path;
use tempfile::TempDir;

/// What is encoded in a query; in a path, slashes are not.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');
const RESERVED_IN_PATHS: &AsciiSet = &RESERVED.remove(b'/');

/// A server with a folder of its own.
pub(crate) struct ServerFixture {
    pub(crate) server: Server,
    pub(crate) settings: Settings,
    pub(crate) folder: TempDir,
}

impl ServerFixture {
    pub(crate) fn new() -> Self {
        Self::with(|_| {})
    }

    pub(crate) fn with(change: impl FnOnce(&mut Settings)) -> Self {
        let folder = TempDir::new().unwrap();
        let mut settings = Settings::for_tests(folder.path());
        change(&mut settings);
        Self {
            server: Server::start(settings.clone()).unwrap(),
            settings,
            folder,
        }
    }

    /// The same after the server stopped and started again.
    pub(crate) fn restarted(self) -> Self {
        self.server.stop();
        Self {
            server: Server::start(self.settings.clone()).unwrap(),
            ..self
        }
    }

    /// A request as it should be.
    pub(crate) fn ask(&self, method: &str, key: &str) -> Ask {
        Ask {
            endpoint: self.server.endpoint.clone(),
            method: method.to_owned(),
            bucket: self.settings.bucket.clone(),
            key: key.to_owned(),
            query: Vec::new(),
            headers: Vec::new(),
            additional: Vec::new(),
            body: Bytes::new(),
            host: None,
            time: Timestamp::now(),
            region: self.settings.region.clone(),
            product: "oss".to_owned(),
            access_key_id: self.settings.access_key_id.clone(),
            secret: self.settings.secret_access_key.clone(),
            token: self.settings.security_token.clone(),
            expires: None,
        }
    }

    pub(crate) async fn put(&self, key: &str, body: impl Into<Bytes>) -> Reply {
        self.ask("PUT", key).body(body).send().await
    }

    pub(crate) async fn get(&self, key: &str) -> Reply {
        self.ask("GET", key).send().await
    }

    /// Begins a multipart upload.
    pub(crate) async fn begin(&self, key: &str) -> String {
        let reply = self.ask("POST", key).query("uploads", "").send().await;
        reply.expect(200).element("UploadId")
    }

    /// Sends a part and returns its `ETag`.
    pub(crate) async fn part(&self, key: &str, id: &str, number: u32, body: impl Into<Bytes>) -> String {
        let reply = self.part_request(key, id, number).body(body).send().await;
        reply.expect(200).header("etag").to_owned()
    }

    pub(crate) fn part_request(&self, key: &str, id: &str, number: u32) -> Ask {
        self.ask("PUT", key)
            .query("partNumber", &number.to_string())
            .query("uploadId", id)
    }

    pub(crate) fn completion(&self, key: &str, id: &str, parts: &[(u32, &str)]) -> Ask {
        let mut xml = "<CompleteMultipartUpload>".to_owned();
        for (number, etag) in parts {
            write!(
                xml,
                "<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag></Part>"
            )
            .unwrap();
        }
        xml += "</CompleteMultipartUpload>";
        self.ask("POST", key).query("uploadId", id).body(xml)
    }

    /// Asks for faults, as JSON.
    pub(crate) async fn faults(&self, plan: &str) -> Reply {
        self.admin("POST", "/-/faults", plan).await
    }

    /// What the server says about itself.
    pub(crate) async fn state(&self) -> serde_json::Value {
        let reply = self.admin("GET", "/-/state", "").await.expect(200);
        serde_json::from_slice(&reply.body).unwrap()
    }

    async fn admin(&self, method: &str, path: &str, body: &str) -> Reply {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", authority(&self.server.endpoint))
            .header("x-oss-server-admin", &self.server.admin_token);
        let request = request.body(Full::new(Bytes::from(body.to_owned()))).unwrap();
        exchange(&self.server.endpoint, request).await.unwrap()
    }

    /// How many files there are with bytes.
    pub(crate) fn blobs(&self) -> usize {
        blobs(self.folder.path())
    }
}

pub(crate) fn blobs(folder: &Path) -> usize {
    std::fs::read_dir(folder.join("blobs")).unwrap().count()
}

/// A request that will be signed.
#[derive(Clone)]
pub(crate) struct Ask {
    pub(crate) endpoint: String,
    pub(crate) method: String,
    /// What the signature names.
    pub(crate) bucket: String,
    pub(crate) key: String,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) additional: Vec<String>,
    pub(crate) body: Bytes,
    /// A host, which says what the bucket is; without one the bucket is in the path.
    pub(crate) host: Option<String>,
    pub(crate) time: Timestamp,
    pub(crate) region: String,
    pub(crate) product: String,
    pub(crate) access_key_id: String,
    pub(crate) secret: String,
    pub(crate) token: Option<String>,
    /// For a presigned request.
    pub(crate) expires: Option<i64>,
}

impl Ask {
    pub(crate) fn query(mut self, name: &str, value: &str) -> Self {
        self.query.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self
    }

    pub(crate) fn but(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }

    /// So many seconds from now.
    pub(crate) fn at(mut self, seconds: i64) -> Self {
        self.time += SignedDuration::from_secs(seconds);
        self
    }

    pub(crate) fn presigned(mut self, expires: i64) -> Self {
        self.expires = Some(expires);
        self
    }

    pub(crate) fn once(self) -> Self {
        self.header("x-oss-forbid-overwrite", "true")
    }

    pub(crate) async fn send(self) -> Reply {
        let endpoint = self.endpoint.clone();
        exchange(&endpoint, self.signed()).await.unwrap()
    }

    /// Sends it, expecting that nothing comes back.
    pub(crate) async fn gets_no_answer(self) {
        let endpoint = self.endpoint.clone();
        assert!(exchange(&endpoint, self.signed()).await.is_err());
    }

    /// The request with its signature.
    pub(crate) fn signed(mut self) -> Request<Full<Bytes>> {
        let time = self.time.strftime("%Y%m%dT%H%M%SZ").to_string();
        let scope = format!(
            "{}/{}/{}/aliyun_v4_request",
            &time[..8],
            self.region,
            self.product
        );
        let credential = format!("{}/{scope}", self.access_key_id);
        let host = self
            .host
            .clone()
            .unwrap_or_else(|| authority(&self.endpoint).to_owned());
        self = self.header("host", &host);
        let token = self.token.take();
        if let Some(expires) = self.expires {
            self = self
                .query("x-oss-signature-version", "OSS4-HMAC-SHA256")
                .query("x-oss-date", &time)
                .query("x-oss-expires", &expires.to_string())
                .query("x-oss-credential", &credential);
            if !self.additional.is_empty() {
                let list = self.additional.join(";");
                self = self.query("x-oss-additional-headers", &list);
            }
            if let Some(token) = token {
                self = self.query("x-oss-security-token", &token);
            }
            let signature = self.signature(&time, &scope);
            self = self.query("x-oss-signature", &signature);
        } else {
            self = self
                .header("x-oss-date", &time)
                .header("x-oss-content-sha256", "UNSIGNED-PAYLOAD");
            if let Some(token) = token {
                self = self.header("x-oss-security-token", &token);
            }
            let signature = self.signature(&time, &scope);
            let additional = match &self.additional[..] {
                [] => String::new(),
                names => format!(",AdditionalHeaders={}", names.join(";")),
            };
            let header =
                format!("OSS4-HMAC-SHA256 Credential={credential}{additional},Signature={signature}");
            self = self.header("authorization", &header);
        }
        self.unsigned()
    }

    /// The request as it is.
    pub(crate) fn unsigned(self) -> Request<Full<Bytes>> {
        let path = if self.host.is_some() {
            format!("/{}", encode_path(&self.key))
        } else {
            format!("/{}/{}", self.bucket, encode_path(&self.key))
        };
        let pairs = self.query.iter();
        let query: Vec<_> = pairs
            .map(|(name, value)| format!("{}={}", encode(name), encode(value)))
            .collect();
        let mut request = Request::builder()
            .method(self.method.as_str())
            .uri(format!("{path}?{}", query.join("&")));
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        request.body(Full::new(self.body)).unwrap()
    }

    fn signature(&self, time: &str, scope: &str) -> String {
        let mut query: Vec<_> = self
            .query
            .iter()
            .map(|(name, value)| (encode(name), encode(value)))
            .collect();
        query.sort();
        let query: Vec<_> = query
            .into_iter()
            .map(|(name, value)| {
                if value.is_empty() {
                    name
                } else {
                    format!("{name}={value}")
                }
            })
            .collect();
        let mut headers: Vec<_> = self
            .headers
            .iter()
            .filter(|(name, _)| {
                name.starts_with("x-oss-")
                    || name == "content-type"
                    || name == "content-md5"
                    || self.additional.contains(name)
            })
            .map(|(name, value)| format!("{name}:{value}\n"))
            .collect();
        headers.sort();
        let mut additional = self.additional.clone();
        additional.sort();
        let canonical = format!(
            "{}\n{}\n{}\n{}\n{}\nUNSIGNED-PAYLOAD",
            self.method,
            encode_path(&format!("/{}/{}", self.bucket, self.key)),
            query.join("&"),
            headers.concat(),
            additional.join(";"),
        );
        let digest = hex::encode(Sha256::digest(canonical));
        let text = format!("OSS4-HMAC-SHA256\n{time}\n{scope}\n{digest}");
        let mut key = format!("aliyun_v4{}", self.secret).into_bytes();
        for word in [
            &time[..8],
            &self.region,
            &self.product,
            "aliyun_v4_request",
            &text,
        ] {
            let mut mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
            mac.update(word.as_bytes());
            key = mac.finalize().into_bytes().to_vec();
        }
        hex::encode(key)
    }
}

fn encode(text: &str) -> String {
    utf8_percent_encode(text, RESERVED).to_string()
}

fn encode_path(text: &str) -> String {
    utf8_percent_encode(text, RESERVED_IN_PATHS).to_string()
}
