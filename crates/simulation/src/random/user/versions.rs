//! What a client does with versions of files that all of them replace.

use super::{Theme, User};
use crate::person::{Person, content_id};
use serde_json::{Value, json};

impl<'w> User<'w> {
    /// Looks at what such a file has and had, and does something about one of them.
    pub(super) async fn use_versions(&self, person: &Person<'w>, theme: Theme) {
        let name = format!("replaced-{}", theme.name);
        let listed = person.call("GET", &format!("/v1/files?name={name}"), None).await;
        // As often as not the name is free, or its file has had no other content: then somebody sees to that.
        let Some(file) = listed.body["items"][0]["id"].as_str() else {
            return self.replace(person, theme).await;
        };
        let path = format!("/v1/files/{file}/versions");
        let listed = person.call("GET", &path, None).await;
        let there = listed.body["items"].as_array().cloned().unwrap_or_default();
        let earlier: Vec<&Value> = there
            .iter()
            .filter(|version| version["current"] == false)
            .collect();
        let Some(version) = self.rng.choose(&earlier) else {
            return self.replace(person, theme).await;
        };
        let id = version["id"].as_str().unwrap_or_default();
        let path = format!("/v1/versions/{id}");
        let (what, answer) = match self.rng.within(0..6) {
            0..=1 => (
                "restore",
                person.call("POST", &format!("{path}/restore"), None).await,
            ),
            2 => ("delete", person.call("DELETE", &path, None).await),
            3..=4 => {
                let kept = json!({ "kept": self.rng.within(0..3) > 0 });
                ("keep or not", person.call("PATCH", &path, Some(kept)).await)
            }
            _ => return self.fetch_version(person, file, version).await,
        };
        self.note(&format!("{what} version {id}"), &answer.status.to_string());
    }

    async fn fetch_version(&self, person: &Person<'w>, file: &str, version: &Value) {
        let number = &version["number"];
        let bytes = person
            .fetch_from(&format!("/v1/files/{file}/content?number={number}"))
            .await;
        let result = match &bytes {
            // It may be gone meanwhile.
            None => "no answer",
            Some(bytes) if content_id(bytes).is_some_and(|id| version["content_id"] == id.to_string()) => {
                "the right bytes"
            }
            Some(_) => {
                self.world
                    .see_wrong(format!("other bytes than those of {version}"));
                "other bytes"
            }
        };
        self.note(&format!("fetch version {number} of {file}"), result);
    }
}
