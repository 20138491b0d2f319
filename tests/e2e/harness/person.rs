//! Somebody with an account, and what people do.

use super::aws::{self, function_environment, invoke, secret};
use super::bytes::{PART, unique};
use super::http::{HttpResponse, send};
use super::stack::stack;
use bytes::Bytes;
use client::transfer::{DownloadRequest, Options, UploadRequest, Uploaded, download, upload};
use client::types::{Account, Node, OnConflict, PartToSign, Session, SignedPart, Upload};
use client::{Api, ApiError, Token};
use domain::content::{ContentId, PartDigest};
use jiff::Timestamp;
use jsonwebtoken::{EncodingKey, Header, encode};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::Write;
use std::ops::Range;
use tokio::sync::OnceCell;

pub(crate) const PASSWORD: &str = "correct horse battery";

/// A name that nobody has yet. Where the tests must leave no trace, every account that they make has to be found again:
/// it is written to the file that `LONGSHORE_ACCOUNTS` names.
pub(crate) fn new_username() -> String {
    let username = format!("t{:x}", unique());
    note_username(&username);
    username
}

/// Writes the name of an account down that is going to be made.
pub(crate) fn note_username(username: &str) {
    let Some(path) = std::env::var_os("LONGSHORE_ACCOUNTS") else {
        return;
    };
    let mut file = File::options().create(true).append(true).open(path).unwrap();
    // In one write: other tests append at the same time.
    file.write_all(format!("{username}\n").as_bytes()).unwrap();
}

/// The API for somebody who has not signed in.
pub(crate) fn anonymous() -> Api {
    Api::new(&stack().api_url).unwrap()
}

/// Whether a token is good; anything but yes and no is a fault.
pub(crate) async fn is_good(token: &str, what: &str) -> bool {
    match anonymous().with_token(Token::new(token)).account().await {
        Ok(_) => true,
        Err(error) if error.is("unauthorized") => false,
        Err(error) => panic!("{what}: {error}"),
    }
}

async fn sign_up() -> (Api, Account) {
    let api = anonymous();
    let account = make_account(&api, &new_username()).await.unwrap();
    (api, account)
}

/// Makes an account, by an invitation where that is needed.
pub(crate) async fn make_account(api: &Api, username: &str) -> Result<Account, ApiError> {
    match invitation_if_needed().await {
        Some(code) => api.create_account_by_invitation(username, PASSWORD, &code).await,
        None => api.create_account(username, PASSWORD).await,
    }
}

/// The code of an invitation where accounts are made by invitation.
pub(crate) async fn invitation_if_needed() -> Option<String> {
    let environment = function_environment("account-create").await;
    let closed = environment
        .iter()
        .any(|(name, value)| name == "SIGN_UP" && value == "invited");
    if !closed {
        return None;
    }
    Some(invitation(&json!({ "action": "create", "days": 1 })).await.code)
}

/// What an administrator was given.
pub(crate) struct Invitation {
    pub(crate) id: String,
    pub(crate) code: String,
}

/// Asks for a code, as an administrator does.
pub(crate) async fn invitation(request: &Value) -> Invitation {
    let made = invoke("account-invite", request).await.unwrap();
    let text = |name: &str| made[name].as_str().unwrap().to_owned();
    Invitation {
        id: text("id"),
        code: text("code"),
    }
}

/// A session and a token as signing in returns them, but the token for an hour.
async fn token_for(account: &str) -> String {
    let (session, now) = (format!("{:032x}", unique()), Timestamp::now());
    aws::put(&json!({
        "pk": format!("ACCOUNT#{account}"), "sk": format!("SESSION#{session}"),
        "account": account, "id": session, "sign_outs": 0,
        "current": "nobody has what this is the hash of", "began_at": now, "refreshed_at": now,
    }))
    .await;
    sign(account, &session, "longshore-api", now.as_second() + 3600).await
}

/// An access token, signed as the functions do it.
pub(crate) async fn sign(account: &str, session: &str, audience: &str, until: i64) -> String {
    static KEY: OnceCell<(String, EncodingKey)> = OnceCell::const_new();
    let key = KEY.get_or_init(async || {
        let environment = function_environment("session-create").await;
        let id = environment.iter().find(|(name, _)| name == "SIGNING_SECRET_ID");
        let secret = secret(&id.unwrap().1).await;
        let key = secret["current"].as_str().unwrap().as_bytes();
        let hash = Sha256::digest(key);
        let id = hash[..8].iter().map(|byte| format!("{byte:02x}"));
        (id.collect(), EncodingKey::from_secret(key))
    });
    let (id, key) = key.await;
    let claims = json!({
        "sub": account, "sid": session, "iss": "longshore", "aud": audience, "iat": until - 3600, "exp": until,
    });
    let header = Header {
        kid: Some(id.clone()),
        ..Header::default()
    };
    encode(&header, &claims, key).unwrap()
}

