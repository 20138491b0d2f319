//! Sets a forgotten password anew, with a code that an administrator gave, and ends all sessions.

use crate::Function;
use api::{Handler, Problem, Request, password, throttle};
use store::rows::Allowance;
use store::{Environment, StoreError, Table};
use wire::account::ResetPassword;
use wire::answer::NoContent;

pub static FUNCTION: Function = Function::served_by::<AccountResetPassword>();

pub struct AccountResetPassword {
    table: Table,
    /// How often an hour anybody may try at one source, signing in included.
    per_source: u64,
}

impl Handler for AccountResetPassword {
    type Endpoint = ResetPassword;

    async fn new(environment: &Environment) -> Result<Self, StoreError> {
        Ok(Self {
            table: Table::from_env(environment)?,
            per_source: environment.number("SIGN_INS_PER_HOUR_AND_SOURCE")?,
        })
    }

    async fn answer(&self, request: Request<ResetPassword>) -> Result<NoContent, Problem<ResetPassword>> {
        let Request { body, source, .. } = request;
        throttle::spend(&self.table, Allowance::SignInsFrom(&source), self.per_source).await?;
        let invitation = self
            .table
            .invitations()
            .by_code(&body.code, self.table.now())
            .await?;
        let Some(invitation) = invitation else {
            return Err(Problem::invitation_invalid());
        };
        // The account itself is not looked at: a name that nobody has is one that the code is not for.
        let owner = invitation.password_of.as_ref();
        let owner = owner.filter(|owner| owner.username == body.username);
        let owner = owner.ok_or_else(Problem::invitation_invalid)?;
        let hash = password::hash(&body.password, &self.table.rng)?;
        self.table
            .invitations()
            .reset_password(&invitation, owner, &hash, &source, self.table.now())
            .await?;
        Ok(NoContent)
    }
}
