//! Accounts.

use crate::answer::{Created, NoContent};
use crate::body::Json;
use crate::declaration::Declaration;
use domain::account::{Password, Role, Used, Username};
use domain::id::AccountId;
use domain::invitation::Code;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The endpoints, in the order in which documents have them.
pub(crate) const ENDPOINTS: &[Declaration] = &[
    Declaration::of::<Create>(),
    Declaration::of::<ResetPassword>(),
    Declaration::of::<Get>(),
    Declaration::of::<Delete>(),
    Declaration::of::<SetPassword>(),
];

endpoint! {
    /// Makes an account
    Create: "account-create", POST "/v1/accounts", createAccount;
    caller: Anybody,
    body: Json<NewAccount>,
    answer: Created<Account> = "The account",
    problems: [UsernameTaken, InvitationRequired, InvitationInvalid],
}

endpoint! {
    /// Sets a forgotten password anew with a code that an administrator gave, and ends all sessions
    ResetPassword: "account-reset-password", POST "/v1/accounts/password", resetPassword;
    caller: Anybody,
    body: Json<PasswordReset>,
    answer: NoContent = "It is done",
    problems: [InvitationInvalid],
}

endpoint! {
    /// Shows one's account
    Get: "account-get", GET "/v1/account", getAccount;
    caller: Scope(Read),
    answer: Json<Account> = "The account",
    problems: [],
}

endpoint! {
    /// Deletes one's account
    Delete: "account-delete", DELETE "/v1/account", deleteAccount;
    caller: Session,
    body: Json<ConfirmPassword>,
    answer: NoContent = "It is done",
    problems: [WrongPassword, ChangedMeanwhile],
}

endpoint! {
    /// Changes the password and ends the other sessions
    SetPassword: "account-set-password", PUT "/v1/account/password", changePassword;
    caller: Session,
    body: Json<ChangePassword>,
    answer: NoContent = "It is done",
    problems: [WrongPassword, ChangedMeanwhile],
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
#[schemars(rename = "ResetPassword")]
#[serde(deny_unknown_fields)]
pub struct PasswordReset {
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

/// An account, and what it uses.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Account {
    /// What it is.
    #[serde(flatten)]
    pub summary: Summary,
    /// What has the bytes that it has: all together are `used_bytes`.
    pub used: Used,
}

/// An account.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Summary {
    /// Which one.
    pub id: AccountId,
    /// The name to sign in with.
    pub username: Username,
    /// How many bytes it may have.
    pub quota_bytes: u64,
    /// How many bytes it has, those of open uploads included.
    pub used_bytes: u64,
    /// What it may do.
    pub role: Role,
    /// When it was made.
    pub created_at: Timestamp,
}
