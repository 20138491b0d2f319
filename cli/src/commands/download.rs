//! `download`.

use super::Context;
use crate::args;
use crate::exit::{Exit, Failure};
use crate::{human, output};
use client::transfer::{DownloadRequest, Options, download};
use client::tree::{self, Place, RemotePath};
use client::types::NodeKind;
use serde_json::json;
use std::path::PathBuf;

pub(super) async fn run(context: &Context, arguments: &args::Download) -> Result<(), Failure> {
    let path: RemotePath = arguments.path.parse()?;
    let not_a_file = || {
        Failure::new(Exit::Usage, format!("'{path}' is a folder")).then(format!(
            "list it: longshore ls {}",
            human::quoted(&path.to_string())
        ))
    };
    let name = path.name().ok_or_else(not_a_file)?;
    // The name is the one typed here, never one that the server made up: it is a plain name by its type.
    let target = match &arguments.output {
        Some(output) if output.is_dir() => output.join(name),
        Some(output) => output.clone(),
        None => PathBuf::from(name),
    };
    let api = context.signed_in()?;
    let Place::Node(file) = tree::walk(&api, &path).await? else {
        return Err(not_a_file());
    };
    if file.kind == NodeKind::Folder {
        return Err(not_a_file());
    }
    let size = file.size.unwrap_or(0);
    let options = Options {
        streams: arguments.streams.streams,
        observer: context.display.begin(name, "fetching"),
        ..Options::default()
    };
    let request = DownloadRequest {
        file: *file,
        target: target.clone(),
        overwrite: arguments.force,
    };
    let done = download(&api, &request, &options).await?;
    context.display.end();
    if context.json {
        output::json(&json!({
            "path": path.to_string(), "output": target, "size": size, "content_id": done.content_id,
            "parts_fetched": done.parts_fetched, "parts_kept": done.parts_kept,
        }));
    } else {
        let kept = match done.parts_kept {
            0 => String::new(),
            kept => format!(
                " (resumed: {kept} parts were on this disk already, {} fetched now)",
                done.parts_fetched
            ),
        };
        let size = human::size(size);
        output::line(&format!(
            "{}  {size}, verified{kept}",
            output::plain(&target.display().to_string())
        ));
    }
    Ok(())
}
