//! What somebody does with the client that people run.

use super::{Theme, User};
use crate::random::contents::CONTENTS;
use crate::real_client::{Folder, signed_in, with_client};
use client::Api;
use client::transfer::{self, DownloadRequest, Options, TransferError, UploadRequest, Uploaded};
use client::types::OnConflict;
use std::fs;
use std::io;
use std::time::Duration;
use tokio::time::timeout;

/// After how many milliseconds an upload is killed at the latest.
const KILLED_WITHIN: u64 = 2000;

impl User<'_> {
    /// Uploads a file, maybe in two runs of which the first is killed, and downloads it.
    pub(super) async fn transfer(&self, theme: Theme) {
        let Theme { content, name, .. } = theme;
        let name = format!("file-{name}");
        let parent = self.some_folder();
        let on_conflict = [OnConflict::Rename, OnConflict::Fail][self.rng.within(0..2_usize)];
        let killed_after = (self.rng.within(0..2) == 0).then(|| self.rng.within(0..KILLED_WITHIN));
        let what = format!(
            "upload content {content} as {name} into {parent:?}, or {on_conflict:?}, killed after {killed_after:?} ms"
        );
        let doubts = self.known.borrow().doubts;
        let transferred = async {
            let folder = Folder::new().map_err(disk)?;
            let request = UploadRequest {
                path: folder.path().join("source"),
                name,
                parent,
                content_type: None,
                on_conflict,
            };
            fs::write(&request.path, &CONTENTS[content]).map_err(disk)?;
            with_client(self.world, async |api| {
                let options = Options::default();
                let api = signed_in(api, &self.username).await?;
                if let Some(after) = killed_after {
                    let first = transfer::upload(&api, &request, &options);
                    let _ = timeout(Duration::from_millis(after), first).await;
                }
                let uploaded = transfer::upload(&api, &request, &options).await?;
                let file = uploaded.file.id.clone();
                self.known.borrow_mut().keep(file, content, doubts);
                self.download(&api, &uploaded, content, &folder).await?;
                Ok(uploaded)
            })
            .await
        };
        let transferred: Result<Uploaded, TransferError> = transferred.await;
        if let Err(error) = &transferred
            && must_not_be(error)
        {
            self.world.see_wrong(format!("{what}: {error}"));
        }
        self.note(&what, &format!("{transferred:?}"));
    }

    async fn download(
        &self,
        api: &Api,
        uploaded: &Uploaded,
        content: usize,
        folder: &Folder,
    ) -> Result<(), TransferError> {
        let request = DownloadRequest {
            file: uploaded.file.clone(),
            target: folder.path().join("target"),
            overwrite: false,
        };
        transfer::download(api, &request, &Options::default()).await?;
        if fs::read(&request.target).map_err(disk)? != CONTENTS[content] {
            let file = &request.file.id;
            self.world.see_wrong(format!(
                "{file} is downloaded with other bytes than content {content}"
            ));
        }
        Ok(())
    }
}

/// Whether a transfer must not end like this, whatever others do and whatever fails.
fn must_not_be(error: &TransferError) -> bool {
    match error {
        TransferError::Api(_)
        | TransferError::StoreUnreachable { .. }
        | TransferError::StoreRefused { .. }
        | TransferError::StoreLost(_)
        | TransferError::UploadGone
        | TransferError::FileGone
        | TransferError::StillFinalizing => false,
        // Its bytes were never others, and nobody replaces it.
        _ => true,
    }
}

fn disk(error: io::Error) -> TransferError {
    TransferError::Disk {
        action: "use",
        path: std::env::temp_dir(),
        error,
    }
}
