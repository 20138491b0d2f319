//! `file-batch`.

use super::{Scenario, check_status};
use crate::harness::bytes::fresh;
use crate::harness::person::Person;
use crate::harness::sandbox::http_event;
use client::types::{Batch, Node, OnConflict};
use serde_json::{Value, json};

/// Two files and a folder: each is in one folder or in the other, and all are in the other one in the end.
pub(super) struct Move {
    person: Person,
    from: Node,
    to: Node,
    items: Vec<String>,
}

impl Scenario for Move {
    const FUNCTION: &'static str = "file-batch";
    const CALLS: usize = 4;

    async fn prepare() -> Self {
        let person = Person::not_signed_in().await;
        let from = person.api.create_folder("f", None).await.unwrap();
        let to = person.api.create_folder("g", None).await.unwrap();
        let mut items = Vec::new();
        for name in ["a", "b"] {
            items.push(person.store(name, Some(&from.id), &fresh(100)).await.file.id);
        }
        items.push(person.api.create_folder("h", Some(&from.id)).await.unwrap().id);
        Self {
            person,
            from,
            to,
            items,
        }
    }

    fn people(&self) -> Vec<&Person> {
        vec![&self.person]
    }

    fn event(&self) -> Value {
        let items: Vec<_> = self.items.iter().map(|id| json!({ "id": id })).collect();
        let body = json!({ "op": "move", "items": items, "parent": self.to.id });
        http_event(Self::FUNCTION, None, &self.person.token, Some(&body))
    }

    fn check_answer(&self, answer: &Value, failed: bool, what: &str) {
        check_status(answer, 200, failed, &[], what);
    }

    async fn again(&self, what: &str) {
        let batch = Batch::Move {
            parent: Some(self.to.id.clone()),
            on_conflict: OnConflict::Fail,
        };
        let ids: Vec<&str> = self.items.iter().map(String::as_str).collect();
        let again = self.person.api.batch(&batch, &ids).await;
        assert!(again.iter().all(Result::is_ok), "{what}: {again:?}");
        let count = async |folder: &Node| self.person.api.all_files(Some(&folder.id)).await.unwrap().len();
        assert_eq!((count(&self.from).await, count(&self.to).await), (0, 3), "{what}");
        assert_eq!(self.person.used().await, 200, "{what}");
    }
}
