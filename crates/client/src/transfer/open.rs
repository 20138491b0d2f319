//! The account's unfinished uploads, as one run of many uploads knows them.

use crate::api::Api;
use crate::error::ApiError;
use crate::types::Upload;
use std::sync::{Mutex, PoisonError};
use tokio::sync::OnceCell;

/// What uploads there are to go on with. The API is asked once, by the first upload that wants to know; the others of the
/// run share the answer, and what the run itself begins and ends. So the cost of an upload does not grow with how many
/// there are.
#[derive(Debug, Default)]
pub struct OpenUploads {
    known: OnceCell<Mutex<Vec<Upload>>>,
}

impl OpenUploads {
    /// Those in progress that `fit`.
    pub(super) async fn fitting(
        &self,
        api: &Api,
        fit: impl Fn(&Upload) -> bool,
    ) -> Result<Vec<Upload>, ApiError> {
        let ask = || async { api.all_uploads().await.map(Mutex::new) };
        let known = self.known.get_or_try_init(ask).await?;
        let known = known.lock().unwrap_or_else(PoisonError::into_inner);
        let fitting = known
            .iter()
            .filter(|upload| upload.state.is_in_progress() && fit(upload));
        Ok(fitting.cloned().collect())
    }

    /// This run has begun one.
    pub(super) fn began(&self, upload: &Upload) {
        if upload.state.is_in_progress() {
            self.change(|known| known.push(upload.clone()));
        }
    }

    /// There is no such upload in progress any more.
    pub(super) fn ended(&self, id: &str) {
        self.change(|known| known.retain(|upload| upload.id != id));
    }

    /// What nobody has asked for yet need not be changed: the answer will have it.
    fn change(&self, change: impl FnOnce(&mut Vec<Upload>)) {
        if let Some(known) = self.known.get() {
            change(&mut known.lock().unwrap_or_else(PoisonError::into_inner));
        }
    }
}
