//! `rm`.

use super::{Context, uploads_of};
use crate::exit::{Exit, Failure};
use crate::{human, output};
use client::tree::{self, RemotePath, TreeNode};
use serde_json::json;

/// Removes a file or an empty folder.
pub(super) async fn node(context: &Context, path: &str) -> Result<(), Failure> {
    let path: RemotePath = path.parse()?;
    let api = context.signed_in()?;
    let TreeNode::Node(node) = tree::walk(&api, &path).await? else {
        return Err(root());
    };
    let removed = api
        .delete_file(&node.id)
        .await
        .map_err(|error| Failure::from(error).about(&path.to_string()))?;
    let open = removed.open_uploads;
    if context.json {
        output::json(&json!({ "path": path.to_string(), "removed": node, "open_uploads": open }));
    } else {
        output::line(&format!("removed {path}"));
        if open > 0 {
            output::note(&format!(
                "unfinished uploads were going into it: {open}. See them: longshore uploads"
            ));
        }
    }
    Ok(())
}

/// Gives up the unfinished uploads of a name.
pub(super) async fn uploads(context: &Context, path: &str) -> Result<(), Failure> {
    let path: RemotePath = path.parse()?;
    let name = path.name().ok_or_else(root)?;
    let api = context.signed_in()?;
    let folder = tree::walk(&api, &path.parent()).await?;
    let uploads = uploads_of(&api, folder.id(), name).await?;
    if uploads.is_empty() {
        return Err(Failure::new(
            Exit::NotFound,
            format!("there is no unfinished upload of '{path}'"),
        )
        .then("see all that there are: longshore uploads"));
    }
    for upload in &uploads {
        api.abort_upload(&upload.id).await?;
        if context.json {
            output::json(&json!({ "path": path.to_string(), "given_up": upload }));
        } else {
            let size = human::size(upload.size);
            output::line(&format!("gave up the upload of {path} ({size})"));
        }
    }
    Ok(())
}

fn root() -> Failure {
    Failure::new(Exit::Usage, "the top folder cannot be removed")
}
