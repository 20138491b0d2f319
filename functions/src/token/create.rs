//! Makes a personal access token. Its text is shown this once.

use api::requests::NewToken;
use api::{Auth, Call, Endpoint, Problem, Reply, throttle, views};
use domain::moment::later;
use domain::token::{MOST_DAYS, PersonalToken, Secret, Token};
use jiff::SignedDuration;
use store::config::number;
use store::rows::{Allowance, TokenRow, new_id, now};
use store::{Aws, StoreError, Table};

pub struct TokenCreate {
    table: Table,
    auth: Auth,
    creates_per_hour: u64,
}

impl Endpoint for TokenCreate {
    async fn from_env() -> Result<Self, StoreError> {
        let aws = Aws::from_env().await;
        Ok(Self {
            table: Table::from_env(&aws)?,
            auth: Auth::from_env(&aws).await?,
            creates_per_hour: number("CREATES_PER_HOUR")?,
        })
    }

    async fn answer(&self, call: Call) -> Result<Reply, Problem> {
        let caller = call.caller(&self.auth).await?;
        let session = caller.session()?;
        let body: NewToken = call.json()?;
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
        let account = &caller.account;
        throttle::spend(
            &self.table,
            Allowance::Creates(&account.id),
            self.creates_per_hour,
        )
        .await?;
        let secret = Secret::from_bytes(rand::random());
        let lifetime = SignedDuration::from_hours(24 * i64::from(body.expires_in_days));
        let row = TokenRow {
            account: account.id.clone(),
            id: new_id(),
            name: body.name,
            scopes: body.scopes,
            hash: secret.hash(),
            created_at: now(),
            expires_at: later(now(), lifetime),
        };
        self.table.tokens().create(account, session, &row).await?;
        let token: PersonalToken = Token::new(row.account.clone(), row.id.clone(), secret);
        let view = views::PersonalToken::from(&row).with_text(token.reveal());
        Reply::created(&format!("tokens/{}", row.id), &view)
    }
}
