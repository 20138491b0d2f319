//! Paths such as `photos/2026/a.jpg`, walked through the API folder by folder.

use crate::api::Api;
use crate::error::ApiError;
use crate::types::{Node, NodeKind};
use domain::name::{InvalidName, Name};
use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;

/// More folders than any path goes through.
const MOST_FOLDERS: usize = 1_000;

/// The way from the top of an account's tree to a file or folder. The top itself has no names.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RemotePath {
    names: Vec<Name>,
}

/// A text that is no path.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{text}' is not a path: {reason}")]
pub struct PathError {
    text: String,
    reason: InvalidName,
}

impl RemotePath {
    /// Whether it is the top of the tree.
    #[must_use]
    pub fn is_root(&self) -> bool {
        self.names.is_empty()
    }

    /// The last name; `None` for the top.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.names.last().map(Name::as_str)
    }

    /// The folder it is in; the top is in itself.
    #[must_use]
    pub fn parent(&self) -> Self {
        let names = self.names.split_last().map(|(_, rest)| rest.to_vec());
        Self {
            names: names.unwrap_or_default(),
        }
    }

    /// The path of `name` in this folder.
    #[must_use]
    pub fn join(&self, name: &Name) -> Self {
        let mut names = self.names.clone();
        names.push(name.clone());
        Self { names }
    }
}

impl FromStr for RemotePath {
    type Err = PathError;

    /// Reads names between slashes; slashes in front, behind or doubled mean nothing.
    fn from_str(text: &str) -> Result<Self, PathError> {
        let names = text
            .split('/')
            .filter(|name| !name.is_empty())
            .map(str::parse)
            .collect::<Result<_, _>>();
        names.map(|names| Self { names }).map_err(|reason| PathError {
            text: text.to_owned(),
            reason,
        })
    }
}

impl fmt::Display for RemotePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.names.is_empty() {
            return f.write_str("/");
        }
        for (index, name) in self.names.iter().enumerate() {
            write!(f, "{}{name}", if index == 0 { "" } else { "/" })?;
        }
        Ok(())
    }
}

/// Why a path leads nowhere.
#[derive(Debug, thiserror::Error)]
pub enum TreeError {
    /// There is nothing there.
    #[error("there is no '{0}'")]
    NotFound(RemotePath),
    /// A file is in the way.
    #[error("'{0}' is not a folder")]
    NotAFolder(RemotePath),
    /// A call failed.
    #[error(transparent)]
    Api(#[from] ApiError),
}

/// What a path leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TreeNode {
    /// The top of the tree, which is no node.
    Root,
    /// A file or folder.
    Node(Box<Node>),
}

impl TreeNode {
    /// The id to give as `parent`; `None` at the top.
    #[must_use]
    pub fn id(&self) -> Option<&str> {
        match self {
            Self::Root => None,
            Self::Node(node) => Some(&node.id),
        }
    }
}

/// Follows `path` from the top.
///
/// # Errors
/// [`TreeError::NotFound`] and [`TreeError::NotAFolder`] name the place where it ended.
pub async fn walk(api: &Api, path: &RemotePath) -> Result<TreeNode, TreeError> {
    follow(api, path, false).await
}

/// Follows `path` from the top and makes the folders that are missing.
///
/// # Errors
/// [`TreeError::NotAFolder`] when a file is in the way, also at the end.
pub async fn ensure_folder(api: &Api, path: &RemotePath) -> Result<TreeNode, TreeError> {
    let place = follow(api, path, true).await?;
    match &place {
        TreeNode::Node(node) if node.kind != NodeKind::Folder => Err(TreeError::NotAFolder(path.clone())),
        _ => Ok(place),
    }
}

/// Finds paths by ids, and asks about each folder once.
#[derive(Debug, Default)]
pub struct Paths {
    /// Name and parent; `None` for what is not there.
    known: HashMap<String, Option<(String, Option<String>)>>,
}