/// The id of a session, which its refresh token has in it.
pub(crate) fn session_of(session: &Session) -> String {
    let mut words = session.refresh_token.reveal().split('.');
    words.nth(1).unwrap().to_owned()
}

/// An account of a test's own, signed in.
pub(crate) struct Person {
    pub(crate) api: Api,
    pub(crate) token: String,
    pub(crate) username: String,
    /// The account's id.
    pub(crate) id: String,
    pub(crate) quota: u64,
}

impl Person {
    pub(crate) async fn new() -> Self {
        let (api, account) = sign_up().await;
        let session = api.create_session(&account.username, PASSWORD).await.unwrap();
        let token = session.access_token.reveal().to_owned();
        Self::with_token(api, account, token)
    }

    /// The same with a token that is made here. For tests that need hundreds of people: looking at a password takes
    /// longer than all else.
    pub(crate) async fn not_signed_in() -> Self {
        let (api, account) = sign_up().await;
        let token = token_for(&account.id).await;
        Self::with_token(api, account, token)
    }

    fn with_token(api: Api, account: Account, token: String) -> Self {
        let username = account.username;
        Self {
            api: api.with_token(Token::new(token.clone())),
            token,
            username,
            id: account.id,
            quota: account.quota_bytes,
        }
    }

    /// Another session.
    pub(crate) async fn sign_in(&self) -> Session {
        let session = anonymous().create_session(&self.username, PASSWORD).await;
        session.unwrap()
    }

    /// An access token of another session, which is over.
    pub(crate) async fn signed_out_token(&self) -> String {
        let token = self.sign_in().await.access_token;
        anonymous().with_token(token.clone()).end_session().await.unwrap();
        token.reveal().to_owned()
    }

    /// The partition of everything that is written about the account.
    pub(crate) fn partition(&self) -> String {
        format!("ACCOUNT#{}", self.id)
    }

    /// What the account holds, files and reservations.
    pub(crate) async fn used(&self) -> u64 {
        self.api.account().await.unwrap().used_bytes
    }

    /// A call to the API, below `/v1`.
    pub(crate) async fn call(&self, method: &str, path: &str, body: Option<&Value>) -> HttpResponse {
        let body = body.map(Value::to_string).unwrap_or_default();
        self.raw(method, path, &[("content-type", "application/json")], body)
            .await
    }

