//! Paths such as `photos/2026/a.jpg`, walked through the API folder by folder.

use crate::api::Api;
use crate::error::ApiError;
use crate::types::{Node, NodeKind};
use domain::name::Name;
pub use domain::path::{Path as RemotePath, PathError};
use std::collections::HashMap;

/// What fits into an address everywhere, in bytes: each may take three there.
const LONGEST_PATH: usize = 2_000;
/// More folders than any path goes through.
const MOST_FOLDERS: usize = 1_000;

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
    to_the_end(api, path, false).await
}

/// Follows `path` from the top to a folder.
///
/// # Errors
/// As [`walk`]; [`TreeError::NotAFolder`] also when a file is at the end.
pub async fn walk_to_folder(api: &Api, path: &RemotePath) -> Result<TreeNode, TreeError> {
    a_folder(to_the_end(api, path, false).await?, path)
}

/// Follows `path` from the top and makes the folders that are missing.
///
/// # Errors
/// [`TreeError::NotAFolder`] when a file is in the way, also at the end.
pub async fn ensure_folder(api: &Api, path: &RemotePath) -> Result<TreeNode, TreeError> {
    a_folder(to_the_end(api, path, true).await?, path)
}

/// The folder with this path, whose parent is known. It is made if it is missing.
///
/// # Errors
/// [`TreeError::NotAFolder`] when a file has its name.
pub async fn ensure_folder_in(
    api: &Api,
    parent: Option<&str>,
    path: &RemotePath,
) -> Result<TreeNode, TreeError> {
    let Some(name) = path.names().last() else {
        return Ok(TreeNode::Root);
    };
    let found = match api.find(parent, name.as_str()).await? {
        Some(found) => found,
        None => make_folder(api, parent, name).await?,
    };
    a_folder(TreeNode::Node(Box::new(found)), path)
}

fn a_folder(place: TreeNode, path: &RemotePath) -> Result<TreeNode, TreeError> {
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
    /// The path of the file or folder `id`, or `None` when it is not there any more, or in the trash.
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
            Ok(node) => node.trashed_at.is_none().then_some((node.name, node.parent)),
            Err(error) if error.is("not_found") => None,
            Err(error) => return Err(error),
        };
        self.known.insert(id, found.clone());
        Ok(found)
    }
}

async fn to_the_end(api: &Api, path: &RemotePath, make: bool) -> Result<TreeNode, TreeError> {
    match at_once(api, path).await? {
        Some(node) => Ok(TreeNode::Node(Box::new(node))),
        // Step by step, to make what is missing, or to say where the path ends.
        None => follow(api, path, make).await,
    }
}

/// What a path through folders leads to, with one call; none when it leads nowhere.
async fn at_once(api: &Api, path: &RemotePath) -> Result<Option<Node>, ApiError> {
    let folder = path.parent();
    let fits = !folder.is_root() && folder.to_string().len() <= LONGEST_PATH;
    let Some(name) = path.name().filter(|_| fits) else {
        return Ok(None);
    };
    match api.find_at(&folder, name).await {
        Err(error) if error.is("not_found") || error.is("invalid_request") => Ok(None),
        found => found,
    }
}

async fn follow(api: &Api, path: &RemotePath, make: bool) -> Result<TreeNode, TreeError> {
    let mut place = TreeNode::Root;
    let mut walked = RemotePath::default();
    for name in path.names() {
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
