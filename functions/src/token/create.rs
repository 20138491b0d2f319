//! Makes a personal access token. Its text is shown this once.

use crate::Function;
use api::{Handler, Problem, Request, SignedIn, throttle, views};
use domain::time::saturating_add;
use domain::token::{self, MOST_DAYS, Secret, Token};
use jiff::SignedDuration;
use store::rows::{Allowance, TokenRow};
use store::{Environment, StoreError, Table};
use wire::answer::Created;
use wire::token::{Create, PersonalToken};

pub static FUNCTION: Function = Function::served_by::<TokenCreate>();

pub struct TokenCreate {
    table: Table,
    creates_per_hour: u64,
}

impl Handler for TokenCreate {
    type Endpoint = Create;

    async fn new(environment: &Environment) -> Result<Self, StoreError> {
        Ok(Self {
            table: Table::from_env(environment)?,
            creates_per_hour: environment.number("CREATES_PER_HOUR")?,
        })
    }

    async fn answer(&self, request: Request<Create>) -> Result<Created<PersonalToken>, Problem<Create>> {
        let SignedIn { account, session } = &request.caller;
        let body = request.body;
        if body.scopes.is_empty() {
            return Err(Problem::invalid(
                "scopes",
                "scopes: at least one of \"read\", \"upload\" and \"admin\"",
            ));
        }
        if !(1..=MOST_DAYS).contains(&body.expires_in_days) {
            let detail = format!("expires_in_days: from 1 to {MOST_DAYS}");
            return Err(Problem::invalid("expires_in_days", detail));
        }
        throttle::spend(
            &self.table,
            Allowance::Creates(&account.id),
            self.creates_per_hour,
        )
        .await?;
        let secret = Secret::from_bytes(self.table.rng.random());
        let lifetime = SignedDuration::from_hours(24 * i64::from(body.expires_in_days));
        let row = TokenRow {
            account: account.id.clone(),
            id: self.table.rng.id(),
            name: body.name,
            scopes: body.scopes,
            hash: secret.hash(),
            created_at: self.table.now(),
            expires_at: saturating_add(self.table.now(), lifetime),
        };
        self.table.tokens().create(account, session, &row).await?;
        let token: token::PersonalToken = Token::new(row.account.clone(), row.id.clone(), secret);
        Ok(Created {
            location: format!("tokens/{}", row.id),
            body: PersonalToken {
                token: Some(token.reveal()),
                ..views::token(&row)
            },
        })
    }
}
