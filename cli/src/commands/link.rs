//! `link`.

use super::{Context, file_at};
use crate::exit::Failure;
use crate::{human, output};
use client::tree::RemotePath;
use serde_json::json;

pub(super) async fn run(context: &Context, path: &str) -> Result<(), Failure> {
    let path: RemotePath = path.parse()?;
    let api = context.signed_in()?;
    let file = file_at(&api, &path).await?;
    let link = api.link(&file.id).await?;
    if context.json {
        output::json(&json!({
            "path": path.to_string(), "url": link.url.reveal(), "expires_at": link.expires_at,
            "size": link.size, "content_id": link.content_id,
        }));
        return Ok(());
    }
    output::line(link.url.reveal());
    if !context.quiet {
        let until = human::time(link.expires_at);
        output::note(&format!(
            "anybody with this URL can download {path} until {until} UTC"
        ));
    }
    Ok(())
}
