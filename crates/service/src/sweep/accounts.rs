//! Accounts that are being deleted.

use super::Sweep;
use crate::account::delete::delete_contents;
use crate::sweep::lane::Lane;
use crate::sweep::report::Done;
use jiff::SignedDuration;
use std::time::Duration;
use store::rows::AccountRow;
use store::table::{Key, Row};
use targets::ReplicaError;
use tokio::time::Instant;

/// How many are worked on at once.
const AT_ONCE: usize = 2;
/// How long one account is worked on in one sweep: others are waiting, too.
const FOR_ONE: Duration = Duration::from_secs(20);
/// When an account whose removal has to wait for something is due again.
const RETRY_AFTER: SignedDuration = SignedDuration::from_mins(1);

impl Sweep {
    /// Removes what deleted accounts have.
    pub(crate) async fn accounts(&self, lane: &Lane<'_>) {
        lane.each(AT_ONCE, async |key| self.account(key, lane.time.left()).await)
            .await;
    }

    async fn account(&self, key: &Key, time: Duration) -> Result<Done, ReplicaError> {
        let Some(account) = self.table().get::<AccountRow>(key).await? else {
            return Ok(Done::Nothing);
        };
        let began = Instant::now();
        let time = time.min(FOR_ONE);
        let go_on = || began.elapsed() < time;
        let cleared = delete_contents(self.table(), self.objects(), &account, self.table().now(), go_on);
        if cleared.await? {
            return Ok(Done::Closed);
        }
        self.table()
            .postpone(&account.key(), self.table().from_now(RETRY_AFTER))
            .await?;
        Ok(Done::Nothing)
    }
}
