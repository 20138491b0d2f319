//! Somebody with an account, and what they do: what a client has to do by itself, step by step.

use crate::gateway::{self, Request, Response};
use crate::world::World;
use bytes::Bytes;
use domain::content::{ContentId, PartDigest};
use futures::future::join;
use serde_json::{Value, json};
use std::cell::RefCell;
use std::time::Duration;
use tokio::time::sleep;

/// The bytes of a part, but for the last one.
pub const PART: usize = 8 * 1024 * 1024;
/// How often a request is sent again that may succeed another time.
const RETRIES: usize = 8;
/// Everybody's.
pub const PASSWORD: &str = "correct horse battery";

/// A user, signed in.
pub struct Person<'w> {
    world: &'w World,
    /// The name of the account.
    pub username: String,
    /// Its id.
    pub id: String,
    token: RefCell<String>,
    /// Whether they send some requests again while those are being answered.
    hasty: bool,
}

impl<'w> Person<'w> {
    /// Somebody who makes an account and signs in. None when that did not succeed in a while.
    pub async fn sign_up(world: &'w World, username: &str) -> Option<Self> {
        let nobody = Self {
            world,
            username: username.to_owned(),
            id: String::new(),
            token: RefCell::default(),
            hasty: true,
        };
        let credentials = json!({ "username": username, "password": PASSWORD });
        let account = nobody.call("POST", "/v1/accounts", Some(credentials)).await;
        // An earlier try may have made it whose answer got lost.
        if account.status != 201 && account.body["code"] != "username_taken" {
            return None;
        }
        let mut person = nobody;
        person.sign_in().await?;
        let account = person.call("GET", "/v1/account", None).await;
        account.body["id"].as_str()?.clone_into(&mut person.id);
        Some(person)
    }

    /// Somebody who signed up before, with a token that they have.
    #[must_use]
    pub fn known(world: &'w World, username: &str, id: &str, token: &str) -> Self {
        Self {
            world,
            username: username.to_owned(),
            id: id.to_owned(),
            token: RefCell::new(token.to_owned()),
            hasty: true,
        }
    }

    /// The same, who waits for each answer.
    #[must_use]
    pub fn patient(self) -> Self {
        Self { hasty: false, ..self }
    }

    /// A request of theirs, which can be sent by itself.
    #[must_use]
    pub fn request(&self, method: &'static str, path: impl Into<String>, body: Option<Value>) -> Request {
        let token = self.token.borrow().clone();
        Request {
            method,
            path: path.into(),
            token: (!token.is_empty()).then_some(token),
            key: None,
            body,
        }
    }

    /// Begins a session.
    pub async fn sign_in(&self) -> Option<()> {
        let credentials = json!({ "username": self.username, "password": PASSWORD });
        let session = self
            .call_as_it_is("POST", "/v1/sessions", Some(credentials), None)
            .await;
        let token = session.body["access_token"].as_str()?.to_owned();
        *self.token.borrow_mut() = token;
        Some(())
    }

    /// Removes a file or a folder, with all that is in it.
    pub async fn remove(&self, node: &str) -> Response {
        let path = format!("/v1/files/{node}?permanently=true");
        self.call("DELETE", &path, None).await
    }

    /// A call to the API. What may succeed another time is tried again, under one `Idempotency-Key` where that is what
    /// counts; an access token that has ended is replaced.
    pub async fn call(&self, method: &'static str, path: &str, body: Option<Value>) -> Response {
        let creates = ["/v1/uploads", "/v1/folders"].contains(&path) || path.ends_with("/copy");
        let key = (method == "POST" && creates).then(|| format!("{:032x}", self.world.rng.random::<u128>()));
        let signed_in = !self.token.borrow().is_empty();
        let once = || self.call_as_it_is(method, path, body.clone(), key.clone());
        // A client that has no patience sends it again while it is being answered.
        let answer = if method != "GET" && self.hasty && self.world.rng.within(0..10) == 0 {
            let (one, other) = join(once(), once()).await;
            let ids = [&one, &other].map(|answer| answer.body["id"].as_str());
            if let [Some(id), Some(another)] = ids
                && id != another
            {
                let what = format!("one key, and two are made: {id} and {another}");
                self.world.see_wrong(what);
            }
            one
        } else {
            once().await
        };
        if answer.status == 401 && signed_in {
            let _ = Box::pin(self.sign_in()).await;
            return self.call_as_it_is(method, path, body, key).await;
        }
        answer
    }

