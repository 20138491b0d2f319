//! Access tokens: JSON Web Tokens signed with HMAC-SHA256, checked in every function.

use crate::Problem;
use domain::id::AccountId;
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode};
use serde::{Deserialize, Serialize};
use store::{Aws, StoreError};

const ISSUER: &str = "longshore";
const AUDIENCE: &str = "longshore-api";
/// How long an access token lives, in seconds: a working day.
pub const LIFETIME_SECONDS: u64 = 12 * 60 * 60;

#[derive(Serialize, Deserialize)]
struct Claims {
    sub: AccountId,
    iss: String,
    aud: String,
    iat: u64,
    exp: u64,
}

/// The secret as Secrets Manager has it.
#[derive(Deserialize)]
struct SigningSecret {
    current: String,
}

/// Makes and checks access tokens.
pub struct Tokens {
    encoding: EncodingKey,
    decoding: DecodingKey,
    validation: Validation,
}

impl Tokens {
    /// Reads the signing secret that `SIGNING_SECRET_ID` names.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be read, or is too short to be safe.
    pub async fn from_env(aws: &Aws) -> Result<Self, StoreError> {
        let text = aws.secret(&store::config::variable("SIGNING_SECRET_ID")?).await?;
        let secret: SigningSecret = serde_json::from_str(&text).map_err(|_| {
            StoreError::Misconfigured("the signing secret is not {\"current\": \"...\"}".into())
        })?;
        if secret.current.len() < 32 {
            return Err(StoreError::Misconfigured(
                "the signing secret has fewer than 32 characters".into(),
            ));
        }
        Ok(Self::new(secret.current.as_bytes()))
    }

    fn new(secret: &[u8]) -> Self {
        let mut validation = Validation::new(Algorithm::HS256);
        validation.set_issuer(&[ISSUER]);
        validation.set_audience(&[AUDIENCE]);
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        validation.leeway = 0;
        let (encoding, decoding) = (EncodingKey::from_secret(secret), DecodingKey::from_secret(secret));
        Self {
            encoding,
            decoding,
            validation,
        }
    }

    /// A token for an account, valid from `now`, in seconds since 1970, for [`LIFETIME_SECONDS`].
    ///
    /// # Errors
    /// A [`Problem`] when it cannot be signed.
    pub fn issue(&self, account: &AccountId, now: u64) -> Result<String, Problem> {
        let (sub, iss, aud) = (account.clone(), ISSUER.to_owned(), AUDIENCE.to_owned());
        let claims = Claims {
            sub,
            iss,
            aud,
            iat: now,
            exp: now + LIFETIME_SECONDS,
        };
        encode(&Header::new(Algorithm::HS256), &claims, &self.encoding)
            .map_err(|e| StoreError::Corrupt(format!("signing a token: {e}")).into())
    }

    /// Whose token it is.
    ///
    /// # Errors
    /// 401 when it is not valid (any more).
    pub fn verify(&self, token: &str) -> Result<AccountId, Problem> {
        match decode::<Claims>(token, &self.decoding, &self.validation) {
            Ok(data) => Ok(data.claims.sub),
            Err(error) if matches!(error.kind(), ErrorKind::ExpiredSignature) => Err(Problem::unauthorized(
                "the access token has expired; sign in again",
            )),
            Err(_) => Err(Problem::unauthorized(
                "the access token is not valid; sign in again",
            )),
        }
    }
}

/// What checks the tokens of the sample events.
#[cfg(test)]
pub(crate) fn sample_tokens() -> Tokens {
    let file = crate::samples::folder().join("sample/signing-secret.json");
    let secret: SigningSecret = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    Tokens::new(secret.current.as_bytes())
}

/// The token that the sample events carry: from 2026-01-02 until 2099.
#[cfg(test)]
pub(crate) fn sample_token(account: &str) -> String {
    let claims = Claims {
        sub: account.parse().unwrap(),
        iss: ISSUER.to_owned(),
        aud: AUDIENCE.to_owned(),
        iat: 1_767_323_045,
        exp: 4_070_908_800,
    };
    encode(&Header::new(Algorithm::HS256), &claims, &sample_tokens().encoding).unwrap()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account() -> AccountId {
        "a1".parse().unwrap()
    }

    fn now() -> u64 {
        std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap()
            .as_secs()
    }

    #[test]
    fn a_token_tells_its_account() {
        let tokens = Tokens::new(&[7; 32]);
        let token = tokens.issue(&account(), now()).unwrap();
        assert_eq!(tokens.verify(&token).unwrap(), account());
    }

    #[test]
    fn tokens_that_are_refused() {
        let tokens = Tokens::new(&[7; 32]);
        let good = tokens.issue(&account(), now()).unwrap();
        let expired = tokens.issue(&account(), now() - LIFETIME_SECONDS - 1).unwrap();
        let forged = Tokens::new(&[8; 32]).issue(&account(), now()).unwrap();
        let parts: Vec<&str> = good.split('.').collect();
        // {"typ":"JWT","alg":"none"}
        let unsigned = format!("eyJ0eXAiOiJKV1QiLCJhbGciOiJub25lIn0.{}.", parts[1]);
        let other_payload = tokens.issue(&"a2".parse().unwrap(), now()).unwrap();
        let swapped = format!(
            "{}.{}.{}",
            parts[0],
            other_payload.split('.').nth(1).unwrap(),
            parts[2]
        );
        for bad in [
            "",
            "x",
            "a.b.c",
            &expired,
            &forged,
            &unsigned,
            &swapped,
            &good[..good.len() - 2],
        ] {
            assert_eq!(tokens.verify(bad).unwrap_err().status(), 401, "{bad}");
        }
    }

    #[test]
    fn tokens_of_another_audience_are_refused() {
        let tokens = Tokens::new(&[7; 32]);
        let claims = Claims {
            sub: account(),
            iss: ISSUER.into(),
            aud: "another-api".into(),
            iat: now(),
            exp: now() + 60,
        };
        let token = encode(&Header::new(Algorithm::HS256), &claims, &tokens.encoding).unwrap();
        assert_eq!(tokens.verify(&token).unwrap_err().status(), 401);
    }
}
