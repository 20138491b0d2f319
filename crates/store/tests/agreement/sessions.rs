//! Sessions: two who have read the same rows, and each writes. Whatever the first one did counts; the second one is told
//! when what it has read is not so any more, and a session that should go on does.

use crate::all;
use crate::stack::{new_id, now, table};
use domain::account::Username;
use domain::id::AccountId;
use domain::session::Refreshing;
use domain::throttle::Source;
use domain::token::{Scope, SecretHash};
use jiff::Timestamp;
use store::rows::{AccountRow, SessionRow, TokenRow, UsernameRow};
use store::{Conflict, ErrorKind, StoreError, Table};

/// What a function does that has read the account and its session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Deed {
    Begin,
    Refresh,
    ChangePassword,
    SignOut,
    SignOutEverywhere,
    Close,
    MakeToken,
}
use Deed::{Begin, ChangePassword, Close, MakeToken, Refresh, SignOut, SignOutEverywhere};

const DEEDS: [Deed; 7] = [
    Begin,
    Refresh,
    ChangePassword,
    SignOut,
    SignOutEverywhere,
    Close,
    MakeToken,
];

/// What the second one is told when the first one was faster.
fn told(first: Deed, second: Deed) -> Option<Conflict> {
    let account = Some(Conflict::AccountChanged);
    let session = Some(Conflict::SessionChanged);
    match (first, second) {
        (ChangePassword | SignOutEverywhere | Close, Begin | ChangePassword | MakeToken)
        | (ChangePassword | Close, Close) => account,
        (Refresh | SignOut | ChangePassword, Refresh) | (SignOut, ChangePassword | MakeToken) => session,
        // Above all, nothing is said against beginning, and nobody is hindered by it.
        _ => None,
    }
}

/// Whether the session that was read goes on after both.
fn goes_on(first: Deed, second: Deed) -> bool {
    // Who knows only the old password cannot delete the account.
    if (first, second) == (ChangePassword, Close) {
        return true;
    }
    ![first, second]
        .iter()
        .any(|deed| matches!(deed, SignOut | SignOutEverywhere | Close))
}

struct Scene {
    account: AccountRow,
    session: SessionRow,
}

fn session_of(account: &AccountRow, secret: &str) -> SessionRow {
    SessionRow {
        account: account.id.clone(),
        id: new_id(),
        sign_outs: account.sign_outs,
        client: None,
        refreshing: Refreshing::new(SecretHash::of(secret.as_bytes()), now()),
    }
}

impl Scene {
    async fn new(table: &Table) -> Result<Self, StoreError> {
        let id: AccountId = new_id();
        let username: Username = format!("sessions-{id}").try_into().unwrap();
        let account = AccountRow {
            id,
            username,
            password_hash: "the first".to_owned(),
            quota_bytes: 0,
            free_bytes: 0,
            version_bytes: 0,
            trash_bytes: 0,
            role: domain::account::Role::User,
            sign_outs: 0,
            deletion_started_at: None,
            created_at: now(),
        };
        table.accounts().create(&account, &Source::of(None), None).await?;
        let session = session_of(&account, "first");
        table
            .sessions()
            .begin(&account, &session, &Source::of(None), now())
            .await?;
        Ok(Self { account, session })
    }

    async fn perform(&self, table: &Table, deed: Deed) -> Result<(), StoreError> {
        let Self { account, session } = self;
        match deed {
            Begin => {
                let another = session_of(account, "another");
                table
                    .sessions()
                    .begin(account, &another, &Source::of(None), now())
                    .await
            }
            Refresh => {
                let next = Refreshing {
                    current: SecretHash::of(b"next"),
                    earlier: Some(session.refreshing.current.clone()),
                    ..session.refreshing.clone()
                };
                table.sessions().refresh(session, &next).await
            }
            ChangePassword => {
                table
                    .sessions()
                    .change_password(account, session, "another")
                    .await
            }
            SignOut => table.sessions().end(&account.id, &session.id).await,
            SignOutEverywhere => table.sessions().end_all(&account.id).await,
            Close => table.accounts().begin_deletion(account, now()).await,
            MakeToken => {
                let token = TokenRow {
                    account: account.id.clone(),
                    id: new_id(),
                    name: "a test's".to_owned().try_into().unwrap(),
                    scopes: [Scope::Read].into(),
                    hash: SecretHash::of(b"token"),
                    created_at: now(),
                    expires_at: Timestamp::MAX,
                };
                table.tokens().create(account, session, &token).await
            }
        }
    }

    async fn remove(&self, table: &Table) -> Result<(), StoreError> {
        let pk = store::rows::account_partition(&self.account.id);
        let mut keys = table.keys(&pk).await?;
        keys.push(UsernameRow::key_of(&self.account.username));
        table.delete_all(&keys).await
    }
}

async fn both(table: &Table, first: Deed, second: Deed) -> Result<(), String> {
    let case = async {
        let scene = Scene::new(table).await?;
        scene.perform(table, first).await?;
        let said = match scene.perform(table, second).await {
            Ok(()) => None,
            Err(StoreError {
                kind: ErrorKind::Conflict(conflict),
                ..
            }) => Some(conflict),
            Err(error) => return Err(error),
        };
        let found = table
            .sessions()
            .get(&scene.account.id, &scene.session.id, now())
            .await?;
        scene.remove(table).await?;
        Ok((said, found.is_some()))
    };
    let expected = (told(first, second), goes_on(first, second));
    match case.await {
        Ok(got) if got == expected => Ok(()),
        Ok(got) => Err(format!(
            "{first:?}, {second:?}: {got:?}, expected was {expected:?}"
        )),
        Err(error) => Err(format!("{first:?}, {second:?}: {error}")),
    }
}

#[tokio::test]
async fn whoever_comes_second_does_not_undo_what_the_first_did() {
    let table = &table().await;
    let pairs = DEEDS
        .into_iter()
        .flat_map(|first| DEEDS.map(|second| both(table, first, second)));
    all(pairs.collect(), 49).await;
}
