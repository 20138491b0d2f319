//! What comes in: authentication, extraction, validation.

use crate::Problem;
use crate::auth::{Auth, Caller};
use domain::id::{AccountId, InvalidId};
use domain::token::Scope;
use lambda_http::http::header::AUTHORIZATION;
use lambda_http::{Body, Request, RequestExt};
use serde::de::DeserializeOwned;
use std::fmt::Display;
use std::str::FromStr;

/// Largest body of a request in bytes: a thousand parts to sign need about 80 KB.
pub const MAX_BODY: usize = 256 * 1024;
/// How many items a page has unless asked otherwise, and at most.
const PAGE: (u32, u32) = (50, 100);

/// A request.
pub struct Call {
    request: Request,
}

impl Call {
    /// Wraps a request of the gateway.
    #[must_use]
    pub fn new(request: Request) -> Self {
        Self { request }
    }

    pub(crate) fn request(&self) -> &Request {
        &self.request
    }

    /// The account of whoever asks, if he may do what wants this scope.
    ///
    /// # Errors
    /// 401 when the request carries no token that is good, 403 when the token is not good for this.
    pub async fn account(&self, auth: &Auth, scope: Scope) -> Result<AccountId, Problem> {
        let caller = self.caller(auth).await?;
        caller.may(scope)?;
        Ok(caller.account.id)
    }

    /// Who asks.
    ///
    /// # Errors
    /// 401 when the request carries no token that is good.
    pub async fn caller(&self, auth: &Auth) -> Result<Caller, Problem> {
        auth.caller(self.bearer_token()?).await
    }

    /// The token that the request carries.
    ///
    /// # Errors
    /// 401 when there is none.
    pub fn bearer_token(&self) -> Result<&str, Problem> {
        let header = self.request.headers().get(AUTHORIZATION);
        let header = header.ok_or_else(|| {
            Problem::unauthorized("send \"Authorization: Bearer <token>\"; POST /v1/sessions gives a token")
        })?;
        let token = header.to_str().ok().and_then(|text| {
            let (scheme, token) = text.split_once(' ')?;
            scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
        });
        token.ok_or_else(|| Problem::unauthorized("the Authorization header is not a bearer token"))
    }

    /// The id in the path. One that cannot be an id names nothing.
    ///
    /// # Errors
    /// 404.
    pub fn id<T: FromStr<Err = InvalidId>>(&self, what: &str) -> Result<T, Problem> {
        let parameters = self.request.path_parameters_ref();
        let text = parameters.and_then(|parameters| parameters.first("id"));
        text.and_then(|text| text.parse().ok())
            .ok_or_else(|| Problem::not_found(what))
    }

    /// A parameter of the query string; an empty one counts as absent.
    ///
    /// # Errors
    /// 400 when it is not what it should be, or there more than once: who sent it may have meant another one than is read.
    pub fn query<T>(&self, name: &str) -> Result<Option<T>, Problem>
    where
        T: FromStr,
        T::Err: Display,
    {
        let parameters = self.request.query_string_parameters_ref();
        let texts = parameters.and_then(|parameters| parameters.all(name));
        let text = match texts.as_deref() {
            None | Some([] | [""]) => None,
            Some([text]) => Some(*text),
            Some(_) => {
                return Err(Problem::invalid(name, format!("{name}: give it once")));
            }
        };
        text.map(|text| {
            text.parse()
                .map_err(|e: T::Err| Problem::invalid(name, format!("{name}: {e}")))
        })
        .transpose()
    }

    /// How many items the page shall have.
    ///
    /// # Errors
    /// 400 unless it is from 1 to 100.
    pub fn limit(&self) -> Result<u32, Problem> {
        let (usual, most) = PAGE;
        match self.query::<u32>("limit")? {
            None => Ok(usual),
            Some(limit) if (1..=most).contains(&limit) => Ok(limit),
            Some(_) => Err(Problem::invalid("limit", format!("limit is from 1 to {most}"))),
        }
    }

    /// A header's text; `None` when there is none.
    ///
    /// # Errors
    /// 400 when it is there and is not visible ASCII.
    pub fn header(&self, name: &str) -> Result<Option<&str>, Problem> {
        let value = self.request.headers().get(name);
        let text = value.map(|value| value.to_str()).transpose();
        text.map_err(|_| Problem::invalid(name, format!("{name}: visible ASCII characters only")))
    }

    /// The body.
    ///
    /// # Errors
    /// 413 when it is too large, 400 when it is not JSON or not of the right shape, naming the field.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        parse(self.body())
    }

    /// The body, or what stands for none.
    ///
    /// # Errors
    /// The same, of a body that is there.
    pub fn json_if_any<T: DeserializeOwned + Default>(&self) -> Result<T, Problem> {
        match self.body() {
            b"" => Ok(T::default()),
            bytes => parse(bytes),
        }
    }

    fn body(&self) -> &[u8] {
        match self.request.body() {
            Body::Text(text) => text.as_bytes(),
            Body::Binary(bytes) => bytes,
            _ => b"",
        }
    }
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    if bytes.len() > MAX_BODY {
        return Err(Problem::payload_too_large(MAX_BODY));
    }
    if bytes.is_empty() {
        return Err(Problem::malformed_json("the request needs a JSON body"));
    }
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let path = error.path().to_string();
        let error = error.into_inner();
        if error.is_data() {
            Problem::invalid(&path, format!("{path}: {error}"))
        } else {
            Problem::malformed_json(error.to_string())
        }
    })?;
    reader.end().map_err(|e| Problem::malformed_json(e.to_string()))?;
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Body {
        #[expect(dead_code)]
        size: u64,
    }

    #[test]
    fn bad_bodies_are_told_apart() {
        let code = |text: &str| parse::<Body>(text.as_bytes()).unwrap_err().code().as_str();
        assert_eq!(code(""), "malformed_json");
        assert_eq!(code("{"), "malformed_json");
        assert_eq!(code("{\"size\": 1} x"), "malformed_json");
        assert_eq!(code("{\"size\": -1}"), "invalid_request");
        assert_eq!(code("{\"size\": 1e99}"), "invalid_request");
        assert_eq!(code("{\"size\": \"1\"}"), "invalid_request");
        assert_eq!(code("{\"size\": 1, \"sizes\": 2}"), "invalid_request");
        assert_eq!(code("[]"), "invalid_request");
        let large = format!("{{\"size\": 1{}", " ".repeat(MAX_BODY));
        assert_eq!(code(&large), "payload_too_large");
        assert!(parse::<Body>(b"{\"size\": 5}").is_ok());
    }
}