    async fn call_as_it_is(
        &self,
        method: &'static str,
        path: &str,
        body: Option<Value>,
        key: Option<String>,
    ) -> Response {
        let request = Request {
            key,
            ..self.request(method, path, body)
        };
        let mut wait = Duration::from_millis(100);
        for _ in 0..RETRIES {
            let answer = gateway::send(&self.world.lambda, &request).await;
            if self.world.answers_all.get() && is_fault(&answer) {
                let what = format!("{method} {path} gets {answer:?} where nothing fails");
                self.world.see_wrong(what);
            }
            let again = [429, 500, 502, 503, 504].contains(&answer.status)
                || answer.body["code"] == "changed_meanwhile";
            if !again {
                return answer;
            }
            sleep(wait).await;
            wait *= 2;
        }
        gateway::send(&self.world.lambda, &request).await
    }

    /// Begins an upload, and says what it is of if `announced`.
    pub async fn begin(
        &self,
        name: &str,
        parent: Option<&str>,
        bytes: &Bytes,
        announced: bool,
        on_conflict: &str,
    ) -> Response {
        let mut wanted = json!({ "name": name, "size": bytes.len(), "on_conflict": on_conflict });
        if let Some(parent) = parent {
            wanted["parent"] = json!(parent);
        }
        if announced {
            wanted["content_id"] = json!(content_id(bytes));
        }
        self.call("POST", "/v1/uploads", Some(wanted)).await
    }

    /// Sends all parts of an upload.
    ///
    /// # Errors
    /// The answer that refused one, in words.
    pub async fn send_parts(&self, upload: &str, bytes: &Bytes) -> Result<(), String> {
        self.send(upload, parts(bytes)).await
    }

    /// The same with bytes that are in parts already.
    ///
    /// # Errors
    /// The same.
    pub async fn send(&self, upload: &str, parts: Vec<Bytes>) -> Result<(), String> {
        let named: Vec<_> = (1..)
            .zip(&parts)
            .map(|(number, part): (u32, _)| json!({ "number": number, "sha256": PartDigest::of(part) }))
            .collect();
        let path = format!("/v1/uploads/{upload}/parts");
        let signed = self.call("POST", &path, Some(json!({ "parts": named }))).await;
        let hows = signed.body["parts"].as_array();
        let hows = hows.ok_or_else(|| format!("to sign parts: {signed:?}"))?;
        for (part, how) in parts.into_iter().zip(hows) {
            let answer = self.put(how, part).await?;
            if !answer.status().is_success() {
                return Err(format!("to send a part: {answer:?}"));
            }
        }
        Ok(())
    }

    /// Sends one part as it was signed.
    async fn put(&self, signed: &Value, part: Bytes) -> Result<http::Response<Bytes>, String> {
        let url = signed["url"].as_str().unwrap_or_default();
        let mut request = http::Request::put(url).header("content-length", part.len());
        for (name, value) in signed["headers"].as_object().into_iter().flatten() {
            request = request.header(name, value.as_str().unwrap_or_default());
        }
        let request = request.body(part).map_err(|error| format!("{signed}: {error}"))?;
        Ok(self.world.cloud.send(request).await)
    }

    /// Asks to complete until it is decided.
    pub async fn complete(&self, upload: &str) -> Response {
        let path = format!("/v1/uploads/{upload}/complete");
        loop {
            let answer = self.call("POST", &path, None).await;
            if answer.status != 202 {
                return answer;
            }
            sleep(Duration::from_secs(2)).await;
        }
    }

