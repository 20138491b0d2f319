//! Sets a forgotten password anew, with a code that an administrator gave, and ends all sessions.

use api::requests::ResetPassword;
use api::{Call, Endpoint, Problem, Reply, password, throttle};
use store::config::number;
use store::rows::{Allowance, now};
use store::{Aws, StoreError, Table};

pub struct AccountResetPassword {
    table: Table,
    /// How often an hour anybody may try at one source, signing in included.
    per_source: u64,
}

impl Endpoint for AccountResetPassword {
    async fn from_env() -> Result<Self, StoreError> {
        let aws = Aws::from_env().await;
        Ok(Self {
            table: Table::from_env(&aws)?,
            per_source: number("SIGN_INS_PER_HOUR_AND_SOURCE")?,
        })
    }

    async fn answer(&self, call: Call) -> Result<Reply, Problem> {
        let body: ResetPassword = call.json()?;
        let source = call.source();
        throttle::spend(&self.table, Allowance::SignInsFrom(&source), self.per_source).await?;
        let invitation = self.table.invitations().by_code(&body.code, now()).await?;
        let Some(invitation) = invitation else {
            return Err(Problem::invitation_invalid());
        };
        // The account itself is not looked at: a name that nobody has is one that the code is not for.
        let owner = invitation.password_of.as_ref();
        let owner = owner.filter(|owner| owner.username == body.username);
        let owner = owner.ok_or_else(Problem::invitation_invalid)?;
        let hash = password::hash(&body.password)?;
        self.table
            .invitations()
            .reset_password(&invitation, owner, &hash, &source, now())
            .await?;
        Ok(Reply::no_content())
    }
}
