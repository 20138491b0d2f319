//! A file to download, and where to.

use crate::content::bytes;
use crate::fake_files::add_file;
use crate::server::Server;
use crate::world::{SIGNATURE, TOKEN};
use crate::{api, options, recorder};
use client::transfer::{DownloadRequest, Downloaded, Options, TransferError, TransferEvent, download};
use client::types::Node;
use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use tempfile::TempDir;

/// A file to download, and where to.
pub(crate) struct Scene {
    pub(crate) server: Server,
    pub(crate) folder: TempDir,
    pub(crate) content: Vec<u8>,
    pub(crate) request: DownloadRequest,
}

impl Scene {
    pub(crate) async fn new(length: usize) -> Self {
        let server = Server::start().await;
        let folder = tempfile::tempdir().unwrap();
        let content = bytes(length, 3);
        let node = add_file(&mut server.world(), "remote.bin", None, content.clone());
        let file: Node = serde_json::from_value(node).unwrap();
        let target = folder.path().join("local.bin");
        Self {
            server,
            folder,
            content,
            request: DownloadRequest {
                file,
                target,
                overwrite: false,
            },
        }
    }

    pub(crate) async fn run(&self, options: &Options) -> Result<Downloaded, TransferError> {
        let ended = download(&api(&self.server), &self.request, options).await;
        if let Err(error) = &ended {
            let shown = format!("{error} {error:?} {:?}", error.next_step());
            assert!(!shown.contains(SIGNATURE) && !shown.contains(TOKEN), "{shown}");
        }
        assert_eq!(self.server.count("LEAK"), 0);
        ended
    }

    /// Downloads it, and remembers what was told meanwhile.
    pub(crate) async fn observed(&self, streams: usize) -> (Downloaded, Arc<Mutex<Vec<TransferEvent>>>) {
        let (observer, events) = recorder();
        let options = Options {
            observer,
            ..options(streams)
        };
        (self.run(&options).await.unwrap(), events)
    }

    pub(crate) fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.folder.path()).unwrap();
        entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect()
    }

    /// The file is there, whole, and nothing else.
    pub(crate) fn complete(&self) {
        assert!(
            fs::read(&self.request.target).unwrap() == self.content,
            "other bytes arrived"
        );
        assert_eq!(self.names(), ["local.bin"]);
    }

    /// The unfinished download.
    pub(crate) fn part(&self) -> PathBuf {
        assert!(!self.request.target.exists(), "half a file has the final name");
        let mut names = self.names();
        names.sort();
        assert_eq!(names.len(), 2, "{names:?}");
        assert!(
            names[0].starts_with(".local.bin.") && names[1] == format!("{}.journal", names[0]),
            "{names:?}"
        );
        self.folder.path().join(&names[0])
    }
}
