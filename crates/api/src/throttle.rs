//! Refuses who tries too often.

use crate::problem::Code;
use crate::{Call, Problem, password};
use domain::account::Password;
use domain::throttle::{Source, until_next_hour};
use lambda_http::RequestExt;
use lambda_http::request::RequestContext;
use store::Table;
use store::rows::{AccountRow, Allowance, AttemptsRow, SessionRow, now};
use store::table::Key;

impl Call {
    /// Where it came from, as the gateway saw it: no header that a client can write counts.
    #[must_use]
    pub fn source(&self) -> Source {
        Source::of(match self.request().request_context_ref() {
            Some(RequestContext::ApiGatewayV1(context)) => context.identity.source_ip.as_deref(),
            _ => None,
        })
    }
}

/// Takes one of an allowance that has `limit` each hour.
///
/// # Errors
/// 429 when it is used up.
pub async fn spend(table: &Table, allowance: Allowance<'_>, limit: u64) -> Result<(), Problem> {
    let now = now();
    if table.throttle().spend(&allowance, 1, limit, now).await? {
        return Ok(());
    }
    Err(Problem::too_many_requests(until_next_hour(now)))
}

/// Counts an attempt at a password.
///
/// # Errors
/// 429 when it comes too early after others that were wrong.
pub async fn attempt(table: &Table, attempts: &Key) -> Result<(), Problem> {
    let counted = table.throttle().count_attempt(attempts, now()).await?;
    counted.map_err(Problem::too_many_requests)
}

/// Lets somebody who is signed in give his password once more. Any of these will do.
///
/// # Errors
/// 403 when it is another one, 429 when he was wrong too often.
pub async fn confirm_password(
    table: &Table,
    account: &AccountRow,
    session: &SessionRow,
    passwords: &[&Password],
) -> Result<(), Problem> {
    let attempts = AttemptsRow::of_session(session);
    for (index, password) in passwords.iter().enumerate() {
        // Each is a guess. When the first one was heard and the next comes too early, the answer is that to the first.
        match attempt(table, &attempts).await {
            Err(refused) if index > 0 && refused.code() == Code::TooManyRequests => break,
            counted => counted?,
        }
        if password::verify(password, Some(&account.password_hash)) {
            table.throttle().forget_attempts(attempts, now()).await?;
            return Ok(());
        }
    }
    Err(Problem::wrong_password())
}
