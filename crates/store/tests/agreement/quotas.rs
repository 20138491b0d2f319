//! Quotas: the write of `quota`, which does not read, and `set_quota`, which reads the old limit.

use crate::stack::{new_id, table};
use crate::{Item, all, compare, put};
use domain::account::{MAX_QUOTA, Quota, QuotaEvent, Username};
use domain::id::AccountId;
use futures::future::join_all;
use serde_json::json;
use store::accounts::quota;
use store::rows::{AccountRow, UsernameRow};
use store::{Conflict, ErrorKind, StoreError, Table};

/// All quotas with a small limit, exceeded ones among them.
fn quotas() -> Vec<Quota> {
    let of = |limit: u64| (-2..=i64::try_from(limit).unwrap()).map(move |free| Quota { limit, free });
    (0..=3).flat_map(of).collect()
}

/// All that can happen with a few bytes, but for another limit.
fn events() -> Vec<QuotaEvent> {
    let takes = (0..=4).flat_map(|take| (0..=4).map(move |give| QuotaEvent::Take { take, give }));
    takes.chain((0..=4).map(QuotaEvent::Give)).collect()
}

/// An account that nobody else has.
struct Account {
    id: AccountId,
    username: Username,
}

impl Account {
    fn new() -> Self {
        let id: AccountId = new_id();
        let username = format!("agreement-{id}").try_into().unwrap();
        Self { id, username }
    }

    fn item(&self, quota: Quota) -> Item {
        let attributes = json!({
            "id": self.id,
            "username": self.username,
            "password_hash": "nobody signs in",
            "quota_bytes": quota.limit,
            "free_bytes": quota.free,
            "created_at": "2026-01-02T03:04:05Z",
        });
        Item::new(&AccountRow::key_of(&self.id), attributes)
    }

    async fn put(&self, table: &Table, quota: Quota) -> Result<(), String> {
        let username = json!({ "username": self.username, "account": self.id });
        let username = Item::new(&UsernameRow::key_of(&self.username), username);
        let put = put(table, &[&self.item(quota), &username]).await;
        put.map_err(|error| error.to_string())
    }

    async fn remove(&self, table: &Table) -> Result<(), String> {
        let keys = [AccountRow::key_of(&self.id), UsernameRow::key_of(&self.username)];
        table.delete_all(&keys).await.map_err(|error| error.to_string())
    }
}

async fn write_without_reading(table: &Table, before: Quota, event: QuotaEvent) -> Result<(), String> {
    let account = Account::new();
    let case = async {
        account.put(table, before).await?;
        let written = table.transact(vec![quota(&account.id, event).unwrap()]).await;
        let after = match (written, before.step(event)) {
            (Ok(()), Ok(next)) => next,
            (
                Err(StoreError {
                    kind: ErrorKind::Conflict(Conflict::QuotaExceeded),
                    ..
                }),
                Err(_),
            ) => before,
            (written, rule) => return Err(format!("the write gave {written:?}, the rule {rule:?}")),
        };
        compare(
            table,
            &AccountRow::key_of(&account.id),
            Some(&account.item(after)),
        )
        .await
    };
    let outcome = case.await;
    account.remove(table).await?;
    outcome.map_err(|error| format!("{event:?} on {before:?}: {error}"))
}

#[tokio::test]
async fn bytes_are_taken_and_given_as_the_rule_says() {
    let table = &table().await;
    let mut cases = Vec::new();
    for quota in quotas() {
        cases.extend(
            events()
                .into_iter()
                .map(|event| write_without_reading(table, quota, event)),
        );
    }
    all(cases, 540).await;
}

async fn limited(table: &Table, before: Quota, limit: u64) -> Result<(), String> {
    let account = Account::new();
    let case = async {
        account.put(table, before).await?;
        let set = table.accounts().set_quota(&account.username, limit).await;
        let after = match (set, before.step(QuotaEvent::Limit(limit))) {
            (Ok(Some(row)), Ok(next)) if row.quota() == next => next,
            (
                Err(StoreError {
                    kind: ErrorKind::Conflict(Conflict::QuotaExceeded),
                    ..
                }),
                Err(_),
            ) => before,
            (set, rule) => return Err(format!("it gave {set:?}, the rule {rule:?}")),
        };
        compare(
            table,
            &AccountRow::key_of(&account.id),
            Some(&account.item(after)),
        )
        .await
    };
    let outcome = case.await;
    account.remove(table).await?;
    outcome.map_err(|error| format!("the limit {limit} on {before:?}: {error}"))
}

#[tokio::test]
async fn a_limit_is_set_as_the_rule_says() {
    let table = &table().await;
    let mut cases = Vec::new();
    for quota in quotas() {
        let limits = (0..=4).chain([MAX_QUOTA, MAX_QUOTA + 1]);
        cases.extend(limits.map(|limit| limited(table, quota, limit)));
    }
    all(cases, 126).await;
}

#[tokio::test]
async fn an_account_that_is_not_there_does_not_come_into_being() {
    let table = table().await;
    let account = Account::new();
    for event in events() {
        let written = table.transact(vec![quota(&account.id, event).unwrap()]).await;
        assert!(
            matches!(
                written,
                Err(StoreError {
                    kind: ErrorKind::Conflict(_),
                    ..
                })
            ),
            "{event:?}: {written:?}"
        );
        compare(&table, &AccountRow::key_of(&account.id), None)
            .await
            .unwrap();
    }
    assert!(
        table
            .accounts()
            .set_quota(&account.username, 5)
            .await
            .unwrap()
            .is_none()
    );
}

// What is used is never forgotten, whichever of many limits comes last.
#[tokio::test]
async fn limits_that_are_set_while_bytes_are_taken_lose_none_of_them() {
    let table = &table().await;
    let (account, start) = (&Account::new(), Quota { limit: 20, free: 20 });
    account.put(table, start).await.unwrap();
    let takes = (0..20).map(async |_| {
        let event = QuotaEvent::Take { take: 1, give: 0 };
        table
            .transact(vec![quota(&account.id, event).unwrap()])
            .await
            .is_ok()
    });
    let limits = (0..5).map(|limit| table.accounts().set_quota(&account.username, limit * 5));
    let (taken, set) = tokio::join!(join_all(takes), join_all(limits));
    let row = table.accounts().get(&account.id).await.unwrap().unwrap();
    account.remove(table).await.unwrap();
    let taken = taken.into_iter().filter(|taken| *taken).count();
    assert_eq!(row.quota().used(), taken as u64, "{row:?}");
    assert!(taken > 0, "nothing was taken");
    assert!(set.iter().any(Result::is_ok), "no limit was set: {set:?}");
}
