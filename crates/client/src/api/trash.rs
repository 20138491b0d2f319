//! Deleting, and what is in the trash.

use super::Api;
use crate::error::ApiError;
use crate::http::Call;
use crate::types::{Destination, Node, Removed, Trashed};
use http::StatusCode;
use serde_json::json;
use wire::{file, trash};

impl Api {
    /// `DELETE /v1/files/{id}`: brings a file or a folder, with all that is in it, into the trash. Says how many unfinished uploads
    /// were going into it, unless that answer got lost.
    ///
    /// # Errors
    /// `not_found`, `folder_not_empty` where there is no trash, and whatever befalls every call.
    pub async fn trash_file(&self, id: &str) -> Result<Removed, ApiError> {
        self.remove(Call::at::<file::Delete>(id)).await
    }

    /// `DELETE /v1/files/{id}?permanently=true`: removes a file or a folder with all that is in it, from the trash as well. The room
    /// that a folder took is free some minutes later.
    ///
    /// # Errors
    /// `not_found`, and whatever befalls every call.
    pub async fn delete_file(&self, id: &str) -> Result<Removed, ApiError> {
        let call = Call::at::<file::Delete>(id).query("permanently", Some("true"));
        self.remove(call).await
    }

    /// The same of what is in the trash, if it is there as it was listed.
    ///
    /// # Errors
    /// `not_found`, `precondition_failed` when it was restored or changed meanwhile, and whatever befalls every call.
    pub async fn delete_trashed(&self, trashed: &Trashed) -> Result<Removed, ApiError> {
        let Node { id, version, .. } = &trashed.node;
        let call = Call::at::<file::Delete>(id).query("permanently", Some("true"));
        self.remove(call.if_match(*version)).await
    }

    async fn remove(&self, call: Call<'_>) -> Result<Removed, ApiError> {
        let answer = self.http.send(&call).await?;
        match answer.status {
            StatusCode::OK => answer.json(&call),
            _ => answer.done(&call).map(|()| Removed::default()),
        }
    }

    /// `GET /v1/trash`: all that is in the trash, the newest first.
    ///
    /// # Errors
    /// Whatever befalls every call.
    pub async fn trash(&self) -> Result<Vec<Trashed>, ApiError> {
        self.all_pages::<trash::List, _>().await
    }

    /// `POST /v1/trash/{id}/restore`: brings a file or folder back, to where it was or to another place.
    ///
    /// # Errors
    /// `not_found` when it is not in the trash, `name_taken`, `parent_not_found`, `changed_meanwhile`, and whatever befalls every call.
    pub async fn restore(&self, id: &str, to: Option<&Destination>) -> Result<Node, ApiError> {
        // What has come back already is answered as it is.
        let call = Call::at::<trash::Restore>(id).repeatable();
        let call = match to {
            Some(to) => call.body(json!(to)),
            None => call,
        };
        self.http.json(call).await
    }

    /// `DELETE /v1/trash`: removes all that is in the trash.
    ///
    /// # Errors
    /// Whatever befalls every call.
    pub async fn empty_trash(&self) -> Result<(), ApiError> {
        self.done(Call::to::<trash::Empty>()).await
    }
}
