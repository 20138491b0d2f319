//! `file-update`, `file-copy`, `file-delete`, `folder-create`, `account-create`, `account-set-quota`, `account-set-role`.

use super::{Scenario, check_status};
use crate::harness::audit;
use crate::harness::aws::invoke;
use crate::harness::bytes::fresh;
use crate::harness::person::{PASSWORD, Person, anonymous, content_id, make_account, new_username};
use crate::harness::sandbox::http_event;
use bytes::Bytes;
use client::types::Node;
use serde_json::{Value, json};

fn deleting(person: &Person, node: &Node) -> Value {
    http_event("file-delete", Some(&node.id), &person.token, None)
}

/// Deleting again ends it: the bytes are given back once, and the blob loses one reference.
pub(super) struct DeleteFile {
    person: Person,
    bytes: Bytes,
    folder: Node,
    file: Node,
}

impl Scenario for DeleteFile {
    const FUNCTION: &'static str = "file-delete";
    const CALLS: usize = 3;

    async fn prepare() -> Self {
        let (person, bytes) = (Person::not_signed_in().await, fresh(100));
        let folder = person.api.create_folder("f", None).await.unwrap();
        let file = person.store("a", Some(&folder.id), &bytes).await.file;
        Self {
            person,
            bytes,
            folder,
            file,
        }
    }

    fn people(&self) -> Vec<&Person> {
        vec![&self.person]
    }

    fn event(&self) -> Value {
        deleting(&self.person, &self.file)
    }

    fn check_answer(&self, answer: &Value, failed: bool, what: &str) {
        check_status(answer, 204, failed, &[404, 409], what);
    }

    async fn again(&self, what: &str) {
        let path = format!("/files/{}?permanently=true", self.file.id);
        let again = self.person.call("DELETE", &path, None).await;
        assert!([204, 404].contains(&again.status), "{what}: {}", again.text());
        let content = content_id(&self.bytes).to_string();
        let blob = audit::blob_of(&content).await.unwrap();
        assert_eq!(blob["references"], 0, "{what}");
        self.person.api.delete_file(&self.folder.id).await.unwrap();
        assert_eq!(self.person.used().await, 0, "{what}");
    }
}

/// There is one folder in the end, and its parent counts it once.
pub(super) struct MakeFolder {
    person: Person,
    parent: Node,
}

impl MakeFolder {
    fn body(&self) -> Value {
        json!({ "name": "a", "parent": self.parent.id })
    }
}

impl Scenario for MakeFolder {
    const FUNCTION: &'static str = "folder-create";
    const CALLS: usize = 2;

    async fn prepare() -> Self {
        let person = Person::not_signed_in().await;
        let parent = person.api.create_folder("f", None).await.unwrap();
        Self { person, parent }
    }

    fn people(&self) -> Vec<&Person> {
        vec![&self.person]
    }

    fn event(&self) -> Value {
        let body = self.body();
        http_event("folder-create", None, &self.person.token, Some(&body))
    }

    fn check_answer(&self, answer: &Value, failed: bool, what: &str) {
        check_status(answer, 201, failed, &[409], what);
    }

    async fn again(&self, what: &str) {
        let again = self.person.call("POST", "/folders", Some(&self.body())).await;
        assert!([201, 409].contains(&again.status), "{what}: {}", again.text());
        let inside = self.person.api.all_files(Some(&self.parent.id)).await.unwrap();
        assert_eq!(inside.len(), 1, "{what}");
    }
}

/// It is in one folder or in the other, and goes into the other one in the end.
pub(super) struct MoveFolder {
    person: Person,
    from: Node,
    to: Node,
    folder: Node,
}

impl MoveFolder {
    fn body(&self) -> Value {
        json!({ "name": "moved", "parent": self.to.id })
    }
}

impl Scenario for MoveFolder {
    const FUNCTION: &'static str = "file-update";
    const CALLS: usize = 4;

    async fn prepare() -> Self {
        let person = Person::not_signed_in().await;
        let from = person.api.create_folder("f", None).await.unwrap();
        let to = person.api.create_folder("g", None).await.unwrap();
        let folder = person.api.create_folder("h", Some(&from.id)).await.unwrap();
        Self {
            person,
            from,
            to,
            folder,
        }
    }

    fn people(&self) -> Vec<&Person> {
        vec![&self.person]
    }

    fn event(&self) -> Value {
        let body = self.body();
        http_event(
            "file-update",
            Some(&self.folder.id),
            &self.person.token,
            Some(&body),
        )
    }

    fn check_answer(&self, answer: &Value, failed: bool, what: &str) {
        check_status(answer, 200, failed, &[409], what);
    }

    async fn again(&self, what: &str) {
        let path = format!("/files/{}", self.folder.id);
        let again = self.person.call("PATCH", &path, Some(&self.body())).await;
        assert_eq!(again.status, 200, "{what}: {}", again.text());
        let inside = self.person.api.all_files(Some(&self.to.id)).await.unwrap();
        assert_eq!((inside.len(), inside[0].name.as_str()), (1, "moved"), "{what}");
        self.person.api.delete_file(&self.from.id).await.unwrap();
    }
}

/// The copy is there in the end, once, and has its bytes when the other file is gone.
pub(super) struct CopyFile {
    person: Person,
    bytes: Bytes,
    folder: Node,
    file: Node,
}

