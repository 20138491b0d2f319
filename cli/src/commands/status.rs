//! `status`.

use super::{Context, uploads_of};
use crate::exit::Failure;
use crate::{human, output};
use client::tree::{self, RemotePath, TreeError, TreeNode};
use client::types::{Node, NodeKind, Replica, ReplicaState, Upload, UploadState};
use serde_json::json;
use std::time::Duration;

const HEADINGS: [&str; 7] = ["TARGET", "KIND", "STATE", "DONE", "ATTEMPTS", "LAG", "KEY"];

pub(super) async fn run(context: &Context, path: &str) -> Result<(), Failure> {
    let path: RemotePath = path.parse()?;
    let api = context.signed_in()?;
    let (node, uploads) = match path.name() {
        None => (None, Vec::new()),
        Some(name) => {
            let folder = tree::walk(&api, &path.parent()).await?;
            if let TreeNode::Node(node) = &folder
                && node.kind != NodeKind::Folder
            {
                return Err(TreeError::NotAFolder(path.parent()).into());
            }
            let node = match api.find(folder.id(), name).await? {
                Some(node) if node.kind == NodeKind::File => Some(api.file(&node.id).await?),
                found => found,
            };
            let uploads = uploads_of(&api, folder.id(), name).await?;
            if node.is_none() && uploads.is_empty() {
                return Err(TreeError::NotFound(path).into());
            }
            (node, uploads)
        }
    };
    if context.json {
        output::json(&json!({ "path": path.to_string(), "node": node, "uploads": uploads }));
        return Ok(());
    }
    match &node {
        Some(node) if node.kind == NodeKind::File => show_file(&path, node),
        Some(_) => output::line(&format!("{path} is a folder")),
        None if path.is_root() => output::line("/ is the top folder"),
        None => {}
    }
    for upload in &uploads {
        show_upload(&path, upload);
    }
    Ok(())
}

fn show_file(path: &RemotePath, file: &Node) {
    let size = file.size.unwrap_or(0);
    output::line(&format!("{path}: complete"));
    output::line(&format!("  size        {} ({size} bytes)", human::size(size)));
    if let Some(content_id) = file.content_id {
        output::line(&format!("  content id  {content_id}"));
    }
    output::line(&format!("  stored      {} UTC", human::time(file.created_at)));
    let replicas = file.replicas.as_deref().unwrap_or_default();
    if replicas.is_empty() {
        output::line("  copies      none configured");
        return;
    }
    output::line("");
    let rows: Vec<_> = replicas.iter().map(|replica| row(replica, size)).collect();
    output::table(&HEADINGS, &rows);
    for replica in replicas {
        if let Some(error) = &replica.last_error {
            output::line(&format!("{}: last error: {error}", replica.target));
        }
    }
}

fn row(replica: &Replica, size: u64) -> Vec<String> {
    let state = match replica.state {
        ReplicaState::Pending => "pending",
        ReplicaState::Copying => "copying",
        ReplicaState::Available => "available",
        ReplicaState::Failed => "failed",
        ReplicaState::Other => "unknown",
    };
    let done = match replica.state {
        ReplicaState::Available => "100%".to_owned(),
        _ if size == 0 => "0%".to_owned(),
        _ => format!("{}%", u128::from(replica.bytes_done) * 100 / u128::from(size)),
    };
    let text = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
    let lag = human::duration(Duration::from_secs(replica.lag_seconds));
    let lag = match replica.state {
        ReplicaState::Available => lag,
        _ => format!("{lag} so far"),
    };
    vec![
        replica.target.clone(),
        text(&replica.kind),
        state.to_owned(),
        done,
        replica.attempts.to_string(),
        lag,
        text(&replica.key),
    ]
}

fn show_upload(path: &RemotePath, upload: &Upload) {
    let state = match upload.state {
        UploadState::ProofRequired => "upload begun; running it again may need no bytes to be sent",
        UploadState::Open => "upload in progress",
        UploadState::Finalizing => "upload being put together by the store",
        UploadState::Complete => "upload complete",
        UploadState::Aborted | UploadState::Expired => "upload given up",
        UploadState::Other => "upload in an unknown state",
    };
    let received = upload.received.as_deref().unwrap_or_default();
    let numbers: Vec<u32> = received.iter().map(|part| part.number).collect();
    let bytes = received.iter().map(|part| part.size).sum();
    output::line(&format!("{path}: {state}"));
    output::line(&format!(
        "  received    {} of {} parts, {} of {}",
        numbers.len(),
        upload.part_count,
        human::size(bytes),
        human::size(upload.size)
    ));
    output::line(&format!("  parts       {}", human::ranges(&numbers)));
    if let Some(expires) = upload.expires_at {
        output::line(&format!(
            "  expires     {} UTC, unless it goes on",
            human::time(expires)
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row_of(state: &str, bytes_done: u64, key: Option<&str>) -> Vec<String> {
        let replica = json!({
            "target": "oss", "kind": "oss", "state": state, "bytes_done": bytes_done, "attempts": 3, "key": key,
            "since": "2026-11-20T10:00:00Z", "lag_seconds": 65, "updated_at": "2026-11-20T10:01:05Z",
        });
        row(&serde_json::from_value(replica).unwrap(), 1000)
    }

    #[test]
    fn a_replica_is_one_row() {
        let cells = ["oss", "oss", "copying", "25%", "3", "1 min 05 s so far", "-"];
        assert_eq!(row_of("copying", 259, None), cells);
        assert_eq!(cells.len(), HEADINGS.len());
        assert_eq!(
            row_of("available", 0, Some("k")),
            ["oss", "oss", "available", "100%", "3", "1 min 05 s", "k"]
        );
        assert_eq!(row_of("failed", 0, None)[2..4], ["failed", "0%"]);
    }
}
