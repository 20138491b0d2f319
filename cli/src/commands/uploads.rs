//! `uploads`, `uploads abort`.

use super::{Context, several};
use crate::exit::{Exit, Failure};
use crate::{human, output};
use client::Api;
use client::tree::Paths;
use client::types::Upload;
use jiff::Timestamp;
use serde_json::{Value, json};
use std::time::Duration;

const HEADINGS: [&str; 6] = ["ID", "SIZE", "PARTS", "AGE", "EXPIRES (UTC)", "PATH"];

/// An unfinished upload and where it goes.
struct Listed {
    upload: Upload,
    /// The path of its folder, `""` at the top; `None` when the folder is gone.
    folder: Option<String>,
}

impl Listed {
    fn path(&self) -> Option<String> {
        let folder = self.folder.as_ref()?;
        let name = &self.upload.name;
        Some(if folder.is_empty() {
            name.clone()
        } else {
            format!("{folder}/{name}")
        })
    }

    fn received(&self) -> usize {
        self.upload.received.as_ref().map_or(0, Vec::len)
    }

    fn row(&self, now: Timestamp) -> Vec<String> {
        let upload = &self.upload;
        let gone = || format!("{} (its folder is gone)", upload.name);
        vec![
            upload.id.clone(),
            human::size(upload.size),
            format!("{} of {}", self.received(), upload.part_count),
            upload
                .created_at
                .map_or_else(|| "-".to_owned(), |since| age(now, since)),
            upload.expires_at.map_or_else(|| "-".to_owned(), human::time),
            self.path().unwrap_or_else(gone),
        ]
    }

    fn document(&self) -> Value {
        json!({
            "path": self.path(),
            "folder_is_gone": self.folder.is_none(),
            "parts_received": self.received(),
            "upload": self.upload,
        })
    }
}

/// Lists all of the account's unfinished uploads, the oldest first.
pub(super) async fn list(context: &Context) -> Result<(), Failure> {
    let api = context.signed_in()?;
    let mut all = listed(&api).await?;
    all.sort_by_key(|listed| listed.upload.created_at);
    if context.json {
        let items: Vec<_> = all.iter().map(Listed::document).collect();
        output::json(&json!({ "items": items }));
    } else if all.is_empty() {
        output::note("there are no unfinished uploads");
    } else {
        let now = Timestamp::now();
        let rows: Vec<_> = all.iter().map(|listed| listed.row(now)).collect();
        output::table(&HEADINGS, &rows);
        if all.iter().any(|listed| listed.folder.is_none()) {
            output::note(
                "One whose folder is gone goes on when its file is uploaded again, to whatever folder; \
                 or give it up: longshore uploads abort <id>",
            );
        }
    }
    Ok(())
}

async fn listed(api: &Api) -> Result<Vec<Listed>, Failure> {
    let (mut listed, mut paths) = (Vec::new(), Paths::default());
    for upload in api.all_uploads().await? {
        // The list need not show what was received, and may have older ones that have ended.
        let upload = match api.upload(&upload.id).await {
            Ok(upload) if upload.state.is_in_progress() => upload,
            Ok(_) => continue,
            Err(error) if error.is("not_found") => continue,
            Err(error) => return Err(error.into()),
        };
        let folder = match &upload.parent {
            None => Some(String::new()),
            Some(id) => paths.of(api, id).await?,
        };
        listed.push(Listed { upload, folder });
    }
    Ok(listed)
}

/// Gives up the uploads `ids`, or all when there are none of them.
pub(super) async fn abort(context: &Context, ids: &[String]) -> Result<(), Failure> {
    let api = context.signed_in()?;
    let all = ids.is_empty();
    let ids: Vec<String> = if all {
        let open = api.all_uploads().await?.into_iter();
        open.filter(|upload| upload.state.is_in_progress())
            .map(|upload| upload.id)
            .collect()
    } else {
        ids.to_vec()
    };
    if ids.is_empty() && !context.json {
        output::note("there are no unfinished uploads");
    }
    let one = async |id: &String| match api.abort_upload(id).await {
        Ok(()) => {
            if context.json {
                output::json(&json!({ "id": id, "given_up": true }));
            } else {
                output::line(&format!("gave up {id}"));
            }
            Ok(())
        }
        // It ended by itself, between the list and now.
        Err(error) if all && error.is("not_found") => Ok(()),
        Err(error) => {
            let failure = Failure::from(error).about(id);
            Err(if failure.exit == Exit::NotFound {
                failure.then("see what there is: longshore uploads")
            } else {
                failure
            })
        }
    };
    several::each(context, &ids, "not all uploads were given up", one).await
}

/// `5 s`, `3 h 07 min`, `6 d 02 h`. The clocks may differ.
fn age(now: Timestamp, since: Timestamp) -> String {
    let age = Duration::try_from(now.duration_since(since)).unwrap_or_default();
    let hours = age.as_secs() / 3600;
    match hours {
        0..48 => human::duration(age),
        _ => format!("{} d {:02} h", hours / 24, hours % 24),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(folder: Option<&str>, created_at: &str) -> Vec<String> {
        let upload = json!({
            "id": "u1", "state": "open", "name": "big", "parent": "d1", "size": 20_000_000, "part_size": 8_388_608,
            "part_count": 3, "received": [{"number": 2, "size": 8_388_608}], "created_at": created_at,
            "expires_at": "2026-11-27T10:00:30Z",
        });
        let listed = Listed {
            upload: serde_json::from_value(upload).unwrap(),
            folder: folder.map(str::to_owned),
        };
        listed.row("2026-11-20T12:00:00Z".parse().unwrap())
    }

    #[test]
    fn an_upload_is_one_row_wherever_it_goes() {
        let cells = [
            "u1",
            "19.1 MiB",
            "1 of 3",
            "2 h 00 min",
            "2026-11-27 10:00",
            "x/big",
        ];
        assert_eq!(row(Some("x"), "2026-11-20T10:00:00Z"), cells);
        assert_eq!(cells.len(), HEADINGS.len());
        assert_eq!(
            row(Some(""), "2026-11-14T10:00:00Z")[3..],
            ["6 d 02 h", "2026-11-27 10:00", "big"]
        );
        assert_eq!(
            row(None, "2026-11-20T12:00:07Z")[3..],
            ["0 s", "2026-11-27 10:00", "big (its folder is gone)"]
        );
    }
}
