//! `Idempotency-Key`: a request that creates something can be sent again without making a second one.

use crate::{Call, Problem, Reply};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use domain::id::AccountId;
use domain::moment::later;
use serde_json::Value;
use sha2::{Digest, Sha256};
use store::idempotency::{MEMORY, remember};
use store::rows::KeyRow;
use store::table::Write;
use store::{StoreError, Table};

/// The header that carries the key.
const HEADER: &str = "idempotency-key";
/// Longest key, in bytes.
pub(crate) const MAX_LENGTH: usize = 255;

/// The key of one request.
pub struct IdempotencyKey {
    account: AccountId,
    hash: String,
    fingerprint: String,
}

impl Call {
    /// The key that the client gave the request, if any. Keys of different accounts and different endpoints have nothing to
    /// do with each other.
    ///
    /// # Errors
    /// 400 unless it is 1 to 255 visible ASCII characters, or when the body is no JSON.
    pub fn idempotency_key(
        &self,
        account: &AccountId,
        endpoint: &str,
    ) -> Result<Option<IdempotencyKey>, Problem> {
        let Some(key) = self.header(HEADER)? else {
            return Ok(None);
        };
        let length = key.len();
        if !(1..=MAX_LENGTH).contains(&length) || !key.bytes().all(|b| b.is_ascii_graphic() || b == b' ') {
            let detail = format!("Idempotency-Key: 1 to {MAX_LENGTH} visible ASCII characters");
            return Err(Problem::invalid("Idempotency-Key", detail));
        }
        // The same request may be written with other spaces or another order of members.
        let body: Value = self.json()?;
        Ok(Some(IdempotencyKey {
            account: account.clone(),
            hash: hash(&[endpoint, key]),
            fingerprint: hash(&[&body.to_string()]),
        }))
    }
}

impl IdempotencyKey {
    /// What was answered to this key before.
    ///
    /// # Errors
    /// 422 when that was to another request.
    pub async fn replay(&self, table: &Table) -> Result<Option<Reply>, Problem> {
        let row = table
            .idempotency_keys()
            .get(&self.account, &self.hash, store::rows::now())
            .await?;
        let Some(row) = row else {
            return Ok(None);
        };
        if row.fingerprint != self.fingerprint {
            return Err(Problem::key_reused());
        }
        Reply::again(row.status, &row.location, row.answer).map(Some)
    }

    /// The write that remembers an answer; it belongs into the transaction that makes what is answered.
    ///
    /// # Errors
    /// `ErrorKind::Internal` when the write is malformed.
    pub fn remember(&self, reply: &Reply) -> Result<Write, StoreError> {
        let now = store::rows::now();
        let (status, location, answer) = reply.parts();
        let row = KeyRow {
            account: self.account.clone(),
            key_hash: self.hash.clone(),
            fingerprint: self.fingerprint.clone(),
            status,
            location: location.to_owned(),
            answer: answer.to_owned(),
            expires_at: later(now, MEMORY),
        };
        remember(&row, now)
    }
}

/// Answers a request that creates something: as before, if it was made before.
///
/// # Errors
/// Those of `create`, and 422 when the key was used for another request.
pub async fn once(
    key: Option<&IdempotencyKey>,
    table: &Table,
    create: impl Future<Output = Result<Reply, Problem>>,
) -> Result<Reply, Problem> {
    let Some(key) = key else {
        return create.await;
    };
    if let Some(reply) = key.replay(table).await? {
        return Ok(reply);
    }
    match create.await {
        // The same request may have been at work at the same time, and be the reason why this one was refused.
        Err(problem) => key.replay(table).await?.ok_or(problem),
        reply => reply,
    }
}

fn hash(texts: &[&str]) -> String {
    let mut hasher = Sha256::new();
    for text in texts {
        // Lengths first, so that texts cannot run into each other.
        hasher.update((text.len() as u64).to_be_bytes());
        hasher.update(text.as_bytes());
    }
    BASE64.encode(hasher.finalize())
}

#[cfg(test)]
mod tests {
    use super::*;
    use lambda_http::Body;
    use lambda_http::http::Request;

    fn key(header: &str, endpoint: &str, body: &str) -> Result<Option<IdempotencyKey>, Problem> {
        let request = Request::builder().header("Idempotency-Key", header);
        let request = request.body(Body::from(body.to_owned())).unwrap();
        Call::new(request).idempotency_key(&"ann".parse().unwrap(), endpoint)
    }

    #[test]
    fn the_same_request_has_the_same_fingerprint() {
        let of = |header, endpoint, body| {
            let key = key(header, endpoint, body).unwrap().unwrap();
            (key.hash, key.fingerprint)
        };
        let first = of("k", "a", r#"{"x": 1, "y": 2}"#);
        assert_eq!(of("k", "a", r#"{"y":2,"x":1}"#), first);
        let other_body = of("k", "a", r#"{"x": 1, "y": 3}"#);
        assert_eq!(other_body.0, first.0);
        assert_ne!(other_body.1, first.1);
        assert_ne!(of("k2", "a", "{}").0, first.0);
        assert_ne!(of("k", "b", "{}").0, first.0);
    }

    #[test]
    fn keys_are_checked() {
        for bad in ["", &"x".repeat(256), "tab\there"] {
            assert_eq!(
                key(bad, "a", "{}").err().map(|p| p.code().as_str()),
                Some("invalid_request"),
                "{bad:?}"
            );
        }
        assert!(key(&"x".repeat(255), "a", "{}").is_ok());
        let none = Request::builder().body(Body::from("{}")).unwrap();
        let none = Call::new(none).idempotency_key(&"ann".parse().unwrap(), "a");
        assert!(none.unwrap().is_none());
    }
}