impl Paths {
    /// The path of the file or folder `id`, or `None` when it is not there any more.
    ///
    /// # Errors
    /// [`ApiError`] when a call fails.
    pub async fn of(&mut self, api: &Api, id: &str) -> Result<Option<String>, ApiError> {
        let (mut path, mut next) = (String::new(), Some(id.to_owned()));
        // Nothing is its own parent, but a server that says so must not keep us here.
        for _ in 0..MOST_FOLDERS {
            let Some(id) = next else {
                return Ok(Some(path));
            };
            let Some((name, parent)) = self.node(api, id).await? else {
                return Ok(None);
            };
            path = if path.is_empty() {
                name
            } else {
                format!("{name}/{path}")
            };
            next = parent;
        }
        Ok(None)
    }

    async fn node(&mut self, api: &Api, id: String) -> Result<Option<(String, Option<String>)>, ApiError> {
        if let Some(known) = self.known.get(&id) {
            return Ok(known.clone());
        }
        let found = match api.file(&id).await {
            Ok(node) => Some((node.name, node.parent)),
            Err(error) if error.is("not_found") => None,
            Err(error) => return Err(error),
        };
        self.known.insert(id, found.clone());
        Ok(found)
    }
}

async fn follow(api: &Api, path: &RemotePath, make: bool) -> Result<TreeNode, TreeError> {
    let mut place = TreeNode::Root;
    let mut walked = RemotePath::default();
    for name in &path.names {
        if let TreeNode::Node(node) = &place
            && node.kind != NodeKind::Folder
        {
            return Err(TreeError::NotAFolder(walked));
        }
        walked = walked.join(name);
        let found = match api.find(place.id(), name.as_str()).await? {
            None if make => Some(make_folder(api, place.id(), name).await?),
            found => found,
        };
        place = TreeNode::Node(Box::new(
            found.ok_or_else(|| TreeError::NotFound(walked.clone()))?,
        ));
    }
    Ok(place)
}

async fn make_folder(api: &Api, parent: Option<&str>, name: &Name) -> Result<Node, ApiError> {
    match api.create_folder(name.as_str(), parent).await {
        // Somebody was quicker.
        Err(error) if error.is("name_taken") => api.find(parent, name.as_str()).await?.ok_or(error),
        made => made,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn path(text: &str) -> RemotePath {
        text.parse().unwrap()
    }

    #[test]
    fn slashes_around_and_doubled_mean_nothing() {
        for text in ["a/b c", "/a/b c", "a//b c/", "///a/b c"] {
            assert_eq!(path(text).to_string(), "a/b c");
        }
        assert!(path("").is_root() && path("/").is_root());
        assert_eq!(path("/").to_string(), "/");
    }

    #[test]
    fn parents_and_names() {
        assert_eq!(path("a/b").name(), Some("b"));
        assert_eq!(path("a/b").parent(), path("a"));
        assert_eq!(path("a").parent(), path("/"));
        assert_eq!((path("/").parent(), path("/").name()), (path("/"), None));
    }

    #[test]
    fn dots_and_control_characters_are_refused() {
        for text in ["..", "a/../b", "./a", "a\\b", "a\nb"] {
            assert!(text.parse::<RemotePath>().is_err(), "{text:?}");
        }
        let error = "a/..".parse::<RemotePath>().unwrap_err();
        assert_eq!(
            error.to_string(),
            "'a/..' is not a path: '.' and '..' are not names"
        );
    }

    proptest! {
        #[test]
        fn a_path_reads_back_as_itself(text in "\\PC{0,60}") {
            if let Ok(parsed) = text.parse::<RemotePath>() {
                prop_assert_eq!(&path(&parsed.to_string()), &parsed);
                let names: Vec<_> = text.split('/').filter(|name| !name.is_empty()).collect();
                // However its letters were composed.
                let last = names.last().map(|name| name.parse::<Name>().unwrap());
                prop_assert_eq!(parsed.name(), last.as_ref().map(Name::as_str));
            }
        }
    }
}
