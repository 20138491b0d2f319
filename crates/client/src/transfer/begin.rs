//! How an upload begins: with one that is under way, with the file itself, or anew.

use super::TransferError;
use super::upload::{Engine, How};
use crate::error::ApiError;
use crate::types::{NewUpload, Node, NodeKind, OnConflict, Upload};

/// What there is to go on with.
pub(super) enum Begun {
    Upload(Box<Upload>, How),
    /// The very file is there already.
    File(Box<Node>),
}

impl Engine<'_> {
    /// Finds the upload in progress of this very file, or begins one.
    pub(super) async fn begin(&self) -> Result<Begun, TransferError> {
        if let Some(found) = self.in_progress().await? {
            return Ok(Begun::Upload(Box::new(found), How::Resumed));
        }
        let request = self.request;
        // The server only says that the name is taken when that is a fault. But nobody wants a second name for the bytes
        // that this name has, or the bytes replaced by themselves. (When other bytes have the name, renaming twice gives
        // two more names: that cannot be told from wanting another copy.)
        if request.on_conflict != OnConflict::Fail
            && let Some(file) = self.same_file().await?
        {
            return Ok(Begun::File(Box::new(file)));
        }
        let new = NewUpload {
            name: request.name.clone(),
            parent: request.parent.clone(),
            size: self.source.plan.size(),
            content_type: request.content_type.clone(),
            content_id: Some(self.content_id),
            on_conflict: request.on_conflict,
        };
        let upload = self.api.create_upload(&new).await?;
        Ok(Begun::Upload(Box::new(self.fitting(upload)?), How::Sent))
    }

    /// The file of this name, if it has these bytes.
    pub(super) async fn same_file(&self) -> Result<Option<Node>, ApiError> {
        let (parent, name) = (self.request.parent.as_deref(), &self.request.name);
        let there = self.api.find(parent, name).await?;
        Ok(there.filter(|node| node.kind == NodeKind::File && node.content_id == Some(self.content_id)))
    }

    /// The newest upload in progress that is for the same bytes at the same place, and would treat a taken name alike.
    async fn in_progress(&self) -> Result<Option<Upload>, TransferError> {
        let plan = &self.source.plan;
        let uploads = self.api.all_uploads().await?.into_iter().filter(|upload| {
            upload.state.is_in_progress()
                && upload.name == self.request.name
                && upload.parent == self.request.parent
                && upload.size == plan.size()
                && upload.part_size == plan.part_size()
                && upload.content_id == Some(self.content_id)
                && upload.on_conflict == self.request.on_conflict
        });
        Ok(uploads.max_by_key(|upload| upload.created_at))
    }

    /// A server that cuts files in another way would store another content id.
    fn fitting(&self, upload: Upload) -> Result<Upload, ApiError> {
        let plan = &self.source.plan;
        if (upload.part_size, upload.part_count) == (plan.part_size(), plan.part_count()) {
            return Ok(upload);
        }
        Err(ApiError::Unexpected {
            call: "POST /v1/uploads".to_owned(),
            reason: format!(
                "parts of {} bytes instead of {}",
                upload.part_size,
                plan.part_size()
            ),
        })
    }
}
