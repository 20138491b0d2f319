//! Why a call failed and what a person can do about it.

use crate::secret::InvalidToken;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::json;

/// What the API says went wrong (RFC 9457).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// Stable word to tell problems apart, for instance `name_taken`.
    pub code: String,
    /// The HTTP status.
    pub status: u16,
    /// What a person can do.
    pub message: String,
    /// The field of the request that is wrong, with `invalid_request`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// The first parts the store does not have, with `parts_missing`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<u32>,
    /// How many parts the store does not have, with `parts_missing`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missing_count: Option<u32>,
    /// What the account may hold, with `quota_exceeded`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quota_bytes: Option<u64>,
    /// What the account holds, with `quota_exceeded`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub used_bytes: Option<u64>,
    /// What the account has room for, with `quota_exceeded`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub free_bytes: Option<u64>,
    /// What emptying the trash would free, with `quota_exceeded`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trash_bytes: Option<u64>,
    /// What deleting earlier versions of files would free, with `quota_exceeded`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version_bytes: Option<u64>,
    /// What there was no room for, with `quota_exceeded`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wanted_bytes: Option<u64>,
    /// What the call carried: what to do about `unauthorized` depends on it. The API does not say it.
    #[serde(skip)]
    pub carried: Carried,
}

/// What a call carries to say who makes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Carried {
    /// Nothing.
    #[default]
    Nothing,
    /// A token that somebody handed over: a personal access token.
    Token,
    /// The access token of a session.
    Session,
}

impl Problem {
    /// Reads an error answer; one that is no problem document (a gateway's, say) becomes a problem with the
    /// code `http_<status>`.
    pub(crate) fn from_answer(status: StatusCode, body: &[u8]) -> Self {
        if let Ok(problem) = serde_json::from_slice::<Self>(body) {
            return problem;
        }
        let said = serde_json::from_slice::<Gateway>(body)
            .map(|gateway| gateway.message)
            .ok();
        let message = match said.filter(|text| !text.is_empty()) {
            Some(text) => format!("the server answered {status}: {text}"),
            None => format!("the server answered {status} and no more"),
        };
        Self {
            code: format!("http_{}", status.as_u16()),
            status: status.as_u16(),
            message,
            field: None,
            missing: Vec::new(),
            missing_count: None,
            quota_bytes: None,
            used_bytes: None,
            free_bytes: None,
            trash_bytes: None,
            version_bytes: None,
            wanted_bytes: None,
            carried: Carried::Nothing,
        }
    }
}

/// What a gateway says by itself, without asking a function.
#[derive(Deserialize)]
struct Gateway {
    #[serde(alias = "Message")]
    message: String,
}