    /// The same with any body and headers.
    pub(crate) async fn raw(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> HttpResponse {
        let authorization = format!("Bearer {}", self.token);
        let mut all = vec![("authorization", authorization.as_str())];
        all.extend_from_slice(headers);
        send(method, &format!("{}/v1{path}", stack().api_url), &all, body).await
    }

    /// Uploads with the engine of the command line.
    pub(crate) async fn store(&self, name: &str, parent: Option<&str>, bytes: &[u8]) -> Uploaded {
        self.store_as(name, parent, bytes, OnConflict::Fail).await
    }

    /// The same in the place of a file at the top.
    pub(crate) async fn replace(&self, name: &str, bytes: &[u8]) -> Uploaded {
        self.store_as(name, None, bytes, OnConflict::Replace).await
    }

    async fn store_as(
        &self,
        name: &str,
        parent: Option<&str>,
        bytes: &[u8],
        on_conflict: OnConflict,
    ) -> Uploaded {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        std::fs::write(&path, bytes).unwrap();
        let request = UploadRequest {
            path,
            name: name.to_owned(),
            parent: parent.map(str::to_owned),
            content_type: None,
            on_conflict,
        };
        upload(&self.api, &request, &Options::default()).await.unwrap()
    }

    /// Downloads with the engine of the command line.
    pub(crate) async fn fetch(&self, file: &Node) -> Bytes {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("file");
        let request = DownloadRequest {
            file: file.clone(),
            target: target.clone(),
            overwrite: false,
        };
        download(&self.api, &request, &Options::default()).await.unwrap();
        std::fs::read(&target).unwrap().into()
    }

    /// Begins an upload of `bytes` without saying what they are.
    pub(crate) async fn begin(&self, name: &str, bytes: &[u8]) -> Upload {
        self.begin_as(name, bytes.len(), None).await
    }

    /// Begins an upload and announces a content.
    pub(crate) async fn begin_as(&self, name: &str, size: usize, content_id: Option<ContentId>) -> Upload {
        let mut body = json!({ "name": name, "size": size });
        if let Some(content_id) = content_id {
            body["content_id"] = json!(content_id);
        }
        let answer = self.call("POST", "/uploads", Some(&body)).await;
        assert!([200, 201].contains(&answer.status), "{}", answer.text());
        serde_json::from_value(answer.json()).unwrap()
    }

    /// A URL for one part with these bytes.
    pub(crate) async fn sign(&self, upload: &str, number: u32, bytes: &[u8]) -> SignedPart {
        let part = PartToSign {
            number,
            sha256: PartDigest::of(bytes),
        };
        self.api.sign_parts(upload, &[part]).await.unwrap().remove(0)
    }

    /// Sends some of the parts of `bytes`.
    pub(crate) async fn send_parts(
        &self,
        upload: &str,
        bytes: &[u8],
        numbers: impl IntoIterator<Item = u32>,
    ) {
        for number in numbers {
            let part = &bytes[part_range(bytes, number)];
            let signed = self.sign(upload, number, part).await;
            put(&signed, Bytes::copy_from_slice(part)).await.expect(200);
        }
    }

    /// Begins an upload and sends all its parts.
    pub(crate) async fn sent(&self, name: &str, bytes: &[u8]) -> Upload {
        let upload = self.begin(name, bytes).await;
        self.send_parts(&upload.id, bytes, 1..=upload.part_count).await;
        upload
    }

    /// Asks to complete, once.
    pub(crate) async fn complete(&self, upload: &str) -> HttpResponse {
        self.call("POST", &format!("/uploads/{upload}/complete"), None)
            .await
    }

    /// Sets what the account may hold, as an operator does.
    pub(crate) async fn set_quota(&self, quota_bytes: u64) {
        let payload = json!({ "username": self.username, "quota_bytes": quota_bytes });
        let account = invoke("account-set-quota", &payload).await.unwrap();
        assert_eq!(account["quota_bytes"], quota_bytes, "{account}");
    }

    /// May look after the targets from now on, as an administrator decides.
    pub(crate) async fn become_operator(&self) {
        let payload = json!({ "username": self.username, "role": "operator" });
        let account = invoke("account-set-role", &payload).await.unwrap();
        assert_eq!(account["role"], "operator", "{account}");
    }

    /// A code that resets the password, as an administrator issues it to a user who has forgotten it.
    pub(crate) async fn password_code(&self) -> String {
        let request = json!({ "action": "reset_password", "username": self.username });
        invitation(&request).await.code
    }

    /// The table's row of an upload.
    pub(crate) async fn upload_row(&self, upload: &str) -> Value {
        let row = aws::item(&self.partition(), &format!("UPLOAD#{upload}")).await;
        row.unwrap_or_else(|| panic!("there is no upload {upload}"))
    }

    /// Overwrites attributes of an upload's row.
    pub(crate) async fn set_upload(&self, upload: &str, attributes: &Value) {
        aws::set(&self.partition(), &format!("UPLOAD#{upload}"), attributes).await;
    }

    /// Makes an upload due for the sweep now: its lease or its time is over.
    pub(crate) async fn make_due(&self, upload: &str, attribute: &str) {
        let past = json!({ attribute: "2020-01-01T00:00:00Z", "due_at": 1_577_836_800 });
        self.set_upload(upload, &past).await;
    }
}

/// Where a part is within the bytes.
pub(crate) fn part_range(bytes: &[u8], number: u32) -> Range<usize> {
    let start = (number as usize - 1) * PART;
    start..(start + PART).min(bytes.len())
}

/// What identifies these bytes.
pub(crate) fn content_id(bytes: &[u8]) -> ContentId {
    let count = bytes.len().div_ceil(PART).max(1);
    let digests: Vec<_> = (1..)
        .take(count)
        .map(|number| PartDigest::of(&bytes[part_range(bytes, number)]))
        .collect();
    ContentId::of_parts(&digests).unwrap()
}

/// Sends a part as it was signed.
pub(crate) async fn put(signed: &SignedPart, body: impl Into<Bytes>) -> HttpResponse {
    put_with(signed, |_, value| Some(value.to_owned()), body).await
}

/// Sends a part with other headers than were signed.
pub(crate) async fn put_with(
    signed: &SignedPart,
    change: impl Fn(&str, &str) -> Option<String>,
    body: impl Into<Bytes>,
) -> HttpResponse {
    let headers: Vec<(String, String)> = signed
        .headers
        .iter()
        .filter_map(|(name, value)| Some((name.clone(), change(name, value)?)))
        .collect();
    let headers: Vec<(&str, &str)> = headers.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    send("PUT", signed.url.reveal(), &headers, body).await
}
