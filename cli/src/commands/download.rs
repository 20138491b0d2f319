//! `download`.

use super::versioned::Versioned;
use super::{Context, file_at, not_a_file};
use crate::args;
use crate::destination::Destination;
use crate::exit::Failure;
use crate::{human, output};
use client::Api;
use client::transfer::{DownloadRequest, Downloaded, Options, Output, TransferError, download, stream};
use client::tree::RemotePath;
use client::types::Node;
use serde_json::json;
use std::fs::OpenOptions;
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

/// `number`: of a version, instead of what the file has.
pub(super) async fn run(
    context: &Context,
    arguments: &args::Download,
    number: Option<u64>,
) -> Result<(), Failure> {
    let path: RemotePath = arguments.path.parse()?;
    let name = path.name().ok_or_else(|| not_a_file(&path))?;
    let api = context.signed_in()?;
    let file = match number {
        None => file_at(&api, &path).await?,
        Some(number) => Box::new(Versioned::read(&api, path.clone()).await?.as_of(number)?),
    };
    // The name is the one typed here, never one that the server made up: it is a plain name by its type.
    let destination = Destination::of(arguments.output.as_deref(), name, arguments.force)?;
    let options = Options {
        streams: arguments.streams.streams,
        observer: context.display.begin(name, "fetching"),
        ..Options::default()
    };
    let (done, target) = match destination {
        Destination::Stdout => (to_stdout(&api, &file, &options).await?, None),
        Destination::Stream(target) => (to_stream(&api, &file, &target, &options).await?, Some(target)),
        Destination::File(target) => {
            let request = DownloadRequest {
                file: *file,
                target: target.clone(),
                overwrite: arguments.force,
            };
            (download(&api, &request, &options).await?, Some(target))
        }
    };
    context.display.end();
    report(context, &path, target.as_deref(), &done);
    Ok(())
}

async fn to_stdout(api: &Api, file: &Node, options: &Options) -> Result<Downloaded, Failure> {
    let output = Output {
        name: PathBuf::from("to standard output"),
        writer: Box::new(io::stdout()),
    };
    let done = stream(api, file, output, options).await;
    done.map_err(|error| match error {
        // The reader has had enough. What they have is not verified, so it is no success either.
        TransferError::Disk { error, .. } if error.kind() == ErrorKind::BrokenPipe => Failure::silent(),
        error => passed_on(error),
    })
}

async fn to_stream(api: &Api, file: &Node, target: &Path, options: &Options) -> Result<Downloaded, Failure> {
    let cannot = |error| Failure::failed(format!("cannot write {}: {error}", target.display()));
    let path = target.to_owned();
    // Opening a pipe waits for its reader.
    let open = move || -> io::Result<Box<dyn Write + Send>> {
        Ok(Box::new(OpenOptions::new().write(true).open(path)?))
    };
    let opened = tokio::task::spawn_blocking(open).await;
    let output = Output {
        name: target.to_owned(),
        writer: opened.map_err(io::Error::other).flatten().map_err(cannot)?,
    };
    stream(api, file, output, options).await.map_err(passed_on)
}

/// Of what was passed on nothing is kept: running the command again does not go on where it stopped.
fn passed_on(error: TransferError) -> Failure {
    let again = matches!(
        error,
        TransferError::Disk { .. }
            | TransferError::StoreUnreachable { .. }
            | TransferError::StoreRefused { .. }
            | TransferError::StoreLost(_)
            | TransferError::NotConverging
    );
    let failure = Failure::from(error);
    if again {
        Failure {
            next_step: None,
            ..failure
        }
    } else {
        failure
    }
}

/// `target` is where the file is now, if it is not in standard output, in which there must be nothing else.
fn report(context: &Context, path: &RemotePath, target: Option<&Path>, done: &Downloaded) {
    // Not every name is text, and JSON has nothing else.
    let place = target
        .as_ref()
        .map_or("-".into(), |target| target.to_string_lossy());
    if context.json {
        let document = json!({
            "path": path.to_string(), "output": place, "size": done.size, "content_id": done.content_id,
            "parts_fetched": done.parts_fetched, "parts_kept": done.parts_kept,
        });
        match target {
            Some(_) => output::json(&document),
            None => output::note_json(&document),
        }
        return;
    }
    let kept = match done.parts_kept {
        0 => String::new(),
        kept => format!(
            " (resumed: {kept} parts were on this disk already, {} fetched now)",
            done.parts_fetched
        ),
    };
    let size = human::size(done.size);
    match target {
        Some(_) => output::line(&format!("{place}  {size}, verified{kept}")),
        None if context.quiet => {}
        None => output::note(&format!("{path}  {size}, verified")),
    }
}
