//! What has been in the trash for long enough, is to be removed at once, or is to be counted; and versions of files that are too old,
//! or too many.

use super::Sweep;
use crate::sweep::lane::Lane;
use crate::sweep::report::Done;
use crate::trash::count::Count;
use crate::trash::purge::Purge;
use futures::{TryStreamExt, stream};
use std::sync::atomic::{AtomicBool, Ordering};
use store::rows::{EmptiedRow, TrashRow, VersionRow, account_partition};
use store::table::{Key, Page, Row};
use targets::ReplicaError;

/// How many are worked on at once.
const AT_ONCE: usize = 4;
/// How many of an emptied trash are read at a time, and how many of them are marked at once.
const PAGE: u32 = 500;
const MARKED_AT_ONCE: usize = 16;

impl Sweep {
    /// Removes or counts what is due in the trash.
    pub(crate) async fn trash(&self, lane: &Lane<'_>) {
        let is_emptied = |key: &Key| key.sk == EmptiedRow::SK;
        let any_emptied = AtomicBool::new(false);
        let due = async |key: &Key| {
            any_emptied.fetch_or(is_emptied(key), Ordering::Relaxed);
            self.due_in_trash(lane, key).await
        };
        lane.each(AT_ONCE, due).await;
        // What was in those is due now.
        if any_emptied.load(Ordering::Relaxed) {
            lane.each(AT_ONCE, due).await;
        }
    }

    async fn due_in_trash(&self, lane: &Lane<'_>, key: &Key) -> Result<Done, ReplicaError> {
        let go_on = lane.time_for_one();
        let done = if key.sk.starts_with(VersionRow::PREFIX) {
            Some(self.version(key).await?)
        } else if key.sk.starts_with(TrashRow::PREFIX) {
            self.one(key, go_on).await?
        } else {
            self.emptied(key, go_on).await?
        };
        if done.is_none() {
            lane.come_back(key).await?;
        }
        Ok(done.unwrap_or(Done::Nothing))
    }

    /// A version of a file.
    async fn version(&self, key: &Key) -> Result<Done, ReplicaError> {
        let (table, now) = (self.table(), self.table().now());
        let version = table.get::<VersionRow>(key).await?;
        let Some(version) = version.filter(|version| !version.is_there(now)) else {
            return Ok(Done::Nothing);
        };
        match table.versions().remove(&[version], now).await {
            Ok(()) => Ok(Done::VersionEnded),
            // It was restored, kept or removed just then.
            Err(error) if error.is_conflict() => Ok(Done::Nothing),
            Err(error) => Err(error.into()),
        }
    }

    /// One thing. Nothing means that there is more to do.
    async fn one(&self, key: &Key, go_on: impl Fn() -> bool) -> Result<Option<Done>, ReplicaError> {
        let Some(row) = self.table().get::<TrashRow>(key).await? else {
            return Ok(Some(Done::Nothing));
        };
        let table = self.table();
        if row.purging || row.expires_at <= table.now() {
            let trash_days = self.trash_days;
            let purge = Purge {
                table,
                trash_days,
                go_on,
            };
            return Ok(purge.run(&row).await?.then_some(Done::Purged));
        }
        // The index follows the table after a moment: it may be counted.
        if row.bytes.is_some() {
            return Ok(Some(Done::Nothing));
        }
        let count = Count { table, go_on };
        Ok(count.run(&row).await?.then_some(Done::Counted))
    }

    /// All that was in a trash when it was emptied is due by itself.
    async fn emptied(&self, key: &Key, go_on: impl Fn() -> bool) -> Result<Option<Done>, ReplicaError> {
        let (table, trash) = (self.table(), self.table().trash());
        let Some(emptied) = table.get::<EmptiedRow>(key).await? else {
            return Ok(Some(Done::Nothing));
        };
        let pk = account_partition(&emptied.account);
        let mut after = None;
        loop {
            if !go_on() {
                return Ok(None);
            }
            let page: Page<TrashRow> = table.page(&pk, TrashRow::PREFIX, after.as_deref(), PAGE).await?;
            let unmarked = page.rows.iter().filter(|row| !row.purging).map(Row::key);
            // What cannot be read fails by itself then, and keeps nothing else in the trash.
            let keys = unmarked.chain(page.unreadable);
            let dated = keys.filter_map(|key| Some((TrashRow::moment_of(&key)?, key)));
            let due = dated.filter(|(moment, _)| emptied.has(*moment));
            stream::iter(due.map(Ok))
                .try_for_each_concurrent(MARKED_AT_ONCE, async |(moment, key)| {
                    trash.purge(&key, moment).await.map(drop)
                })
                .await?;
            let all_seen = page.rows.last().is_some_and(|row| !emptied.has(row.trashed_at));
            after = page.next.filter(|_| !all_seen);
            if after.is_none() {
                break;
            }
        }
        match trash.forget_emptied(&emptied).await {
            Ok(()) => Ok(Some(Done::Purged)),
            Err(error) if error.is_conflict() => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}
