//! What files had before.

use super::Api;
use crate::error::ApiError;
use crate::http::Call;
use crate::types::{Node, Page, Version};
use serde_json::json;
use wire::version;

impl Api {
    /// `GET /v1/files/{id}/versions`: the content that a file has, and those that it had, the newest first.
    ///
    /// # Errors
    /// `not_found` when there is no such file, and whatever befalls every call.
    pub async fn versions(&self, file: &str) -> Result<Vec<Version>, ApiError> {
        let page: Page<Version> = self.http.json(Call::at::<version::List>(file)).await?;
        Ok(page.items)
    }

    /// `POST /v1/versions/{id}/restore`: gives a file the content of a version again.
    ///
    /// # Errors
    /// `not_found`, `in_trash`, `parent_not_found`, `changed_meanwhile`, and whatever befalls every call.
    pub async fn restore_version(&self, id: &str) -> Result<Node, ApiError> {
        // A file that has the content already is answered as it is.
        self.http
            .json(Call::at::<version::Restore>(id).repeatable())
            .await
    }

    /// `PATCH /v1/versions/{id}`: keeps a version for good, or not any more.
    ///
    /// # Errors
    /// `not_found`, `too_many_kept`, `changed_meanwhile`, and whatever befalls every call.
    pub async fn keep_version(&self, id: &str, kept: bool) -> Result<Version, ApiError> {
        let call = Call::at::<version::Update>(id).body(json!({ "kept": kept }));
        self.http.json(call).await
    }

    /// `DELETE /v1/versions/{id}`: removes a version.
    ///
    /// # Errors
    /// `not_found`, and whatever befalls every call.
    pub async fn delete_version(&self, id: &str) -> Result<(), ApiError> {
        self.done(Call::at::<version::Delete>(id)).await
    }
}
