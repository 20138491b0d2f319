//! Refuses who tries too often.

use crate::{Problem, password};
use domain::account::Password;
use domain::throttle::until_next_hour;
use store::Table;
use store::rows::{AccountRow, Allowance, AttemptsRow, SessionRow};
use store::table::Key;
use wire::{Code, Declares, code};

/// Takes one of an allowance that has `limit` each hour.
///
/// # Errors
/// 429 when it is used up.
pub async fn spend<E: Declares<code::TooManyRequests>>(
    table: &Table,
    allowance: Allowance<'_>,
    limit: u64,
) -> Result<(), Problem<E>> {
    let now = table.now();
    if table.throttle().spend(&allowance, 1, limit, now).await? {
        return Ok(());
    }
    Err(Problem::too_many_requests(until_next_hour(now)))
}

/// Counts an attempt at a password.
///
/// # Errors
/// 429 when it comes too early after others that were wrong.
pub async fn attempt<E: Declares<code::TooManyRequests>>(
    table: &Table,
    attempts: &Key,
) -> Result<(), Problem<E>> {
    let counted = table.throttle().count_attempt(attempts, table.now()).await?;
    counted.map_err(Problem::too_many_requests)
}

/// Lets somebody who is signed in give their password once more. Any of these will do.
///
/// # Errors
/// 403 when it is another one, 429 when they were wrong too often.
pub async fn confirm_password<E: Declares<code::TooManyRequests> + Declares<code::WrongPassword>>(
    table: &Table,
    account: &AccountRow,
    session: &SessionRow,
    passwords: &[&Password],
) -> Result<(), Problem<E>> {
    let attempts = AttemptsRow::of_session(session);
    for (index, password) in passwords.iter().enumerate() {
        // Each is a guess. When the first one was heard and the next comes too early, the answer is that to the first.
        match attempt::<E>(table, &attempts).await {
            Err(refused) if index > 0 && refused.code() == Code::TooManyRequests => break,
            counted => counted?,
        }
        if password::verify(password, Some(&account.password_hash)) {
            table.throttle().forget_attempts(attempts, table.now()).await?;
            return Ok(());
        }
    }
    // Not a 401: the token is good.
    let detail = "\"current_password\" is not the account's password";
    Err(Problem::new(code::WrongPassword, detail))
}
