//! Account deletion: at once nobody can sign in, and its uploads and files go little by little, the same way as
//! when their owner gives them up. So quotas, references and replicas stay right at each moment, and a crash loses nothing.
//! The rest, which nothing outside of the account depends on, goes at the end.

use domain::time::saturating_add;
use domain::upload::{SweepAction, UploadEvent};
use jiff::{SignedDuration, Timestamp};
use store::rows::{AccountRow, NodeRow, UploadRow, account_partition};
use store::table::{Page, Row};
use store::uploads::TransitionError;
use store::versions::MOST_TOGETHER;
use store::{ErrorKind, Objects, StoreError, Table};

/// When the last request that came before is surely over.
const SETTLED: SignedDuration = SignedDuration::from_mins(5);
/// How many uploads, or files and folders, are read at a time.
const PAGE: u32 = 100;
/// How many rows are deleted between looks at the clock.
const AT_ONCE: usize = 250;

/// Removes what an account that is being deleted has, as far as it can be removed now and as long as `go_on` says so; at last the
/// account. Returns whether all of it is gone.
///
/// # Errors
/// [`StoreError`]; trying again goes on.
pub async fn delete_contents(
    table: &Table,
    objects: &Objects,
    account: &AccountRow,
    now: Timestamp,
    go_on: impl Fn() -> bool,
) -> Result<bool, StoreError> {
    let Some(deletion_started_at) = account.deletion_started_at else {
        return Ok(false);
    };
    // Once more afterwards, for uploads may have become files; and once before, for there may be more ended uploads than can
    // be read through in that time, as long as they stay.
    delete_all_files(table, account, now, &go_on).await?;
    let no_uploads = end_uploads(table, objects, account, now, &go_on).await?;
    let no_files = delete_all_files(table, account, now, &go_on).await?;
    // After the files: a late request may have made one a version.
    let no_versions = delete_all_versions(table, account, now, &go_on).await?;
    if !no_uploads || !no_files || !no_versions || now < saturating_add(deletion_started_at, SETTLED) {
        return Ok(false);
    }
    // Folders, names, sessions and what cannot be read: nothing outside of the partition depends on them.
    let rest = table.keys(&account_partition(&account.id)).await?;
    let (own, rest): (Vec<_>, Vec<_>) = rest.into_iter().partition(|key| *key == account.key());
    for some in rest.chunks(AT_ONCE) {
        if !go_on() {
            return Ok(false);
        }
        table.delete_all(some).await?;
    }
    table.delete_all(&own).await?;
    Ok(true)
}

/// Aborts uploads. Returns whether none is under way, and none has left anything at the store.
async fn end_uploads(
    table: &Table,
    objects: &Objects,
    account: &AccountRow,
    now: Timestamp,
    go_on: &impl Fn() -> bool,
) -> Result<bool, StoreError> {
    let (mut ended, mut after) = (true, None);
    let pk = account_partition(&account.id);
    loop {
        let page: Page<UploadRow> = table.page(&pk, UploadRow::PREFIX, after.as_deref(), PAGE).await?;
        for upload in page.rows {
            if !go_on() {
                return Ok(false);
            }
            // What is being finalized, and what ended uploads have left, is the sweep's already. What an unreadable one
            // left is nobody's when its row is gone, and the reconciler removes it.
            ended &= upload.due_at().is_none();
            if upload.state.sweep_action() != SweepAction::Expire {
                continue;
            }
            match table
                .uploads()
                .transition(&upload, UploadEvent::Abort, now, |_| (), vec![])
                .await
            {
                Ok(aborted) => table.uploads().discard(objects, &aborted, now).await?,
                Err(
                    TransitionError::Refused(_)
                    | TransitionError::Store(StoreError {
                        kind: ErrorKind::Conflict(_),
                        ..
                    }),
                ) => {}
                Err(TransitionError::Store(error)) => return Err(error),
            }
        }
        after = page.next;
        if after.is_none() {
            return Ok(ended);
        }
    }
}

/// Deletes versions of files. Returns whether there are none. What an unreadable one referred to stays, and the log says so.
async fn delete_all_versions(
    table: &Table,
    account: &AccountRow,
    now: Timestamp,
    go_on: &impl Fn() -> bool,
) -> Result<bool, StoreError> {
    let (mut none, mut after) = (true, None);
    loop {
        let page = table.versions().page(&account.id, after.as_deref(), PAGE).await?;
        for some in page.rows.chunks(MOST_TOGETHER) {
            if !go_on() {
                return Ok(false);
            }
            match table.versions().remove(some, now).await {
                Ok(()) => {}
                // Another sweep, or the last request, was at it.
                Err(error) if error.is_conflict() => none = false,
                Err(error) => return Err(error),
            }
        }
        after = page.next;
        if after.is_none() {
            return Ok(none);
        }
    }
}

/// Deletes files. Returns whether there are none. What an unreadable one referred to is released if that can
/// be read; otherwise the log says what stays, and the account goes all the same.
async fn delete_all_files(
    table: &Table,
    account: &AccountRow,
    now: Timestamp,
    go_on: &impl Fn() -> bool,
) -> Result<bool, StoreError> {
    let pk = account_partition(&account.id);
    let (mut none, mut after) = (true, None);
    loop {
        let page: Page<NodeRow> = table.page(&pk, NodeRow::PREFIX, after.as_deref(), PAGE).await?;
        let mut nodes = page.rows;
        nodes.extend(table.tree().remains_of(&account.id, &page.unreadable).await?);
        for node in nodes {
            let Some(file) = &node.file else { continue };
            if !go_on() {
                return Ok(false);
            }
            match table.tree().delete_file(&node, file, now).await {
                Ok(()) => {}
                // Another sweep, or the last request, was at it.
                Err(error) if error.is_conflict() => none = false,
                Err(error) => return Err(error),
            }
        }
        after = page.next;
        if after.is_none() {
            return Ok(none);
        }
    }
}
