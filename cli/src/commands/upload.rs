//! `upload`.

use super::Context;
use crate::args;
use crate::exit::{Exit, Failure};
use crate::{human, output};
use client::Api;
use client::transfer::{How, Options, UploadRequest, Uploaded, upload};
use client::tree::{self, Place, RemotePath};
use domain::name::Name;
use serde_json::json;
use std::path::Path;

pub(super) async fn run(context: &Context, arguments: &args::Upload) -> Result<(), Failure> {
    let api = context.signed_in()?;
    let folder: RemotePath = arguments.to.parse()?;
    // Before anything is made over there, so that a typing mistake leaves nothing behind.
    let mut names = Vec::new();
    for file in &arguments.files {
        names.push(name_of(file)?);
    }
    let place = tree::ensure_folder(&api, &folder).await?;
    let mut first_failure = None;
    for (file, name) in arguments.files.iter().zip(&names) {
        let ended = one(context, &api, arguments, file, &folder, &place, name).await;
        context.display.end();
        let Err(failure) = ended else { continue };
        let failure = failure.about(&file.display().to_string());
        if failure.concerns_all() || arguments.files.len() == 1 {
            return Err(first_failure.unwrap_or(failure));
        }
        // One bad file is no reason to keep the others waiting.
        output::failure(&failure, context.json);
        first_failure.get_or_insert(failure);
    }
    match first_failure {
        None => Ok(()),
        Some(failure) => Err(Failure::new(failure.exit, "not all files were uploaded")),
    }
}

async fn one(
    context: &Context,
    api: &Api,
    arguments: &args::Upload,
    file: &Path,
    folder: &RemotePath,
    place: &Place,
    name: &Name,
) -> Result<(), Failure> {
    let request = UploadRequest {
        path: file.to_owned(),
        name: name.as_str().to_owned(),
        parent: place.id().map(str::to_owned),
        content_type: None,
    };
    let options = Options {
        streams: arguments.streams.streams,
        observer: context.display.begin(name.as_str(), "sending"),
        ..Options::default()
    };
    let uploaded = upload(api, &request, &options).await?;
    context.display.end();
    report(context, &folder.join(name), &uploaded);
    Ok(())
}

fn report(context: &Context, path: &RemotePath, uploaded: &Uploaded) {
    let Uploaded {
        file,
        how,
        parts_sent,
        parts_kept,
    } = uploaded;
    if context.json {
        let how = match how {
            How::Sent => "sent",
            How::Resumed => "resumed",
            How::Instant => "instant",
            How::AlreadyThere => "already_there",
        };
        output::json(&json!({
            "path": path.to_string(), "how": how, "parts_sent": parts_sent, "parts_kept": parts_kept, "file": file,
        }));
        return;
    }
    let size = human::size(file.size.unwrap_or(0));
    let story = match how {
        How::Sent => String::new(),
        How::Resumed => format!(" (resumed: {parts_kept} parts were stored already, {parts_sent} sent now)"),
        How::Instant => " (at once: you have the same bytes stored already)".to_owned(),
        How::AlreadyThere => " (it was there already, with the same bytes)".to_owned(),
    };
    output::line(&format!("{path}  {size}{story}"));
}

fn name_of(file: &Path) -> Result<Name, Failure> {
    let shown = file.display().to_string();
    let facts = file.metadata().map_err(|error| {
        let exit = if error.kind() == std::io::ErrorKind::NotFound {
            Exit::NotFound
        } else {
            Exit::Failed
        };
        Failure::new(exit, format!("cannot read {shown}: {error}"))
    })?;
    if !facts.is_file() {
        return Err(Failure::new(Exit::Usage, format!("{shown} is not a file"))
            .then("name the files to upload one by one"));
    }
    let name = file
        .file_name()
        .and_then(|name| name.to_str())
        .unwrap_or_default();
    name.parse().map_err(|error| {
        Failure::new(
            Exit::Usage,
            format!("{shown} cannot be stored under its name: {error}"),
        )
    })
}
