//! Challenges, and answers to them. What an answer is stands here once more, apart from the server's own code: this is what
//! any client has to do.

use super::aws::items;
use super::http::HttpResponse;
use super::person::{Person, content_id};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

/// The smallest file that a proof is asked for.
pub(crate) const PROVABLE: usize = 1024 * 1024;

/// The answer of somebody who has `bytes`, to a challenge as the API shows it.
pub(crate) fn proof_of(challenge: &Value, bytes: &[u8]) -> String {
    assert_eq!(challenge["algorithm"], "HMAC-SHA256", "{challenge}");
    let nonce = BASE64.decode(challenge["nonce"].as_str().unwrap()).unwrap();
    assert_eq!(nonce.len(), 32);
    let mut hmac = Hmac::<Sha256>::new_from_slice(&nonce).unwrap();
    for (offset, length) in ranges(challenge) {
        hmac.update(&bytes[offset..offset + length]);
    }
    BASE64.encode(hmac.finalize().into_bytes())
}

/// Where the bytes are that a challenge asks for: offset and length.
pub(crate) fn ranges(challenge: &Value) -> Vec<(usize, usize)> {
    let number = |value: &Value| usize::try_from(value.as_u64().unwrap()).unwrap();
    let ranges = challenge["ranges"].as_array().unwrap();
    ranges
        .iter()
        .map(|range| (number(&range["offset"]), number(&range["length"])))
        .collect()
}

impl Person {
    /// Announces `bytes` and returns the answer, whatever it is.
    pub(crate) async fn announce(&self, name: &str, bytes: &[u8]) -> HttpResponse {
        let body = json!({ "name": name, "size": bytes.len(), "content_id": content_id(bytes) });
        self.call("POST", "/uploads", Some(&body)).await
    }

    /// Announces bytes that another account has, and returns the upload with its challenge.
    pub(crate) async fn challenged(&self, name: &str, bytes: &[u8]) -> Value {
        let upload = self.announce(name, bytes).await.expect(200).json();
        assert_eq!(upload["state"], "proof_required", "{upload}");
        assert!(upload["challenge"].is_object(), "{upload}");
        upload
    }

    /// What the account has spent of its allowances to ask for contents that it does not have.
    pub(crate) async fn spent(&self) -> u64 {
        let rows = items(&self.partition(), "ALLOWANCE#LOOKUPS#").await;
        rows.iter().map(|row| row["spent"].as_u64().unwrap()).sum()
    }

    /// Answers an upload's challenge.
    pub(crate) async fn prove(&self, upload: &str, proof: &str) -> HttpResponse {
        let body = json!({ "proof": proof });
        self.call("POST", &format!("/uploads/{upload}/proof"), Some(&body))
            .await
    }
}
