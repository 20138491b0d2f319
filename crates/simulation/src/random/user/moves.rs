//! What a client renames, moves and copies.

use super::{Theme, User};
use crate::person::Person;
use serde_json::{Value, json};

impl<'w> User<'w> {
    /// A file goes somewhere else; it stays what it is, and so does all that is there.
    pub(super) async fn move_file(&self, person: &Person<'w>, theme: Theme) {
        if let Some((file, _)) = self.some_file() {
            let conflict = ["rename", "fail"][self.rng.within(0..2_usize)];
            let name = format!("file-{}", theme.name);
            let to = json!({ "name": name, "parent": self.some_folder(), "on_conflict": conflict });
            self.update(person, &file, to).await;
        }
    }

    /// A file takes the place of another one, of which nobody can say which content it must have.
    pub(super) async fn move_over_another(&self, person: &Person<'w>, theme: Theme) {
        let from = format!("/v1/files?name=replaced-{}", self.rng.within(0..4));
        let found = person.call("GET", &from, None).await;
        if let Some(file) = found.body["items"][0]["id"].as_str() {
            let name = format!("replaced-{}", theme.name);
            let to = json!({ "name": name, "on_conflict": "replace" });
            self.update(person, file, to).await;
        }
    }

    /// A copy of a file has what the file has, whatever becomes of that.
    pub(super) async fn copy_file(&self, person: &Person<'w>, theme: Theme) {
        let doubts = self.known.borrow().doubts;
        let Some((file, content)) = self.some_file() else {
            return;
        };
        let conflict = ["rename", "fail"][self.rng.within(0..2_usize)];
        let name = format!("file-{}", theme.name);
        let to = json!({ "name": name, "parent": self.some_folder(), "on_conflict": conflict });
        if let Some(copy) = self.copy(person, &file, to).await {
            self.known.borrow_mut().keep(copy, content, doubts);
        }
    }

    /// It takes the place of another file, of which nobody can say which content it must have; or of itself.
    pub(super) async fn copy_over_another(&self, person: &Person<'w>, theme: Theme) {
        let name = format!("replaced-{}", theme.name);
        let to = json!({ "name": name, "parent": null, "on_conflict": "replace" });
        let from = format!("/v1/files?name=replaced-{}", self.rng.within(0..4));
        let found = person.call("GET", &from, None).await;
        let replaced = found.body["items"][0]["id"].as_str().map(str::to_owned);
        let known = self.some_file().map(|(file, _)| file);
        if let Some(file) = replaced.filter(|_| self.rng.within(0..2) == 0).or(known) {
            self.copy(person, &file, to).await;
        }
    }

    async fn copy(&self, person: &Person<'w>, file: &str, to: Value) -> Option<String> {
        let what = format!("copy {file} to {to}");
        let copied = person
            .call("POST", &format!("/v1/files/{file}/copy"), Some(to))
            .await;
        self.note(&what, &format!("{} {}", copied.status, copied.body["id"]));
        let made = copied.body["id"].as_str().filter(|_| copied.status == 201);
        made.map(str::to_owned)
    }

    /// A folder goes somewhere else, if it is not into itself, or gets another name.
    pub(super) async fn move_folder(&self, person: &Person<'w>, theme: Theme) {
        let folder = self.rng.choose(&self.known.borrow().folders).cloned();
        if let Some(folder) = folder {
            let name = format!("folder-{}", theme.name);
            let mut to = json!({ "name": name, "on_conflict": "rename" });
            if self.rng.within(0..3) > 0 {
                to["parent"] = json!(self.some_folder());
            }
            self.update(person, &folder, to).await;
        }
    }

    async fn update(&self, person: &Person<'w>, node: &str, to: Value) {
        let what = format!("move {node} to {to}");
        let path = format!("/v1/files/{node}");
        let answer = person.call("PATCH", &path, Some(to)).await;
        self.note(&what, &answer.status.to_string());
    }
}
