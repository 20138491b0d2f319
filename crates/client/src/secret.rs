//! Texts that must not be seen: they have no telling `Debug` and no `Display`.

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize, Serializer};
use std::fmt;
use std::str::FromStr;

/// An access token, a refresh token or a personal access token.
#[derive(Debug, Clone, Deserialize)]
#[serde(transparent)]
pub struct Token(SecretString);

impl Token {
    /// Wraps a token kept elsewhere.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into().into())
    }

    /// The token itself, for the `Authorization` header, or for the person who asked for it.
    #[must_use]
    pub fn reveal(&self) -> &str {
        self.0.expose_secret()
    }
}

/// A text that is no token. It does not show the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it is not a token: a token is one word of letters, digits and -._~+/=")]
pub struct InvalidToken;

impl FromStr for Token {
    type Err = InvalidToken;

    /// Reads a token that a person or a program handed over (RFC 6750, section 2.1). White space around it, such as the line
    /// break at the end of a file, is no part of it.
    fn from_str(text: &str) -> Result<Self, InvalidToken> {
        let text = text.trim();
        let word = text.trim_end_matches('=');
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/".contains(&byte);
        if word.is_empty() || !word.bytes().all(fits) {
            return Err(InvalidToken);
        }
        Ok(Self::new(text))
    }
}

impl PartialEq for Token {
    fn eq(&self, other: &Self) -> bool {
        self.reveal() == other.reveal()
    }
}

impl Eq for Token {}

/// To keep it between calls, and to show it to the user who asked for it.
impl Serialize for Token {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.reveal())
    }
}

/// A presigned URL: anybody who has it may do what it was signed for.
#[derive(Clone, Deserialize)]
#[serde(transparent)]
pub struct SignedUrl(SecretString);

impl SignedUrl {
    /// Wraps a URL that carries a signature.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into().into())
    }

    /// The URL itself, for sending the request or handing it to the person who asked for it.
    #[must_use]
    pub fn reveal(&self) -> &str {
        self.0.expose_secret()
    }
}

impl PartialEq for SignedUrl {
    fn eq(&self, other: &Self) -> bool {
        self.reveal() == other.reveal()
    }
}

impl Eq for SignedUrl {}

/// Shows where it leads, and not what lets somebody in.
impl fmt::Debug for SignedUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = self.reveal().split(['?', '#']).next().unwrap_or_default();
        write!(f, "SignedUrl({shown}?…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_one_word_without_the_space_around_it() {
        for text in ["lsp_a.b.c-_", " lsp_a.b.c-_\n", "lsp_a.b.c-_\r\n"] {
            assert_eq!(text.parse(), Ok(Token::new("lsp_a.b.c-_")));
        }
        assert_eq!("eyJ+/~==".parse(), Ok(Token::new("eyJ+/~==")));
        for text in ["", "\n", "==", "lsp_a b", "lsp_a\nb", "lsp_\u{e4}", "Bearer x"] {
            assert_eq!(text.parse::<Token>(), Err(InvalidToken), "{text:?}");
        }
    }

    #[test]
    fn secrets_do_not_show() {
        let shown = format!(
            "{:?} {:?}",
            Token::new("eyJ.secret"),
            SignedUrl::new("http://store/b/k?X-Amz-Signature=secret#secret")
        );
        assert_eq!(
            shown,
            "Token(SecretBox<str>([REDACTED])) SignedUrl(http://store/b/k?…)"
        );
    }
}
