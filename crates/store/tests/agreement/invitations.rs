//! Invitations: what the table lets be done with each, in whatever state it is by the time of the write, and with one that
//! many use at once.

use crate::stack::{new_id, now, table};
use crate::{Item, all};
use domain::account::Username;
use domain::id::AccountId;
use domain::invitation::Code;
use domain::throttle::Source;
use futures::future::join_all;
use jiff::{SignedDuration, Timestamp};
use store::rows::{AccountRow, InvitationRow, Owner, UsernameRow};
use store::table::{Row, Write};
use store::{Conflict, ErrorKind, StoreError, Table};

/// What has become of an invitation since it was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Good,
    Used,
    /// And the table has not deleted it yet.
    Ended,
    Gone,
}

const STATES: [State; 4] = [State::Good, State::Used, State::Ended, State::Gone];

/// What is done with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Deed {
    SignUp,
    /// With a name that somebody has.
    SignUpAsAnother,
    ResetPassword,
    /// Of an account that is being deleted.
    ResetPasswordOfNobody,
    Revoke,
}

const DEEDS: [Deed; 5] = [
    Deed::SignUp,
    Deed::SignUpAsAnother,
    Deed::ResetPassword,
    Deed::ResetPasswordOfNobody,
    Deed::Revoke,
];

/// What it comes to: first of all whether there is an invitation.
fn expected(state: State, deed: Deed) -> Option<Conflict> {
    match (state, deed) {
        // One that has ended can go.
        (State::Ended, Deed::Revoke) => None,
        (State::Used | State::Ended | State::Gone, _) | (_, Deed::ResetPasswordOfNobody) => {
            Some(Conflict::InvitationGone)
        }
        (State::Good, Deed::SignUpAsAnother) => Some(Conflict::UsernameTaken),
        (State::Good, _) => None,
    }
}

fn account() -> AccountRow {
    let id: AccountId = new_id();
    AccountRow {
        username: Username::try_from(format!("invited-{id}")).unwrap(),
        id,
        password_hash: "the first".to_owned(),
        quota_bytes: 0,
        free_bytes: 0,
        version_bytes: 0,
        trash_bytes: 0,
        role: domain::account::Role::User,
        sign_outs: 0,
        deletion_started_at: None,
        created_at: now(),
    }
}

fn invitation() -> InvitationRow {
    let id: AccountId = new_id();
    InvitationRow {
        id: Code::try_from(id.to_string()).unwrap().id(),
        note: None,
        quota_bytes: None,
        password_of: None,
        created_at: now(),
        expires_at: Timestamp::from_second(now().as_second() + 600).unwrap(),
        used_at: None,
        used_by: None,
    }
}

async fn put<R: Row>(table: &Table, row: &R) -> Result<(), StoreError> {
    let write = Write::put_unconditional(row, Conflict::NodeChanged)?;
    table.transact(vec![write]).await
}

async fn remove(
    table: &Table,
    invitation: &InvitationRow,
    accounts: &[&AccountRow],
) -> Result<(), StoreError> {
    let mut keys = vec![invitation.key()];
    for account in accounts {
        keys.extend(table.keys(&store::rows::account_partition(&account.id)).await?);
        let username = UsernameRow::key_of(&account.username);
        if !keys.contains(&username) {
            keys.push(username);
        }
    }
    table.delete_all(&keys).await
}

