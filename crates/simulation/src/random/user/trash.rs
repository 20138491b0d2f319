//! What a client deletes, restores and removes.

use super::User;
use crate::gateway::Response;
use crate::person::Person;
use serde_json::json;

impl<'w> User<'w> {
    /// A file goes to the trash, or for good.
    pub(super) async fn delete(&self, person: &Person<'w>) {
        if let Some((file, _)) = self.some_file() {
            // Whether or not the answer comes: it may be gone.
            self.known.borrow_mut().files.remove(&file);
            let permanently = self.rng.within(0..2) == 0;
            let path = format!("/v1/files/{file}?permanently={permanently}");
            let answer = person.call("DELETE", &path, None).await;
            self.note(&format!("delete {path}"), &answer.status.to_string());
        }
    }

    /// A folder goes to the trash or for good, with all that is in it: nobody has noted what that is.
    pub(super) async fn delete_folder(&self, person: &Person<'w>) {
        let folder = self.rng.choose(&self.known.borrow().folders).cloned();
        if let Some(folder) = folder {
            let permanently = self.rng.within(0..2) == 0;
            let path = format!("/v1/files/{folder}?permanently={permanently}");
            let answer = self.remove_some(person, &path).await;
            if permanently && [204, 404].contains(&answer.status) {
                self.known.borrow_mut().folders.retain(|other| *other != folder);
            }
        }
    }

    /// Something comes back from the trash, as the list of it says.
    pub(super) async fn restore(&self, person: &Person<'w>) {
        let listed = person.call("GET", "/v1/trash", None).await;
        let there = listed.body["items"].as_array().cloned().unwrap_or_default();
        let Some(trashed) = self.rng.choose(&there) else {
            return self.note("list the trash", &listed.status.to_string());
        };
        let node = trashed["node"]["id"].as_str().unwrap_or_default();
        let path = format!("/v1/trash/{node}/restore");
        let mut to = json!({ "on_conflict": "rename" });
        if self.rng.within(0..3) == 0 {
            to["parent"] = json!(self.some_folder());
        }
        let answer = person.call("POST", &path, Some(to)).await;
        self.note(&format!("restore {node}"), &answer.status.to_string());
    }

    /// All that is in the trash goes for good: nobody has noted what that is.
    pub(super) async fn empty_trash(&self, person: &Person<'w>) {
        self.remove_some(person, "/v1/trash").await;
    }

    async fn remove_some(&self, person: &Person<'w>, path: &str) -> Response {
        self.known.borrow_mut().doubt();
        let answer = person.call("DELETE", path, None).await;
        self.known.borrow_mut().doubt();
        // It may yet be done.
        if answer.status == 0 || answer.status >= 500 {
            self.known.borrow_mut().is_uncertain = true;
        }
        self.note(&format!("delete {path}"), &answer.status.to_string());
        answer
    }
}
