//! Media types as clients declare them. They come back in headers of downloads, so they must be header-safe.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Longest media type in bytes.
pub const MAX_LENGTH: usize = 127;

/// Why a text cannot be a media type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a content type looks like \"text/plain; charset=utf-8\" and has at most {MAX_LENGTH} characters")]
pub struct InvalidMediaType;

/// A media type such as `text/plain; charset=utf-8` (RFC 9110, section 8.3.1).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(extend("maxLength" = MAX_LENGTH, "pattern" = "^[A-Za-z0-9!#$%&\'*+.^_`|~-]+/[A-Za-z0-9!#$%&\'*+.^_`|~-]+ *(;[ -~]*)?$"))]
pub struct MediaType(String);

impl fmt::Display for MediaType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for MediaType {
    type Error = InvalidMediaType;

    fn try_from(text: String) -> Result<Self, InvalidMediaType> {
        let token = |s: &str| {
            !s.is_empty()
                && s.bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b))
        };
        let (essence, parameters) = text.split_once(';').unwrap_or((&text, ""));
        let essence_valid = essence
            // Spaces only: line breaks would begin another header.
            .trim_end_matches(' ')
            .split_once('/')
            .is_some_and(|(a, b)| token(a) && token(b));
        let parameters_valid = parameters.bytes().all(|b| b == b' ' || b.is_ascii_graphic());
        let valid = text.len() <= MAX_LENGTH && essence_valid && parameters_valid;
        if valid {
            Ok(Self(text))
        } else {
            Err(InvalidMediaType)
        }
    }
}

impl From<MediaType> for String {
    fn from(media_type: MediaType) -> String {
        media_type.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn media_types_cannot_carry_headers() {
        for good in [
            "text/plain",
            "text/plain; charset=utf-8",
            "application/vnd.api+json",
        ] {
            assert!(MediaType::try_from(good.to_owned()).is_ok(), "{good}");
        }
        for bad in [
            "",
            "text",
            "text/",
            "/plain",
            "a/b\r\nX: y",
            "a/b; c=\n",
            "text/plain\r\n; charset=utf-8",
            "text/plain\t;",
            "te xt/plain",
            &"a/".repeat(80),
        ] {
            assert!(MediaType::try_from(bad.to_owned()).is_err(), "{bad:?}");
        }
    }
}