async fn case(table: &Table, state: State, deed: Deed) -> Result<(), String> {
    let (read, mut there, source) = (invitation(), account(), Source::of(None));
    let mut new = account();
    let outcome = async {
        table.accounts().create(&there, &source, None).await?;
        if deed == Deed::ResetPasswordOfNobody {
            table.accounts().begin_deletion(&there, now()).await?;
            there = table.accounts().get(&there.id).await?.unwrap();
        }
        let then = match state {
            State::Good => Some(read.clone()),
            State::Used => Some(InvitationRow {
                used_at: Some(now()),
                ..read.clone()
            }),
            State::Ended => {
                let expires_at = now() - SignedDuration::from_secs(5);
                Some(InvitationRow {
                    expires_at,
                    ..read.clone()
                })
            }
            State::Gone => None,
        };
        if let Some(then) = &then {
            put(table, then).await?;
        }
        let owner = Owner {
            account: there.id.clone(),
            username: there.username.clone(),
        };
        let done = match deed {
            Deed::SignUp => table.accounts().create(&new, &source, Some(&read)).await,
            Deed::SignUpAsAnother => {
                new.username = there.username.clone();
                table.accounts().create(&new, &source, Some(&read)).await
            }
            Deed::ResetPassword | Deed::ResetPasswordOfNobody => {
                table
                    .invitations()
                    .reset_password(&read, &owner, "the next", &source, now())
                    .await
            }
            Deed::Revoke => table.invitations().revoke(&read.id).await,
        };
        let conflict = match done {
            Ok(()) => None,
            Err(StoreError {
                kind: ErrorKind::Conflict(conflict),
                ..
            }) => Some(conflict),
            Err(error) => return Err(error),
        };
        let invitation = table.invitations().get(&read.id).await?;
        let made = table.accounts().get(&new.id).await?;
        let known = table.accounts().get(&there.id).await?.unwrap();
        Ok((conflict, then, invitation, made, known))
    };
    let outcome = outcome.await;
    remove(table, &read, &[&there, &new])
        .await
        .map_err(|error| error.to_string())?;
    let (conflict, then, invitation, made, known) =
        outcome.map_err(|error| format!("{state:?}, {deed:?}: {error}"))?;
    let done = expected(state, deed).is_none();
    let used = invitation.as_ref().is_some_and(|row| row.used_at.is_some());
    let by = invitation.as_ref().and_then(|row| row.used_by.clone());
    let password = (known.password_hash.as_str(), known.sign_outs);
    let fits = conflict == expected(state, deed)
        && made.is_some() == (done && deed == Deed::SignUp)
        && by == made.map(|account| account.username)
        && password
            == if done && deed == Deed::ResetPassword {
                ("the next", 1)
            } else {
                ("the first", 0)
            }
        && if done && deed == Deed::Revoke {
            invitation.is_none()
        } else {
            invitation.is_some() == then.is_some() && used == (done || state == State::Used)
        };
    if fits {
        return Ok(());
    }
    Err(format!(
        "{state:?}, {deed:?}: {conflict:?}, {invitation:?}, {known:?}"
    ))
}

#[tokio::test]
async fn an_invitation_is_used_as_its_state_allows() {
    let table = &table().await;
    let cases = STATES
        .into_iter()
        .flat_map(|state| DEEDS.map(|deed| case(table, state, deed)));
    all(cases.collect(), 20).await;
}

/// One that cannot be read hides no other, and can be taken back.
#[tokio::test]
async fn an_invitation_that_cannot_be_read_hides_no_other() {
    let table = &table().await;
    let (broken, good) = (invitation(), invitation());
    for row in [&broken, &good] {
        table.invitations().create(row).await.unwrap();
    }
    let mut item: Item = table.get(&broken.key()).await.unwrap().unwrap();
    item.0
        .insert("expires_at".to_owned(), serde_json::json!({ "odd": true }));
    put(table, &item).await.unwrap();
    let (mut readable, mut unreadable, mut after) = (Vec::new(), Vec::new(), None);
    loop {
        let page = table.invitations().page(after.as_ref(), 1000).await.unwrap();
        readable.extend(page.rows.into_iter().map(|row| row.id));
        unreadable.extend(page.unreadable);
        match page.next {
            Some(next) => after = Some(next.parse().unwrap()),
            None => break,
        }
    }
    let revoked = table.invitations().revoke(&broken.id).await;
    remove(table, &good, &[]).await.unwrap();
    revoked.unwrap();
    assert!(readable.contains(&good.id) && !readable.contains(&broken.id));
    assert!(unreadable.contains(&broken.key()));
}

/// Twenty at once: one account, and nothing is left of the others.
#[tokio::test]
async fn one_invitation_makes_one_account() {
    let table = &table().await;
    let invitation = &invitation();
    table.invitations().create(invitation).await.unwrap();
    let accounts: Vec<AccountRow> = (0..20).map(|_| account()).collect();
    let made = accounts.iter().map(async |account| {
        loop {
            match table
                .accounts()
                .create(account, &Source::of(None), Some(invitation))
                .await
            {
                Ok(()) => return true,
                Err(error) if error.conflict() == Some(Conflict::InvitationGone) => return false,
                // Too many at the very same row.
                Err(error) if error.is_transient() => {}
                Err(error) => panic!("{error}"),
            }
        }
    });
    let made = join_all(made).await;
    let mut there = Vec::new();
    for account in &accounts {
        let row = table.accounts().by_username(&account.username).await.unwrap();
        there.push(row.is_some_and(|row| row.id == account.id));
    }
    let used_by = table
        .invitations()
        .get(&invitation.id)
        .await
        .unwrap()
        .unwrap()
        .used_by;
    let all: Vec<&AccountRow> = accounts.iter().collect();
    remove(table, invitation, &all).await.unwrap();
    assert_eq!(made, there);
    let winners: Vec<_> = accounts.iter().zip(&made).filter(|(_, made)| **made).collect();
    assert_eq!(winners.len(), 1, "{made:?}");
    assert_eq!(used_by.as_ref(), Some(&winners[0].0.username));
}