    /// Uploads a file, and returns its id.
    ///
    /// # Errors
    /// The last answer, in words.
    pub async fn store(
        &self,
        name: &str,
        parent: Option<&str>,
        bytes: &Bytes,
        announced: bool,
        on_conflict: &str,
    ) -> Result<String, String> {
        let begun = self.begin(name, parent, bytes, announced, on_conflict).await;
        let id = begun.body["id"]
            .as_str()
            .ok_or_else(|| format!("to begin: {begun:?}"))?;
        let file = |answer: &Response| {
            let file = answer.body["file"]["id"].as_str().map(str::to_owned);
            file.ok_or_else(|| format!("no file: {answer:?}"))
        };
        match begun.body["state"].as_str() {
            Some("complete") => return file(&begun),
            Some("proof_required") => {
                let proof = proof(&begun.body["challenge"], bytes).ok_or("no challenge")?;
                let path = format!("/v1/uploads/{id}/proof");
                let proven = self.call("POST", &path, Some(json!({ "proof": proof }))).await;
                if proven.body["state"] == "complete" {
                    return file(&proven);
                }
            }
            _ => {}
        }
        self.send_parts(id, bytes).await?;
        file(&self.complete(id).await)
    }

    /// Makes a folder, and returns its id.
    ///
    /// # Errors
    /// The last answer, in words.
    pub async fn folder(&self, name: &str, parent: Option<&str>) -> Result<String, String> {
        let wanted = json!({ "name": name, "parent": parent });
        let made = self.call("POST", "/v1/folders", Some(wanted)).await;
        let id = made.body["id"].as_str().map(str::to_owned);
        id.ok_or_else(|| format!("no folder: {made:?}"))
    }

    /// The bytes of a file, if they are to be had.
    pub async fn fetch(&self, file: &str) -> Option<Bytes> {
        self.fetch_from(&format!("/v1/files/{file}/content")).await
    }

    /// What an address leads to.
    pub async fn fetch_from(&self, path: &str) -> Option<Bytes> {
        let answer = self.call("GET", path, None).await;
        let request = http::Request::get(answer.location?).body(Bytes::new()).ok()?;
        let bytes = self.world.cloud.send(request).await;
        bytes.status().is_success().then(|| bytes.into_body())
    }
}

/// Whether a request failed, or a part of it, and not for what it says.
fn is_fault(answer: &Response) -> bool {
    let results = answer.body["results"].as_array().into_iter().flatten();
    let mut statuses = results.filter_map(|result| result["problem"]["status"].as_u64());
    answer.status >= 500 || statuses.any(|status| status >= 500)
}

/// The parts of some bytes; nothing has one, too.
#[must_use]
pub fn parts(bytes: &Bytes) -> Vec<Bytes> {
    let count = bytes.len().div_ceil(PART).max(1);
    let part = |number: usize| bytes.slice(number * PART..((number + 1) * PART).min(bytes.len()));
    (0..count).map(part).collect()
}

/// What identifies some bytes.
#[must_use]
pub fn content_id(bytes: &Bytes) -> Option<ContentId> {
    let digests: Vec<_> = parts(bytes).iter().map(|part| PartDigest::of(part)).collect();
    ContentId::of_parts(&digests)
}

/// The answer to a challenge.
#[must_use]
pub fn proof(challenge: &Value, bytes: &Bytes) -> Option<String> {
    use base64::Engine;
    use hmac::{Hmac, KeyInit, Mac};
    let nonce = challenge["nonce"].as_str()?;
    let mut mac =
        Hmac::<sha2::Sha256>::new_from_slice(&base64::prelude::BASE64_STANDARD.decode(nonce).ok()?).ok()?;
    for range in challenge["ranges"].as_array()? {
        let at = |name: &str| usize::try_from(range[name].as_u64()?).ok();
        let (start, length) = (at("offset")?, at("length")?);
        mac.update(bytes.get(start..start + length)?);
    }
    Some(base64::prelude::BASE64_STANDARD.encode(mac.finalize().into_bytes()))
}