/// Why a call to the API failed.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ApiError {
    /// The API refused, and said why.
    #[error("{}", .0.message)]
    Problem(Box<Problem>),
    /// No answer, after all retries.
    #[error("cannot reach {host}: {reason}")]
    Unreachable {
        /// Scheme, host and port.
        host: String,
        /// What the network said.
        reason: String,
    },
    /// Something between this machine and the API answers in its place.
    #[error("something other than the API answers at {host}: {answer}")]
    NotTheApi {
        /// Scheme, host and port.
        host: String,
        /// Status and media type.
        answer: String,
    },
    /// An answer that is not one of this API's.
    #[error("{call} gave an answer this client does not understand: {reason}")]
    Unexpected {
        /// Method and path of the call.
        call: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The address of the API cannot be one.
    #[error("'{text}' is not the address of an API: {reason}")]
    Address {
        /// What was given.
        text: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The token cannot be sent. The call is not made: without a token it would be another call.
    #[error("the token cannot be sent: {0}")]
    Token(#[from] InvalidToken),
    /// The HTTP client cannot be set up on this machine.
    #[error("cannot set up HTTP on this machine: {0}")]
    Setup(String),
}

impl ApiError {
    /// What the API says when another file has the name, for a caller that has seen so without asking it to
    /// make one.
    pub(crate) fn name_taken() -> Self {
        let (code, status) = ("name_taken", StatusCode::CONFLICT);
        let message = "the folder has an entry of this name; choose another name, or delete the entry first";
        let body = json!({ "code": code, "status": status.as_u16(), "message": message });
        Self::Problem(Box::new(Problem::from_answer(
            status,
            body.to_string().as_bytes(),
        )))
    }

    /// The problem's code, if the API gave one.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Problem(problem) => Some(&problem.code),
            _ => None,
        }
    }

    /// Whether it is the problem `code`.
    #[must_use]
    pub fn is(&self, code: &str) -> bool {
        self.code() == Some(code)
    }

    /// What to do now, where there is something better than the message to say.
    #[must_use]
    pub fn next_step(&self) -> Option<&'static str> {
        match self {
            Self::Problem(problem) => match problem.code.as_str() {
                "unauthorized" => match problem.carried {
                    // It tried to sign in, and the message says why that failed.
                    Carried::Nothing => None,
                    Carried::Token => Some(
                        "make a new token where you are signed in (longshore token create <name> --scope <scope>), and put it \
                         in the place of this one",
                    ),
                    Carried::Session => Some("sign in: longshore login <username>"),
                },
                "quota_exceeded" => Some(
                    "make room: empty the trash (longshore trash empty), or remove what you no longer need \
                     (longshore rm --permanently <path>)",
                ),
                "internal" | "unavailable" => Some("try again in a moment"),
                // Every answer of the API itself is a problem document.
                "http_401" | "http_403" | "http_404" => Some(
                    "it was not Longshore that answered: check the address of the API (--api, LONGSHORE_API or the last login), \
                     and what is on the way to it",
                ),
                "invitation_required" => Some("give it: longshore signup <username> --invitation <code>"),
                _ => None,
            },
            Self::Unreachable { .. } => {
                Some("check that the API is running and the address is right (--api or LONGSHORE_API)")
            }
            Self::NotTheApi { .. } => Some(
                "check the address of the API (--api, LONGSHORE_API or the last login), and whether a network that wants a \
                 sign-in, a proxy or a filter is in the way",
            ),
            Self::Unexpected { .. } => Some("check that the address is that of a Longshore API"),
            Self::Address { .. } => Some("an address looks like https://api.example.com/v1-stage"),
            Self::Token(_) | Self::Setup(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_document_keeps_its_extras() {
        let body = br#"{"type":"https://longshore.dev/problems/parts_missing","title":"x","status":409,"detail":"d",
            "code":"parts_missing","message":"send parts 2 and 5","missing":[2,5],"missing_count":2,"new":true}"#;
        let problem = Problem::from_answer(StatusCode::CONFLICT, body);
        assert_eq!(
            (problem.missing.as_slice(), problem.missing_count),
            ([2, 5].as_slice(), Some(2))
        );
        assert_eq!(
            ApiError::Problem(Box::new(problem)).to_string(),
            "send parts 2 and 5"
        );
    }

    #[test]
    fn hints_do_not_guess() {
        let step = |code: &str, carried| {
            let body = format!(r#"{{"code":"{code}","status":403,"message":"m"}}"#);
            let mut problem = Problem::from_answer(StatusCode::FORBIDDEN, body.as_bytes());
            problem.carried = carried;
            ApiError::Problem(Box::new(problem)).next_step()
        };
        for carried in [Carried::Nothing, Carried::Token, Carried::Session] {
            for code in ["forbidden", "insufficient_scope", "wrong_password", "not_found"] {
                assert_eq!(step(code, carried), None, "the message says it all");
            }
        }
        assert_eq!(step("unauthorized", Carried::Nothing), None);
        assert!(step("unauthorized", Carried::Token).is_some_and(|step| step.contains("token create")));
        assert!(step("unauthorized", Carried::Session).is_some_and(|step| step.contains("longshore login")));
    }

    #[test]
    fn a_gateways_answer_becomes_a_problem() {
        let problem = Problem::from_answer(
            StatusCode::GATEWAY_TIMEOUT,
            br#"{"message": "Endpoint request timed out"}"#,
        );
        assert_eq!(problem.code, "http_504");
        assert_eq!(
            problem.message,
            "the server answered 504 Gateway Timeout: Endpoint request timed out"
        );
        let problem = Problem::from_answer(StatusCode::BAD_GATEWAY, b"<html>");
        assert_eq!(problem.message, "the server answered 502 Bad Gateway and no more");
    }
}
