//! What a client does to many files and folders in one request.

use super::User;
use crate::person::Person;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// How many it does it to at most.
const MOST: usize = 6;

impl<'w> User<'w> {
    /// Files, and perhaps a folder, go somewhere else; they stay what they are.
    pub(super) async fn move_many(&self, person: &Person<'w>) {
        let mut items = self.some_files();
        items.extend(self.some_folder());
        let conflict = ["rename", "fail"][self.rng.within(0..2_usize)];
        let rest = json!({ "parent": self.some_folder(), "on_conflict": conflict });
        self.batch(person, "move", &items, rest).await;
    }

    /// Files go to the trash, or for good.
    pub(super) async fn delete_many(&self, person: &Person<'w>) {
        let items = self.some_files();
        // Whether or not the answer comes: they may be gone.
        let is_kept = |file: &String| !items.contains(file);
        self.known.borrow_mut().files.retain(|file, _| is_kept(file));
        let op = ["trash", "delete"][self.rng.within(0..2_usize)];
        self.batch(person, op, &items, json!({})).await;
    }

    /// What came last into the trash comes back.
    pub(super) async fn restore_many(&self, person: &Person<'w>) {
        let listed = person.call("GET", "/v1/trash", None).await;
        let there = listed.body["items"].as_array().cloned().unwrap_or_default();
        let ids = there.iter().filter_map(|item| item["node"]["id"].as_str());
        let items = ids.take(MOST).map(str::to_owned).collect();
        let rest = json!({ "on_conflict": "rename" });
        self.batch(person, "restore", &items, rest).await;
    }

    fn some_files(&self) -> BTreeSet<String> {
        let draws = self.rng.within(2..=MOST);
        let files = (0..draws).filter_map(|_| self.some_file());
        files.map(|(file, _)| file).collect()
    }

    async fn batch(&self, person: &Person<'w>, op: &str, items: &BTreeSet<String>, rest: Value) {
        if items.is_empty() {
            return;
        }
        let ids: Vec<_> = items.iter().map(|id| json!({ "id": id })).collect();
        let mut body = rest;
        body["op"] = json!(op);
        body["items"] = json!(ids);
        let what = body.to_string();
        let answer = person.call("POST", "/v1/files/batch", Some(body)).await;
        let results = answer.body["results"].as_array().cloned().unwrap_or_default();
        let codes: Vec<_> = results.iter().map(|result| &result["problem"]["code"]).collect();
        self.note(&what, &format!("{} {codes:?}", answer.status));
    }
}
