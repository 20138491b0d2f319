//! Files and folders that go somewhere else, and copies.

use super::Api;
use crate::error::ApiError;
use crate::http::Call;
use crate::types::{Destination, Node};
use serde_json::json;
use wire::file;

impl Api {
    /// `PATCH /v1/files/{id}`: renames or moves a file or a folder, and returns it as it is then.
    ///
    /// # Errors
    /// `not_found`, `name_taken`, `parent_not_found`, `changed_meanwhile`, and whatever befalls every call.
    pub async fn move_file(&self, id: &str, to: &Destination) -> Result<Node, ApiError> {
        self.http.json(Call::at::<file::Update>(id).body(json!(to))).await
    }

    /// `POST /v1/files/{id}/copy`: makes a copy of a file, one however often an answer gets lost, and returns the file that has
    /// the content there.
    ///
    /// # Errors
    /// `not_found`, `name_taken`, `parent_not_found`, `quota_exceeded`, `invalid_request` (a folder), `bytes_unavailable`,
    /// `changed_meanwhile`, and whatever befalls every call.
    pub async fn copy_file(&self, id: &str, to: &Destination) -> Result<Node, ApiError> {
        self.http.json(Call::at::<file::Copy>(id).body(json!(to))).await
    }
}
