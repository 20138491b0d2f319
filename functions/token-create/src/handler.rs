//! Makes a personal access token. Its text is shown this once.

use domain::moment::later;
use domain::token::{MOST_DAYS, PersonalToken, Scopes, Secret, Token, TokenName};
use edge::{Auth, Call, Endpoint, Problem, Reply, views};
use jiff::SignedDuration;
use serde::Deserialize;
use store::rows::{TokenRow, new_id, now};
use store::{Aws, StoreError, Table};

pub(crate) struct TokenCreate {
    table: Table,
    auth: Auth,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    name: TokenName,
    scopes: Scopes,
    expires_in_days: u16,
}

impl TokenCreate {
    pub(crate) async fn from_env() -> Result<Self, StoreError> {
        let aws = Aws::from_env().await;
        Ok(Self {
            table: Table::from_env(&aws)?,
            auth: Auth::from_env(&aws).await?,
        })
    }
}

impl Endpoint for TokenCreate {
    async fn answer(&self, call: Call) -> Result<Reply, Problem> {
        let caller = call.caller(&self.auth).await?;
        caller.session()?;
        let body: Body = call.json()?;
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
        let account = caller.account.id;
        let secret = Secret::from_bytes(rand::random());
        let lifetime = SignedDuration::from_hours(24 * i64::from(body.expires_in_days));
        let row = TokenRow {
            account: account.clone(),
            id: new_id(),
            name: body.name,
            scopes: body.scopes,
            hash: secret.hash(),
            created_at: now(),
            expires_at: later(now(), lifetime),
        };
        self.table.create_token(&row).await?;
        let token: PersonalToken = Token::new(account, row.id.clone(), secret);
        let view = views::PersonalToken::from(&row).with_text(token.reveal());
        Reply::created(&format!("tokens/{}", row.id), &view)
    }
}
