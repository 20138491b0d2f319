//! Reads what a path names, for its owner only: anybody else's is a 404.

use crate::problem::Code;
use crate::{Caller, Problem, views};
use domain::account::Role;
use domain::id::{AccountId, NodeId, UploadId};
use domain::token::Scope;
use store::Table;
use store::rows::{NodeRow, UploadRow, now};

/// The account's upload with this id.
///
/// # Errors
/// 404 when the account has none.
pub async fn upload(table: &Table, account: &AccountId, id: &UploadId) -> Result<UploadRow, Problem> {
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
pub async fn node(table: &Table, account: &AccountId, id: &NodeId) -> Result<NodeRow, Problem> {
    table
        .tree()
        .get(account, id)
        .await?
        .ok_or_else(|| Problem::not_found("file or folder"))
}

/// Refuses who is no operator, or has a token that is not for what wants this scope.
///
/// # Errors
/// 403.
pub fn operator(caller: &Caller, scope: Scope) -> Result<(), Problem> {
    caller.may(scope)?;
    if caller.account.role == Role::Operator {
        return Ok(());
    }
    Err(Problem::forbidden(
        "this is for operators; whoever runs this Longshore makes accounts operators",
    ))
}

/// A complete upload with its file, if that is still there.
///
/// # Errors
/// A [`Problem`] when the store fails.
pub async fn with_file(
    table: &Table,
    upload: &UploadRow,
    node: Option<&NodeRow>,
) -> Result<views::Upload, Problem> {
    let view = views::Upload::new(upload)?;
    Ok(match node.and_then(|node| Some((node, node.file.as_ref()?))) {
        Some((node, file)) => view.with_file(node, &table.replicas().readable(&file.blob).await?, now()),
        None => view,
    })
}

/// The problem of an upload that cannot be worked on (any more).
#[must_use]
pub fn not_open(upload: &UploadRow) -> Problem {
    use domain::upload::State;
    let detail = match upload.state {
        State::Open | State::ProofRequired => "the upload has expired; start a new one",
        State::Finalizing => "the upload is being finalized; ask for its state until it is complete",
        State::Complete => "the upload is complete",
        State::Aborted => "the upload was aborted; start a new one",
        State::Expired => "nobody touched the upload for too long; start a new one",
    };
    Problem::new(Code::UploadNotOpen, detail)
}
