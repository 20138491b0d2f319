//! Sessions.

use crate::answer::{Created, NoContent};
use crate::body::Json;
use crate::declaration::Declaration;
use crate::page::Items;
use crate::query::Paged;
use domain::account::{Password, Username};
use domain::id::SessionId;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The endpoints, in the order in which documents have them.
pub(crate) const ENDPOINTS: &[Declaration] = &[
    Declaration::of::<Create>(),
    Declaration::of::<List>(),
    Declaration::of::<Refresh>(),
    Declaration::of::<Revoke>(),
    Declaration::of::<Delete>(),
    Declaration::of::<DeleteAll>(),
];

endpoint! {
    /// Begins a session
    Create: "session-create", POST "/v1/sessions", signIn;
    caller: Anybody,
    body: Json<Credentials>,
    answer: Created<Session> = "The session",
    problems: [Unauthorized],
}

endpoint! {
    /// Exchanges a refresh token for new tokens, once
    Refresh: "session-refresh", POST "/v1/sessions/refresh", refreshSession;
    caller: Anybody,
    body: Json<TokenToRefresh>,
    answer: Json<Session> = "The session with its next tokens",
    problems: [Unauthorized, ChangedMeanwhile],
}

endpoint! {
    /// Ends one session of the account
    Revoke: "session-revoke", DELETE "/v1/sessions/{id}", revokeSession;
    caller: Session,
    path: SessionId,
    answer: NoContent = "It is done",
    problems: [],
}

endpoint! {
    /// Ends this session
    Delete: "session-delete", DELETE "/v1/sessions/current", signOut;
    caller: Session,
    answer: NoContent = "It is done",
    problems: [],
}

endpoint! {
    /// Ends all sessions of the account
    DeleteAll: "session-delete-all", DELETE "/v1/sessions", signOutEverywhere;
    caller: Session,
    answer: NoContent = "It is done",
    problems: [ChangedMeanwhile],
}

endpoint! {
    /// Lists the sessions of the account
    List: "session-list", GET "/v1/sessions", listSessions;
    caller: Session,
    query: Paged,
    answer: Json<Items<ActiveSession>> = "The sessions",
    problems: [],
}

/// A username and its password.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Credentials {
    /// What the account is called.
    pub username: Username,
    /// Its password.
    pub password: Password,
}

/// A refresh token to be exchanged.
#[derive(Deserialize, JsonSchema)]
#[schemars(rename = "Refresh")]
#[serde(deny_unknown_fields)]
pub struct TokenToRefresh {
    /// What was given with the last access token.
    pub refresh_token: String,
}

/// What a client has of a session. It has no `Debug` form: it is nothing but secrets.
#[derive(Serialize, JsonSchema)]
pub struct Session {
    /// For the `Authorization` header.
    pub access_token: String,
    /// How it is sent there: always `Bearer`.
    #[schemars(extend("const" = "Bearer"))]
    pub token_type: &'static str,
    /// How long it is good, in seconds.
    pub expires_in: i64,
    /// What is exchanged for the next two, once.
    pub refresh_token: String,
    /// Until when.
    pub refresh_expires_at: Timestamp,
}

/// Where the account is signed in.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ActiveSession {
    /// Which one.
    pub id: SessionId,
    /// Whether it is the session of this request.
    pub current: bool,
    /// The `User-Agent` of the client that signed in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client: Option<String>,
    /// When it began.
    pub created_at: Timestamp,
    /// When its tokens were last exchanged.
    pub refreshed_at: Timestamp,
    /// When it ends if they are not exchanged again.
    pub expires_at: Timestamp,
}
