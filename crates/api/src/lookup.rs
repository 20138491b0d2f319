//! Reads what a request names, for its owner only: anybody else's is a 404.

use crate::{Problem, views};
use domain::id::{AccountId, NodeId, UploadId};
use domain::path::Path;
use std::fmt::Display;
use std::str::FromStr;
use store::rows::{AccountRow, NodeRow, UploadRow};
use store::tree::Kind;
use store::{StoreError, Table};
use wire::account::Account;
use wire::precondition::IfMatch;
use wire::query::Cursor;
use wire::upload::Upload;
use wire::{Code, Declares, code};

/// An account, with what it uses.
///
/// # Errors
/// When the store fails.
pub async fn account(table: &Table, row: &AccountRow) -> Result<Account, StoreError> {
    let open_uploads = table.uploads().open_bytes(&row.id).await?;
    Ok(views::account(row, open_uploads))
}

/// The account's upload with this id.
///
/// # Errors
/// 404 when the account has none.
pub async fn upload<E: Declares<code::NotFound>>(
    table: &Table,
    account: &AccountId,
    id: &UploadId,
) -> Result<UploadRow, Problem<E>> {
    table
        .uploads()
        .get(account, id)
        .await?
        .ok_or_else(|| Problem::not_found("upload"))
}

/// The account's file or folder with this id.
///
/// # Errors
/// 404 when the account has none.
pub async fn node<E: Declares<code::NotFound>>(
    table: &Table,
    account: &AccountId,
    id: &NodeId,
) -> Result<NodeRow, Problem<E>> {
    table
        .tree()
        .get(account, id)
        .await?
        .ok_or_else(|| Problem::not_found("file or folder"))
}

/// There is a folder with this id, which a parameter of this name has. It may be in the trash.
///
/// # Errors
/// 404 when the account has none, 400 when it is a file.
pub async fn folder<E: Declares<code::NotFound> + Declares<code::InvalidRequest>>(
    table: &Table,
    account: &AccountId,
    id: &NodeId,
    parameter: &str,
) -> Result<(), Problem<E>> {
    match table.tree().kind(account, id).await? {
        Some(Kind::Folder | Kind::FolderInTrash) => Ok(()),
        None => Err(Problem::not_found("file or folder")),
        Some(Kind::File) => {
            let detail = format!("{parameter}: this is a file, only folders have entries");
            Err(Problem::invalid(parameter, detail))
        }
    }
}

/// The folder with this path, which the parameter `path` has; none is the top.
///
/// # Errors
/// 404 when the account has none, 400 when a file is in its place or on the way.
pub async fn folder_at<E: Declares<code::NotFound> + Declares<code::InvalidRequest>>(
    table: &Table,
    account: &AccountId,
    path: &Path,
) -> Result<Option<NodeId>, Problem<E>> {
    let mut reached: Option<NodeId> = None;
    let mut is_there = true;
    for name in path.names() {
        match table.tree().entry(account, reached.as_ref(), name).await? {
            Some(entry) => reached = Some(entry.node),
            None => {
                is_there = false;
                break;
            }
        }
    }
    // What has no entry of this name may be a file, which has none.
    if let Some(reached) = &reached {
        folder(table, account, reached, "path").await?;
    }
    if is_there {
        Ok(reached)
    } else {
        Err(Problem::not_found("folder"))
    }
}

/// The same answer; where it is that the account has no room for so many bytes, with how much it has.
///
/// # Errors
/// That of the answer; 401 when the account is gone.
pub async fn with_room<E, T>(
    table: &Table,
    account: &AccountId,
    wanted: u64,
    answer: Result<T, Problem<E>>,
) -> Result<T, Problem<E>>
where
    E: Declares<code::QuotaExceeded> + Declares<code::Unauthorized>,
{
    match answer {
        Err(problem) if problem.code() == Code::QuotaExceeded => {
            Err(match table.accounts().get(account).await {
                Ok(Some(account)) => Problem::quota_exceeded(&account.quota(), &account.used(0), wanted),
                Ok(None) => Problem::unauthorized("the account does not exist any more"),
                Err(error) => error.into(),
            })
        }
        answer => answer,
    }
}

/// The node is of a version that the request is about, if it says of which.
///
/// # Errors
/// 412 when it is of another.
pub fn expect<E: Declares<code::PreconditionFailed>>(
    if_match: Option<&IfMatch>,
    node: &NodeRow,
) -> Result<(), Problem<E>> {
    if if_match.is_none_or(|if_match| if_match.matches(node.version)) {
        return Ok(());
    }
    let detail = "it was changed since that version; look again, and send its ETag";
    Err(Problem::new(code::PreconditionFailed, detail))
}

/// Where a page begins.
///
/// # Errors
/// 400 when it is nothing that a page before ended with.
pub fn cursor<E: Declares<code::InvalidRequest>, T: FromStr<Err: Display>>(
    cursor: Option<&Cursor>,
) -> Result<Option<T>, Problem<E>> {
    let place = cursor.map(|cursor| cursor.as_str().parse::<T>()).transpose();
    place.map_err(|e: T::Err| Problem::invalid("cursor", format!("cursor: {e}")))
}

/// A complete upload with its file, if that is still there.
///
/// # Errors
/// When the store fails.
pub async fn with_file(
    table: &Table,
    upload: &UploadRow,
    node: Option<&NodeRow>,
) -> Result<Upload, StoreError> {
    let mut view = views::upload(upload, table.now())?;
    if let Some((node, file)) = node.and_then(|node| Some((node, node.file.as_ref()?))) {
        let replicas = table.replicas().readable(&file.blob).await?;
        view.file = Some(views::file(node, &replicas, table.now()));
    }
    Ok(view)
}

/// The problem of an upload that cannot be worked on (any more).
#[must_use]
pub fn not_open<E: Declares<code::UploadNotOpen>>(upload: &UploadRow) -> Problem<E> {
    use domain::upload::State;
    let detail = match upload.state {
        State::Open | State::ProofRequired => "the upload has expired; start a new one",
        State::Finalizing => "the upload is being finalized; ask for its state until it is complete",
        State::Complete => "the upload is complete",
        State::Aborted => "the upload was aborted; start a new one",
        State::Expired => "nobody touched the upload for too long; start a new one",
    };
    Problem::new(code::UploadNotOpen, detail)
}
