//! Accounts that are being deleted.

use super::Sweep;
use crate::account::delete::delete_contents;
use crate::sweep::lane::Lane;
use crate::sweep::report::Done;
use store::rows::AccountRow;
use store::table::Key;
use targets::ReplicaError;

/// How many are worked on at once.
const AT_ONCE: usize = 2;

impl Sweep {
    /// Removes what deleted accounts have.
    pub(crate) async fn accounts(&self, lane: &Lane<'_>) {
        lane.each(AT_ONCE, async |key| self.account(lane, key).await)
            .await;
    }

    async fn account(&self, lane: &Lane<'_>, key: &Key) -> Result<Done, ReplicaError> {
        let Some(account) = self.table().get::<AccountRow>(key).await? else {
            return Ok(Done::Nothing);
        };
        let (now, go_on) = (self.table().now(), lane.time_for_one());
        let cleared = delete_contents(self.table(), self.objects(), &account, now, go_on);
        if cleared.await? {
            return Ok(Done::Closed);
        }
        lane.come_back(key).await?;
        Ok(Done::Nothing)
    }
}
