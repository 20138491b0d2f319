//! `trash-restore`, `trash-empty`.

use super::{Scenario, check_status};
use crate::harness::bytes::fresh;
use crate::harness::person::Person;
use crate::harness::sandbox::http_event;
use client::types::Node;
use serde_json::Value;

/// A folder with a file, in the trash.
struct Trashed {
    person: Person,
    folder: Node,
}

impl Trashed {
    async fn new() -> Self {
        let person = Person::not_signed_in().await;
        let folder = person.api.create_folder("f", None).await.unwrap();
        person.store("a", Some(&folder.id), &fresh(100)).await;
        person.api.trash_file(&folder.id).await.unwrap();
        Self { person, folder }
    }

    async fn is_empty(&self) -> bool {
        self.person.api.trash().await.unwrap().is_empty()
    }
}

/// It is back once, with what is in it.
pub(super) struct Restore(Trashed);

impl Scenario for Restore {
    const FUNCTION: &'static str = "trash-restore";
    const CALLS: usize = 5;

    async fn prepare() -> Self {
        Self(Trashed::new().await)
    }

    fn people(&self) -> Vec<&Person> {
        vec![&self.0.person]
    }

    fn event(&self) -> Value {
        let Trashed { person, folder } = &self.0;
        http_event(Self::FUNCTION, Some(&folder.id), &person.token, None)
    }

    fn check_answer(&self, answer: &Value, failed: bool, what: &str) {
        check_status(answer, 200, failed, &[409], what);
    }

    async fn again(&self, what: &str) {
        let Trashed { person, folder } = &self.0;
        person.api.restore(&folder.id, None).await.unwrap();
        assert!(self.0.is_empty().await, "{what}");
        let top = person.api.all_files(None).await.unwrap();
        let inside = person.api.all_files(Some(&folder.id)).await.unwrap();
        assert_eq!((top.len(), inside.len()), (1, 1), "{what}");
        assert_eq!(person.used().await, 100, "{what}");
    }
}

/// All of it goes.
pub(super) struct Empty(Trashed);

impl Scenario for Empty {
    const FUNCTION: &'static str = "trash-empty";
    const CALLS: usize = 3;

    async fn prepare() -> Self {
        Self(Trashed::new().await)
    }

    fn people(&self) -> Vec<&Person> {
        vec![&self.0.person]
    }

    fn event(&self) -> Value {
        http_event(Self::FUNCTION, None, &self.0.person.token, None)
    }

    fn check_answer(&self, answer: &Value, failed: bool, what: &str) {
        check_status(answer, 204, failed, &[], what);
    }

    async fn again(&self, what: &str) {
        self.0.person.api.empty_trash().await.unwrap();
        assert!(self.0.is_empty().await, "{what}");
    }
}
