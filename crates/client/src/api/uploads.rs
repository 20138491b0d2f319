//! The endpoints of uploads.

use super::{Api, PAGE_LIMIT, all};
use crate::error::ApiError;
use crate::http::Call;
use crate::types::{Destination, NewUpload, Page, PartToSign, SignedPart, Upload};
use domain::proof::Proof;
use serde::Deserialize;
use serde_json::json;
use wire::upload;

impl Api {
    /// `POST /v1/uploads`: begins an upload, one however often an answer gets lost and the call is made again.
    ///
    /// # Errors
    /// `name_taken`, `quota_exceeded`, `invalid_request`, `not_found` (parent), and whatever befalls every call.
    pub async fn create_upload(&self, upload: &NewUpload) -> Result<Upload, ApiError> {
        self.http
            .json(Call::to::<upload::Create>().body(json!(upload)))
            .await
    }

    /// `POST /v1/uploads/{id}/proof`: answers the upload's challenge, for which there is one try. The upload is
    /// complete when the answer was right; otherwise it is open and wants the bytes.
    ///
    /// # Errors
    /// `name_taken`, `upload_not_open`, `not_found`, and whatever befalls every call.
    pub async fn prove(&self, id: &str, proof: &Proof) -> Result<Upload, ApiError> {
        // Asked again, the server says what became of the first answer.
        let call = Call::at::<upload::Prove>(id)
            .body(json!({ "proof": proof }))
            .repeatable();
        self.http.json(call).await
    }

    /// `GET /v1/uploads`: one page of the account's uploads in progress.
    ///
    /// # Errors
    /// Whatever befalls every call.
    pub async fn list_uploads(&self, cursor: Option<&str>) -> Result<Page<Upload>, ApiError> {
        let call = Call::to::<upload::List>()
            .query("cursor", cursor)
            .query("limit", Some(PAGE_LIMIT));
        self.http.json(call).await
    }

    /// All pages of [`Api::list_uploads`].
    ///
    /// # Errors
    /// Whatever befalls every call.
    pub async fn all_uploads(&self) -> Result<Vec<Upload>, ApiError> {
        all(|cursor| async move { self.list_uploads(cursor.as_deref()).await }).await
    }

    /// `GET /v1/uploads/{id}`: where an upload stands, with the parts the store has.
    ///
    /// # Errors
    /// `not_found`, and whatever befalls every call.
    pub async fn upload(&self, id: &str) -> Result<Upload, ApiError> {
        self.http.json(Call::at::<upload::Get>(id)).await
    }

    /// `POST /v1/uploads/{id}/parts`: URLs to send parts to. Asking again is always allowed.
    ///
    /// # Errors
    /// `not_found`, `upload_not_open`, and whatever befalls every call.
    pub async fn sign_parts(&self, id: &str, parts: &[PartToSign]) -> Result<Vec<SignedPart>, ApiError> {
        #[derive(Deserialize)]
        struct Signed {
            parts: Vec<SignedPart>,
        }
        let call = Call::at::<upload::SignParts>(id)
            .body(json!({ "parts": parts }))
            .repeatable();
        Ok(self.http.json::<Signed>(call).await?.parts)
    }

    /// `POST /v1/uploads/{id}/complete`: makes the parts a file. When the state is still `finalizing`, call it
    /// again a little later; calling it again is always safe.
    ///
    /// # Errors
    /// `parts_missing`, `content_mismatch`, `upload_not_open`, `not_found`, and whatever befalls every call.
    pub async fn complete_upload(&self, id: &str) -> Result<Upload, ApiError> {
        self.complete_upload_at(id, None).await
    }

    /// [`Api::complete_upload`], with the file going somewhere else than the upload was begun for, if that is said.
    ///
    /// # Errors
    /// `name_taken`, `parent_not_found`, and those of [`Api::complete_upload`].
    pub async fn complete_upload_at(
        &self,
        id: &str,
        destination: Option<&Destination>,
    ) -> Result<Upload, ApiError> {
        let call = Call::at::<upload::Complete>(id).repeatable();
        let call = match destination {
            Some(destination) => call.body(json!(destination)),
            None => call,
        };
        self.http.json(call).await
    }

    /// `DELETE /v1/uploads/{id}`: aborts an upload, with every part sent.
    ///
    /// # Errors
    /// `not_found`, `upload_not_open`, and whatever befalls every call.
    pub async fn abort_upload(&self, id: &str) -> Result<(), ApiError> {
        self.done(Call::at::<upload::Abort>(id)).await
    }
}
