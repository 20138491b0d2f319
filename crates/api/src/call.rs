//! What comes in, before it is known whose and what it is.

use crate::problem::ProblemDocument;
use domain::session::ClientName;
use domain::throttle::Source;
use lambda_http::http::header::{AUTHORIZATION, USER_AGENT};
use lambda_http::request::RequestContext;
use lambda_http::{Body, Request, RequestExt};
use serde::de::DeserializeOwned;
use std::fmt::Display;
use std::str::FromStr;
use wire::path::Path;
use wire::precondition::IfMatch;
use wire::query;

/// Largest body of a request in bytes: a thousand parts to sign need about 80 KB.
pub(crate) const MAX_BODY: usize = 256 * 1024;

/// A request of the gateway.
pub(crate) struct Call {
    request: Request,
}

impl Call {
    pub(crate) fn new(request: Request) -> Self {
        Self { request }
    }

    /// The token that the request carries.
    ///
    /// # Errors
    /// 401 when there is none.
    pub(crate) fn bearer_token(&self) -> Result<&str, ProblemDocument> {
        let header = self.request.headers().get(AUTHORIZATION);
        let header = header.ok_or_else(|| {
            ProblemDocument::unauthorized(
                "send \"Authorization: Bearer <token>\"; POST /v1/sessions gives a token",
            )
        })?;
        let token = header.to_str().ok().and_then(|text| {
            let (scheme, token) = text.split_once(' ')?;
            scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
        });
        token.ok_or_else(|| ProblemDocument::unauthorized("the Authorization header is not a bearer token"))
    }

    /// The id in the path. One that cannot be an id names nothing.
    ///
    /// # Errors
    /// 404.
    pub(crate) fn path<P: Path>(&self) -> Result<P, ProblemDocument> {
        P::read(self.id()).ok_or_else(|| ProblemDocument::not_found(P::NOUN))
    }

    /// What the path has in the place of its id, if it has one.
    pub(crate) fn id(&self) -> Option<&str> {
        let parameters = self.request.path_parameters_ref();
        parameters.and_then(|parameters| parameters.first("id"))
    }

    /// A header's text; `None` when there is none.
    ///
    /// # Errors
    /// 400 when it is there and is not visible ASCII.
    pub(crate) fn header(&self, name: &str) -> Result<Option<&str>, ProblemDocument> {
        let value = self.request.headers().get(name);
        let text = value.map(|value| value.to_str()).transpose();
        text.map_err(|_| ProblemDocument::invalid(name, format!("{name}: visible ASCII characters only")))
    }

    /// The versions that the request is about, if it says so.
    pub(crate) fn if_match(&self) -> Result<Option<IfMatch>, ProblemDocument> {
        let tags = self.header("if-match")?.map(str::parse).transpose();
        tags.map_err(|error| ProblemDocument::invalid("If-Match", format!("If-Match: {error}")))
    }

    /// Where it came from, as the gateway saw it: no header that a client can write counts.
    pub(crate) fn source(&self) -> Source {
        Source::of(match self.request.request_context_ref() {
            Some(RequestContext::ApiGatewayV1(context)) => context.identity.source_ip.as_deref(),
            _ => None,
        })
    }

    /// What the client calls itself, if it can be read.
    pub(crate) fn client(&self) -> Option<ClientName> {
        let header = self.request.headers().get(USER_AGENT)?;
        ClientName::of(&String::from_utf8_lossy(header.as_bytes()))
    }

    /// The body.
    ///
    /// # Errors
    /// 413 when it is too large, 400 when it is not JSON or not of the right shape, naming the field.
    pub(crate) fn body<B: wire::body::Body>(&self) -> Result<B::Value, ProblemDocument> {
        let bytes = self.bytes();
        match B::absent() {
            Some(value) if bytes.is_empty() || !B::IS_READ => Ok(value),
            _ => parse(bytes),
        }
    }

    /// The body as whatever JSON it is.
    ///
    /// # Errors
    /// The same.
    pub(crate) fn json(&self) -> Result<serde_json::Value, ProblemDocument> {
        parse(self.bytes())
    }

    fn bytes(&self) -> &[u8] {
        match self.request.body() {
            Body::Text(text) => text.as_bytes(),
            Body::Binary(bytes) => bytes,
            _ => b"",
        }
    }
}

impl query::Source for Call {
    type Error = ProblemDocument;

    /// An empty one counts as absent. One that is there more than once is refused: who sent it may have meant another one
    /// than is read.
    fn get<T: FromStr<Err: Display>>(&self, name: &str) -> Result<Option<T>, ProblemDocument> {
        let parameters = self.request.query_string_parameters_ref();
        let texts = parameters.and_then(|parameters| parameters.all(name));
        let text = match texts.as_deref() {
            None | Some([] | [""]) => return Ok(None),
            Some([text]) => *text,
            Some(_) => return Err(ProblemDocument::invalid(name, format!("{name}: give it once"))),
        };
        let value = text.parse::<T>().map(Some);
        value.map_err(|e: T::Err| ProblemDocument::invalid(name, format!("{name}: {e}")))
    }

    fn missing(name: &str) -> ProblemDocument {
        ProblemDocument::invalid(name, format!("{name}: this is needed"))
    }
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, ProblemDocument> {
    if bytes.len() > MAX_BODY {
        return Err(ProblemDocument::payload_too_large(MAX_BODY));
    }
    if bytes.is_empty() {
        return Err(ProblemDocument::malformed_json("the request needs a JSON body"));
    }
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let path = error.path().to_string();
        let error = error.into_inner();
        if error.is_data() {
            ProblemDocument::invalid(&path, format!("{path}: {error}"))
        } else {
            ProblemDocument::malformed_json(error.to_string())
        }
    })?;
    reader
        .end()
        .map_err(|e| ProblemDocument::malformed_json(e.to_string()))?;
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
