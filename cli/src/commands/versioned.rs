//! A file, with what it has and had.

use super::file_at;
use crate::exit::{Exit, Failure};
use crate::human;
use client::Api;
use client::tree::RemotePath;
use client::types::{Node, Version};

/// A file, with what it has and had.
pub(super) struct Versioned {
    pub(super) path: RemotePath,
    file: Box<Node>,
    pub(super) versions: Vec<Version>,
}

impl Versioned {
    pub(super) async fn read(api: &Api, path: RemotePath) -> Result<Self, Failure> {
        let file = file_at(api, &path).await?;
        let versions = api.versions(&file.id).await;
        let versions = versions.map_err(|error| Failure::from(error).about(&path.to_string()))?;
        Ok(Self { path, file, versions })
    }

    /// The file as if it had the content of a version. That is downloaded by its number, also when the file has it: it may get
    /// another one meanwhile.
    pub(super) fn as_of(&self, number: u64) -> Result<Node, Failure> {
        let version = self.find(number)?;
        Ok(Node {
            size: Some(version.size),
            content_type: version.content_type.clone(),
            content_id: Some(version.content_id),
            number: Some(number),
            ..(*self.file).clone()
        })
    }

    pub(super) fn find(&self, number: u64) -> Result<&Version, Failure> {
        let found = self.versions.iter().find(|version| version.number == number);
        found.ok_or_else(|| {
            let path = human::quoted(self.path.to_string());
            Failure::new(Exit::NotFound, format!("'{}' has no version {number}", self.path))
                .then(format!("see what there is: longshore versions ls {path}"))
        })
    }

    /// The same of one that the file had.
    pub(super) fn find_earlier(&self, number: u64) -> Result<&Version, Failure> {
        let version = self.find(number)?;
        if version.current {
            let what = format!("version {number} is what '{}' has now", self.path);
            return Err(Failure::new(Exit::Usage, what));
        }
        Ok(version)
    }

    pub(super) fn named(&self, number: u64) -> String {
        format!("version {number} of {}", self.path)
    }
}
