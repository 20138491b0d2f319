//! `upload`.

use super::Context;
use super::several::Several;
use super::sources::{Source, judge, shown};
use crate::args;
use crate::exit::Failure;
use crate::{human, output};
use client::Api;
use client::transfer::{How, OpenUploads, Options, UploadRequest, Uploaded, upload_among};
use client::tree::{self, RemotePath, TreeNode};
use domain::name::Name;
use serde_json::json;
use std::path::Path;

pub(super) async fn run(context: &Context, arguments: &args::Upload) -> Result<(), Failure> {
    let api = context.signed_in()?;
    let folder: RemotePath = arguments.to.parse()?;
    let mut several = Several::new(context, arguments.files.len());
    let keeps_both = arguments.on_conflict == args::OnConflict::Rename;
    let (sources, failures) = judge(&arguments.files, keeps_both);
    // One that is named twice is done once.
    let mut done = arguments.files.len() - sources.len() - failures.len();
    for failure in failures {
        several.failed(failure);
    }
    // When there is nothing to upload, nothing is made over there: a typing mistake leaves nothing behind.
    if !sources.is_empty() {
        let run = Run {
            place: tree::ensure_folder(&api, &folder).await?,
            open: OpenUploads::default(),
            context,
            api,
            arguments,
            folder,
        };
        for source in &sources {
            let ended = run.one(source).await;
            context.display.end();
            let Err(failure) = ended else {
                done += 1;
                continue;
            };
            // One bad file is no reason to keep the others waiting.
            if !several.failed(failure) {
                break;
            }
        }
    }
    several.end(done, "not all files were uploaded")
}

/// What all files of a command have in common.
struct Run<'a> {
    context: &'a Context,
    api: Api,
    arguments: &'a args::Upload,
    folder: RemotePath,
    place: TreeNode,
    open: OpenUploads,
}

impl Run<'_> {
    async fn one(&self, source: &Source<'_>) -> Result<(), Failure> {
        let (context, arguments) = (self.context, self.arguments);
        let request = UploadRequest {
            path: source.path.to_owned(),
            name: source.name.as_str().to_owned(),
            parent: self.place.id().map(str::to_owned),
            content_type: content_type(source.path),
            on_conflict: arguments.on_conflict.into(),
        };
        let options = Options {
            streams: arguments.streams.streams,
            observer: context.display.begin(source.name.as_str(), "sending"),
            ..Options::default()
        };
        let uploaded = upload_among(&self.open, &self.api, &request, &options).await;
        let uploaded = uploaded.map_err(|error| match error.path() {
            Some(_) => Failure::from(error),
            None => Failure::from(error).about(&shown(source.path)),
        })?;
        context.display.end();
        report(context, &self.folder, &source.name, &uploaded);
        Ok(())
    }
}

/// What the file is by its extension, if that is known.
fn content_type(file: &Path) -> Option<String> {
    mime_guess::from_path(file).first_raw().map(str::to_owned)
}

/// `asked` is the name that was asked for; the file may have got another one.
fn report(context: &Context, folder: &RemotePath, asked: &Name, uploaded: &Uploaded) {
    let Uploaded {
        file,
        how,
        parts_sent,
        parts_kept,
    } = uploaded;
    let name = file.name.parse().unwrap_or_else(|_| asked.clone());
    let path = folder.join(&name);
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
    output::line(&format!("{path}  {size}{}", story(asked, uploaded)));
}

/// What a person may want to know besides, each in brackets.
fn story(asked: &Name, uploaded: &Uploaded) -> String {
    let Uploaded {
        file,
        how,
        parts_sent,
        parts_kept,
    } = uploaded;
    let way = match how {
        How::Sent => String::new(),
        How::Resumed => format!(" (resumed: {parts_kept} parts were stored already, {parts_sent} sent now)"),
        How::Instant => " (instant: the same bytes are stored already)".to_owned(),
        How::AlreadyThere => " (it was there already, with the same bytes)".to_owned(),
    };
    if file.name == asked.as_str() {
        way
    } else {
        format!("{way} (renamed: there is another {asked})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::media_type::MediaType;

    fn told(how: How, name: &str) -> String {
        let file = json!({ "id": "f", "kind": "file", "name": name, "created_at": "2026-11-20T10:00:00Z" });
        let uploaded = Uploaded {
            file: serde_json::from_value(file).unwrap(),
            how,
            parts_sent: 2,
            parts_kept: 3,
        };
        story(&"a.txt".parse().unwrap(), &uploaded)
    }

    #[test]
    fn only_what_is_out_of_the_ordinary_is_told() {
        assert_eq!(told(How::Sent, "a.txt"), "");
        assert_eq!(told(How::Sent, "a (1).txt"), " (renamed: there is another a.txt)");
        assert_eq!(
            told(How::Instant, "a (1).txt"),
            " (instant: the same bytes are stored already) (renamed: there is another a.txt)"
        );
        assert_eq!(
            told(How::Resumed, "a.txt"),
            " (resumed: 3 parts were stored already, 2 sent now)"
        );
        assert!(told(How::AlreadyThere, "a.txt").contains("already"));
    }

    #[test]
    fn extensions_tell_what_a_file_is() {
        let known = |name: &str| content_type(Path::new(name));
        assert_eq!(known("folder.zip/notes.TXT").as_deref(), Some("text/plain"));
        assert_eq!(known("photo.jpeg").as_deref(), Some("image/jpeg"));
        assert_eq!(known("archive.tar.gz").as_deref(), Some("application/gzip"));
        for unknown in ["longshore", "a.", ".txt", "core.12345", "x.longshore"] {
            assert_eq!(known(unknown), None, "{unknown}");
        }
    }

    /// One that the API refuses would keep the file from being uploaded.
    #[test]
    fn every_content_type_is_one_that_the_api_takes() {
        let letters = || (b'a'..=b'z').chain(b'0'..=b'9').map(char::from);
        let mut found = 0;
        for (a, b, c) in
            letters().flat_map(|a| letters().flat_map(move |b| letters().map(move |c| (a, b, c))))
        {
            if let Some(guess) = content_type(Path::new(&format!("x.{a}{b}{c}"))) {
                found += 1;
                assert!(MediaType::try_from(guess.clone()).is_ok(), "{guess}");
            }
        }
        assert!(found > 500, "{found} extensions of three letters are known");
    }
}
