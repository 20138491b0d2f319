//! Replica targets, for operators.

use super::Api;
use crate::error::ApiError;
use crate::http::Call;
use crate::types::{Page, Redriven, Target};
use wire::target;

impl Api {
    /// `GET /v1/targets`: how replication goes, target by target. For operators.
    ///
    /// # Errors
    /// `forbidden`, and whatever befalls every call.
    pub async fn targets(&self) -> Result<Vec<Target>, ApiError> {
        let page: Page<Target> = self.http.json(Call::to::<target::List>()).await?;
        Ok(page.items)
    }

    /// `POST /v1/targets/{target}/redrive`: has given-up replicas at a target tried again, so many at a time. For
    /// operators.
    ///
    /// # Errors
    /// `forbidden`, `not_found`, and whatever befalls every call.
    pub async fn redrive(&self, target: &str) -> Result<Redriven, ApiError> {
        // Replicas that are tried again already are not given up any more: asking twice does nothing twice.
        self.http
            .json(Call::at::<target::Redrive>(target).repeatable())
            .await
    }
}
