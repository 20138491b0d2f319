//! Signs in: begins a session.

use crate::Function;
use api::{Auth, Handler, Problem, Request, password, throttle};
use store::rows::{Allowance, AttemptsRow};
use store::{Environment, StoreError, Table};
use wire::answer::Created;
use wire::session::{Create, Session};

pub static FUNCTION: Function = Function::served_by::<SessionCreate>();

pub struct SessionCreate {
    table: Table,
    auth: Auth,
    /// How often an hour anybody may try at one source.
    per_source: u64,
    /// How often an hour it may be tried with one name from where its owner has not signed in before.
    per_account: u64,
}

impl Handler for SessionCreate {
    type Endpoint = Create;

    async fn new(environment: &Environment) -> Result<Self, StoreError> {
        Ok(Self {
            table: Table::from_env(environment)?,
            auth: Auth::new(environment).await?,
            per_source: environment.number("SIGN_INS_PER_HOUR_AND_SOURCE")?,
            per_account: environment.number("SIGN_INS_PER_HOUR_AND_ACCOUNT")?,
        })
    }

    async fn answer(&self, request: Request<Create>) -> Result<Created<Session>, Problem<Create>> {
        let Request {
            body, source, client, ..
        } = request;
        let username = &body.username;
        // This first: it is what limits how many names a source can have counted.
        throttle::spend(&self.table, Allowance::SignInsFrom(&source), self.per_source).await?;
        throttle::attempt(&self.table, &AttemptsRow::of_sign_in(username, &source)).await?;
        let visitor = self
            .table
            .throttle()
            .visitor(username, &source, self.table.now())
            .await?;
        if !visitor.is_known {
            throttle::spend(&self.table, Allowance::SignInsAs(username), self.per_account).await?;
        }
        let account = visitor.account;
        let hash = account.as_ref().map(|account| account.password_hash.as_str());
        let matches = password::verify(&body.password, hash);
        let Some(account) = account.filter(|_| matches) else {
            return Err(Problem::unauthorized("the username or the password is wrong"));
        };
        Ok(Created {
            location: "account".to_owned(),
            body: self.auth.begin(&account, &source, client).await?,
        })
    }
}
