//! How an upload begins: with one that is under way, with the file itself, or anew.

use super::TransferError;
use super::plan::todo;
use super::upload::{Begun, Engine, How};
use crate::error::ApiError;
use crate::tree::Paths;
use crate::types::{Destination, NewUpload, Node, NodeKind, OnConflict, Upload};
use domain::name::Name;

impl Engine<'_> {
    /// Finds the upload in progress of this very file, or begins one.
    pub(super) async fn begin(&self) -> Result<Begun, TransferError> {
        let request = self.request;
        if let Some(found) = self.in_progress().await? {
            // Asked when completing, the API would say so after all bytes were sent.
            if request.on_conflict == OnConflict::Fail
                && let Some(there) = self.api.find(request.parent.as_deref(), &request.name).await?
            {
                let file = Some(there).filter(|node| self.is_same(node));
                return Ok(Begun::File(Box::new(file.ok_or_else(ApiError::name_taken)?)));
            }
            return Ok(Begun::Upload(Box::new(found), How::Resumed));
        }
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
        let upload = self.fitting(self.api.create_upload(&new).await?)?;
        self.open.began(&upload);
        Ok(Begun::Upload(Box::new(upload), How::Sent))
    }

    /// The file of this name, if it has these bytes.
    pub(super) async fn same_file(&self) -> Result<Option<Node>, ApiError> {
        let (parent, name) = (self.request.parent.as_deref(), &self.request.name);
        let there = self.api.find(parent, name).await?;
        Ok(there.filter(|node| self.is_same(node)))
    }

    fn is_same(&self, node: &Node) -> bool {
        node.kind == NodeKind::File && node.content_id == Some(self.content_id)
    }

    /// Where the file is to go, if that is not where `upload` was begun to put it, or not what it was begun to do when the name
    /// is taken.
    pub(super) fn destination(&self, upload: &Upload) -> Option<Destination> {
        let request = self.request;
        let is_elsewhere = upload.parent != request.parent || upload.on_conflict != request.on_conflict;
        is_elsewhere.then(|| Destination {
            name: request.name.clone(),
            parent: request.parent.clone(),
            on_conflict: request.on_conflict,
        })
    }

    /// The upload in progress of the same bytes under the same name, with the parts that the store has: one that was begun for
    /// this folder, or one whose folder is gone. Somebody's upload to a folder that is there is left alone. What was to
    /// happen when the name is taken does not matter; that is said again when the upload is completed.
    async fn in_progress(&self) -> Result<Option<Upload>, TransferError> {
        let (plan, request) = (&self.source.plan, self.request);
        // However its letters are composed here, there they are in one form.
        let name = request.name.parse::<Name>();
        let name = name.as_ref().map_or(request.name.as_str(), Name::as_str);
        let mut found = self
            .open
            .fitting(self.api, |upload| {
                upload.name == name
                    && upload.size == plan.size()
                    && upload.part_size == plan.part_size()
                    && upload.content_id.is_none_or(|id| id == self.content_id)
            })
            .await?;
        found.sort_by_key(|upload| {
            let is_alike = upload.on_conflict == request.on_conflict;
            (upload.parent == request.parent, is_alike, upload.created_at)
        });
        while let Some(candidate) = found.pop() {
            if candidate.parent != request.parent && !self.is_orphan(&candidate).await? {
                continue;
            }
            // The list may be as old as the run; the upload may have ended since.
            match self.api.upload(&candidate.id).await {
                Ok(upload) if !upload.state.is_in_progress() => self.open.ended(&candidate.id),
                Ok(upload) if upload.content_id.is_some() || self.has_parts_of(&upload) => {
                    return Ok(Some(upload));
                }
                Ok(_) => {}
                Err(error) if error.is("not_found") => self.open.ended(&candidate.id),
                Err(error) => return Err(error.into()),
            }
        }
        Ok(None)
    }

    /// Whether the folder that the upload was begun for was removed, or is in the trash.
    async fn is_orphan(&self, upload: &Upload) -> Result<bool, ApiError> {
        match &upload.parent {
            None => Ok(false),
            Some(folder) => Ok(Paths::default().of(self.api, folder).await?.is_none()),
        }
    }

    /// Whether the store has parts of the upload, all of them this file's. Says whose an upload without a content id is.
    fn has_parts_of(&self, upload: &Upload) -> bool {
        let received = upload.received.as_deref().unwrap_or_default();
        let kept = todo(&self.source.plan, &self.digests, received, &[]).kept_parts;
        kept > 0 && kept as usize == received.len()
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