impl CopyFile {
    fn body(&self) -> Value {
        json!({ "name": "b", "parent": self.folder.id })
    }
}

impl Scenario for CopyFile {
    const FUNCTION: &'static str = "file-copy";
    const CALLS: usize = 4;

    async fn prepare() -> Self {
        let (person, bytes) = (Person::not_signed_in().await, fresh(100));
        let folder = person.api.create_folder("f", None).await.unwrap();
        let file = person.store("a", None, &bytes).await.file;
        Self {
            person,
            bytes,
            folder,
            file,
        }
    }

    fn people(&self) -> Vec<&Person> {
        vec![&self.person]
    }

    fn event(&self) -> Value {
        let (body, token) = (self.body(), &self.person.token);
        http_event("file-copy", Some(&self.file.id), token, Some(&body))
    }

    fn check_answer(&self, answer: &Value, failed: bool, what: &str) {
        check_status(answer, 201, failed, &[409], what);
    }

    async fn again(&self, what: &str) {
        let path = format!("/files/{}/copy", self.file.id);
        let again = self.person.call("POST", &path, Some(&self.body())).await;
        assert!([201, 409].contains(&again.status), "{what}: {}", again.text());
        assert_eq!(self.person.used().await, 200, "{what}");
        self.person.api.delete_file(&self.file.id).await.unwrap();
        let inside = self.person.api.all_files(Some(&self.folder.id)).await.unwrap();
        assert_eq!((inside.len(), inside[0].name.as_str()), (1, "b"), "{what}");
        assert_eq!(self.person.fetch(&inside[0]).await, self.bytes, "{what}");
        let blob = audit::blob_of(&content_id(&self.bytes).to_string()).await;
        assert_eq!(blob.unwrap()["references"], 1, "{what}");
    }
}

/// The name and the account, or neither: nobody is locked out of their name.
pub(super) struct MakeAccount(String);

impl Scenario for MakeAccount {
    const FUNCTION: &'static str = "account-create";
    const CALLS: usize = 1;

    async fn prepare() -> Self {
        Self(new_username())
    }

    fn people(&self) -> Vec<&Person> {
        Vec::new()
    }

    fn event(&self) -> Value {
        let body = json!({ "username": self.0, "password": PASSWORD });
        http_event("account-create", None, "", Some(&body))
    }

    fn check_answer(&self, answer: &Value, failed: bool, what: &str) {
        check_status(answer, 201, failed, &[409], what);
    }

    async fn again(&self, what: &str) {
        let api = anonymous();
        let again = make_account(&api, &self.0).await;
        let known = again.as_ref().is_err_and(|error| error.is("username_taken"));
        assert!(known || again.is_ok(), "{what}: {again:?}");
        api.create_session(&self.0, PASSWORD).await.unwrap();
    }
}

/// The quota is the old one or the new one, and what is used of it stays what it is.
pub(super) struct SetQuota {
    person: Person,
}

impl SetQuota {
    fn payload(&self) -> Value {
        json!({ "username": self.person.username, "quota_bytes": 5000 })
    }
}

impl Scenario for SetQuota {
    const FUNCTION: &'static str = "account-set-quota";
    const CALLS: usize = 3;

    async fn prepare() -> Self {
        let person = Person::not_signed_in().await;
        person.begin("a", &fresh(300)).await;
        Self { person }
    }

    fn people(&self) -> Vec<&Person> {
        vec![&self.person]
    }

    fn event(&self) -> Value {
        self.payload()
    }

    fn check_answer(&self, answer: &Value, failed: bool, what: &str) {
        let set = answer["quota_bytes"] == 5000 && answer["used_bytes"] == 300;
        assert!(set || failed && !answer["error"].is_null(), "{what}: {answer}");
    }

    async fn again(&self, what: &str) {
        let quota = self.person.api.account().await.unwrap().quota_bytes;
        assert!([self.person.quota, 5000].contains(&quota), "{what}");
        let account = invoke("account-set-quota", &self.payload()).await.unwrap();
        assert_eq!(
            (&account["quota_bytes"], &account["used_bytes"]),
            (&json!(5000), &json!(300)),
            "{what}"
        );
    }
}

/// The account is an operator, or not yet, and nothing else about it is changed.
pub(super) struct SetRole {
    person: Person,
}

impl SetRole {
    fn payload(&self) -> Value {
        json!({ "username": self.person.username, "role": "operator" })
    }
}

impl Scenario for SetRole {
    const FUNCTION: &'static str = "account-set-role";
    const CALLS: usize = 3;

    async fn prepare() -> Self {
        let person = Person::not_signed_in().await;
        person.begin("a", &fresh(300)).await;
        Self { person }
    }

    fn people(&self) -> Vec<&Person> {
        vec![&self.person]
    }

    fn event(&self) -> Value {
        self.payload()
    }

    fn check_answer(&self, answer: &Value, failed: bool, what: &str) {
        let set = answer["role"] == "operator" && answer["used_bytes"] == 300;
        assert!(set || failed && !answer["error"].is_null(), "{what}: {answer}");
    }

    async fn again(&self, what: &str) {
        let account = invoke("account-set-role", &self.payload()).await.unwrap();
        assert_eq!(account["role"], "operator", "{what}");
        let status = self.person.call("GET", "/targets", None).await.status;
        assert_eq!(status, 200, "{what}");
    }
}
