//! Personal access tokens.

use crate::answer::{Created, NoContent};
use crate::body::Json;
use crate::declaration::Declaration;
use crate::page::Items;
use crate::query::Paged;
use domain::id::PersonalTokenId;
use domain::token::{MOST_DAYS, Scopes, TokenName};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The endpoints, in the order in which documents have them.
pub(crate) const ENDPOINTS: &[Declaration] = &[
    Declaration::of::<Create>(),
    Declaration::of::<List>(),
    Declaration::of::<Delete>(),
];

endpoint! {
    /// Makes a personal access token, whose text is shown this once
    Create: "token-create", POST "/v1/tokens", createToken;
    caller: Session,
    body: Json<NewToken>,
    answer: Created<PersonalToken> = "The token",
    problems: [ChangedMeanwhile],
}

endpoint! {
    /// Lists the personal access tokens
    List: "token-list", GET "/v1/tokens", listTokens;
    caller: Scope(Admin),
    query: Paged,
    answer: Json<Items<PersonalToken>> = "The tokens",
    problems: [],
}

endpoint! {
    /// Ends a personal access token
    Delete: "token-delete", DELETE "/v1/tokens/{id}", deleteToken;
    caller: Scope(Admin),
    path: PersonalTokenId,
    answer: NoContent = "It is done",
    problems: [],
}

/// A personal access token that is wanted.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewToken {
    /// What to call it.
    pub name: TokenName,
    /// What it may do. Each stands for itself: `upload` does not include `read`.
    #[schemars(length(min = 1), extend("uniqueItems" = false))]
    pub scopes: Scopes,
    /// How many days it shall live.
    #[schemars(range(min = 1, max = MOST_DAYS))]
    pub expires_in_days: u16,
}

/// A personal access token. It has no `Debug` form: it may have its text.
#[derive(Serialize, JsonSchema)]
#[schemars(description = "A personal access token.")]
pub struct PersonalToken {
    /// Which one.
    pub id: PersonalTokenId,
    /// What its owner calls it.
    pub name: TokenName,
    /// What it may do.
    pub scopes: Scopes,
    /// When it was made.
    pub created_at: Timestamp,
    /// Until when it is good.
    pub expires_at: Timestamp,
    /// What its bearer sends: in the answer that made it, and never again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
}
