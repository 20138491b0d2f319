//! `Idempotency-Key`: a request that creates something can be sent again without making a second one.

use crate::call::Call;
use crate::problem::ProblemDocument;
use crate::reply::{self, Reply};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use domain::id::AccountId;
use domain::time::saturating_add;
use futures::future::BoxFuture;
use jiff::Timestamp;
use sha2::{Digest, Sha256};
use store::idempotency::{MEMORY, remember};
use store::rows::KeyRow;
use store::table::Write;
use store::{StoreError, Table};
use wire::Answer;
use wire::document::LONGEST_KEY;

/// The header that carries the key.
const HEADER: &str = "idempotency-key";

/// The key of one request.
#[derive(Clone)]
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
    pub(crate) fn idempotency_key(
        &self,
        account: &AccountId,
        endpoint: &str,
    ) -> Result<Option<IdempotencyKey>, ProblemDocument> {
        let Some(key) = self.header(HEADER)? else {
            return Ok(None);
        };
        let length = key.len();
        if !(1..=LONGEST_KEY).contains(&length) || !key.bytes().all(|b| b.is_ascii_graphic() || b == b' ') {
            let detail = format!("Idempotency-Key: 1 to {LONGEST_KEY} visible ASCII characters");
            return Err(ProblemDocument::invalid("Idempotency-Key", detail));
        }
        // The same request may be written with other spaces or another order of members.
        let body = self.json()?.to_string();
        let request: Vec<&str> = [body.as_str()].into_iter().chain(self.id()).collect();
        Ok(Some(IdempotencyKey {
            account: account.clone(),
            hash: hash(&[endpoint, key]),
            fingerprint: hash(&request),
        }))
    }
}

impl IdempotencyKey {
    /// What is remembered under this key.
    async fn find(&self, table: &Table) -> Result<Option<KeyRow>, StoreError> {
        table
            .idempotency_keys()
            .get(&self.account, &self.hash, table.now())
            .await
    }

    /// What was answered to this key before.
    ///
    /// # Errors
    /// 422 when that was to another request.
    fn replay(&self, row: KeyRow) -> Result<Reply, ProblemDocument> {
        if row.fingerprint != self.fingerprint {
            return Err(ProblemDocument::key_reused());
        }
        Ok(Reply::again(row.status, row.location, row.answer)?)
    }

    /// The answer to a request that met a problem. The same request may have been at work at the same time, and be the reason
    /// why this one was refused: `found` is what is remembered by now.
    fn after(
        &self,
        problem: ProblemDocument,
        found: Result<Option<KeyRow>, StoreError>,
    ) -> Result<Reply, ProblemDocument> {
        match found {
            Ok(Some(row)) => self.replay(row),
            Ok(None) => Err(problem),
            Err(error) if problem.is_fault() => {
                let error = error.for_log();
                tracing::warn!(error, "an Idempotency-Key cannot be looked up after a failure");
                Err(problem)
            }
            // Nobody knows whether the refusal is right: to ask again is.
            Err(error) => Err(error.into()),
        }
    }

    /// The write that remembers an answer; it belongs into the transaction that makes what is answered.
    ///
    /// # Errors
    /// `ErrorKind::Internal` when the write is malformed.
    pub fn remember(&self, answer: &impl Answer, now: Timestamp) -> Result<Write, StoreError> {
        let written = reply::write(answer)?;
        let location = written.headers.into_iter().find(|(name, _)| *name == "location");
        let row = KeyRow {
            account: self.account.clone(),
            key_hash: self.hash.clone(),
            fingerprint: self.fingerprint.clone(),
            status: written.status,
            location: location.map(|(_, location)| location).unwrap_or_default(),
            answer: written.body.unwrap_or_default(),
            expires_at: saturating_add(now, MEMORY),
        };
        remember(&row, now)
    }
}

/// Answers a request that creates something: as before, if it was made before.
///
/// # Errors
/// Those of `create`, and 422 when the key was used for another request.
pub(crate) async fn once(
    key: &IdempotencyKey,
    table: &Table,
    create: BoxFuture<'_, Result<Reply, ProblemDocument>>,
) -> Result<Reply, ProblemDocument> {
    if let Some(row) = key.find(table).await? {
        return key.replay(row);
    }
    match create.await {
        Err(problem) => key.after(problem, key.find(table).await),
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

    fn key(header: &str, endpoint: &str, body: &str) -> Result<Option<IdempotencyKey>, ProblemDocument> {
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
    fn a_request_about_another_thing_is_another_request() {
        use lambda_http::RequestExt;
        use std::collections::HashMap;
        let of = |id: &str| {
            let request = Request::builder().header("Idempotency-Key", "k");
            let request = request.body(Body::from("{}")).unwrap();
            let request = request.with_path_parameters(HashMap::from([("id".to_owned(), id.to_owned())]));
            let key = Call::new(request).idempotency_key(&"ann".parse().unwrap(), "copy");
            let key = key.unwrap().unwrap();
            (key.hash, key.fingerprint)
        };
        let first = of("a");
        assert_eq!(of("a"), first);
        assert_eq!(of("b").0, first.0);
        assert_ne!(of("b").1, first.1);
    }

    #[test]
    fn a_key_that_cannot_be_looked_up_hides_no_failure() {
        let key = key("k", "a", "{}").unwrap().unwrap();
        let lost = || StoreError::unavailable("GetItem", "no answer");
        let code = |problem, found| key.after(problem, found).unwrap_err().code().as_str();
        // What went wrong first is what the log has to say.
        let fault = || ProblemDocument::internal("the first".to_owned());
        assert_eq!(code(fault(), Ok(None)), "internal");
        assert_eq!(code(fault(), Err(lost())), "internal");
        // A refusal may be the work of the same request, which was faster.
        let refusal = || ProblemDocument::not_found("folder");
        assert_eq!(code(refusal(), Ok(None)), "not_found");
        assert_eq!(code(refusal(), Err(lost())), "unavailable");
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
