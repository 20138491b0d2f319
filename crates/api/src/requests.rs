//! What clients send: the shapes of the API's bodies. Each field has a type that refuses what it cannot be, and says how it
//! looks like in the OpenAPI document; both come from here.

use domain::account::{Password, Username};
use domain::content::{ContentId, MAX_FILE_SIZE, MAX_PARTS, PartDigest};
use domain::id::NodeId;
use domain::invitation::Code;
use domain::media_type::MediaType;
use domain::name::Name;
use domain::placement::OnConflict;
use domain::possession::Proof;
use domain::token::{MOST_DAYS, Scopes, TokenName};
use schemars::JsonSchema;
use serde::Deserialize;

/// Most parts that one request may name.
pub const MAX_BATCH: usize = 1000;

/// A username and its password.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Credentials {
    /// What the account is called.
    pub username: Username,
    /// Its password.
    pub password: Password,
}

/// An account that is wanted.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewAccount {
    /// What it shall be called.
    pub username: Username,
    /// Its password.
    pub password: Password,
    /// The code of an invitation, which an administrator gives. Needed where signing up is closed.
    pub invitation: Option<Code>,
}

/// A password that is forgotten, and the next one.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ResetPassword {
    /// What the account is called.
    pub username: Username,
    /// The code that an administrator gave for it.
    pub code: Code,
    /// The password from now on.
    pub password: Password,
}

/// The password, once more.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ConfirmPassword {
    /// The account's password.
    pub current_password: Password,
}

/// Another password.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangePassword {
    /// The account's password until now.
    pub current_password: Password,
    /// The one from now on.
    pub new_password: Password,
}

/// A refresh token to be exchanged.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Refresh {
    /// What was given with the last access token.
    pub refresh_token: String,
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

/// An upload that is wanted.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewUpload {
    /// What the file shall be called.
    pub name: Name,
    /// The folder that it shall be in; the root if there is none.
    pub parent: Option<NodeId>,
    /// How many bytes it has.
    #[schemars(range(max = MAX_FILE_SIZE))]
    pub size: u64,
    /// Its media type, as downloads shall say it.
    pub content_type: Option<MediaType>,
    /// What its bytes are, if that is known already: they may not have to be sent then.
    pub content_id: Option<ContentId>,
    /// What to do when the name is taken.
    #[serde(default)]
    pub on_conflict: OnConflict,
}

/// An answer to a challenge.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Answer {
    /// HMAC-SHA256 with the nonce as key over the bytes of all ranges in their order, in base64.
    pub proof: Proof,
}

/// Parts that are to be sent.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PartsToSign {
    /// Each part once.
    #[schemars(length(min = 1, max = MAX_BATCH))]
    pub parts: Vec<PartToSign>,
}

/// A part that is to be sent.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PartToSign {
    /// Which one, from 1.
    #[schemars(range(min = 1, max = MAX_PARTS))]
    pub number: u32,
    /// What its bytes are: no others can be sent.
    pub sha256: PartDigest,
}

/// A folder that is wanted.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewFolder {
    /// What it shall be called.
    pub name: Name,
    /// The folder that it shall be in; the root if there is none.
    pub parent: Option<NodeId>,
    /// What to do when the name is taken. A folder replaces nothing.
    #[serde(default)]
    #[schemars(extend("enum" = ["fail", "rename"]))]
    pub on_conflict: OnConflict,
}
