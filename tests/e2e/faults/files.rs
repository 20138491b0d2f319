//! `file-delete`, `folder-create`, `account-create`.

use super::{all, harmed, status, unharmed};
use crate::harness::audit;
use crate::harness::bytes::fresh;
use crate::harness::person::{PASSWORD, Person, content_id, new_username};
use crate::harness::sandbox::http_event;
use crate::harness::stack::stack;
use client::Api;
use serde_json::json;

/// Deleting again ends it: the bytes are given back once, and the blob loses one reference.
#[tokio::test]
async fn a_file_that_is_deleted() {
    let resource = "/v1/files/{id}";
    let person = Person::new().await;
    let folder = person.api.create_folder("f", None).await.unwrap();
    let file = person.store("a", Some(&folder.id), &fresh(100)).await.file;
    let event = http_event("DELETE", resource, Some(&file.id), &person.token, None);
    let (answer, calls) = unharmed("file-delete", &event).await;
    assert_eq!(status(&answer), 204, "{answer}");
    for fault in all(&calls) {
        let (person, bytes) = (Person::new().await, fresh(100));
        let folder = person.api.create_folder("f", None).await.unwrap();
        let file = person.store("a", Some(&folder.id), &bytes).await.file;
        let event = http_event("DELETE", resource, Some(&file.id), &person.token, None);
        if let Some(answer) = harmed("file-delete", &event, fault).await {
            assert!(
                [204, 404, 409, 503].contains(&status(&answer)),
                "{fault}: {answer}"
            );
        }
        let again = person.call("DELETE", &format!("/files/{}", file.id), None).await;
        assert!([204, 404].contains(&again.status), "{fault}: {}", again.text());
        assert_eq!(
            (audit::account(&person).await, person.used().await),
            (0, 0),
            "{fault}"
        );
        let blob = audit::blob_of(&content_id(&bytes).to_string()).await.unwrap();
        assert_eq!(blob["references"], 0, "{fault}");
        assert!(blob["due_at"].is_u64(), "{fault}");
        person.api.delete_file(&folder.id).await.unwrap();
    }
}

#[tokio::test]
async fn a_folder_that_is_made() {
    let person = Person::new().await;
    let parent = person.api.create_folder("f", None).await.unwrap().id;
    let body = json!({ "name": "a", "parent": parent });
    let event = http_event("POST", "/v1/folders", None, &person.token, Some(&body));
    let (answer, calls) = unharmed("folder-create", &event).await;
    assert_eq!(status(&answer), 201, "{answer}");
    for fault in all(&calls) {
        let person = Person::new().await;
        let parent = person.api.create_folder("f", None).await.unwrap().id;
        let body = json!({ "name": "a", "parent": parent });
        let event = http_event("POST", "/v1/folders", None, &person.token, Some(&body));
        if let Some(answer) = harmed("folder-create", &event, fault).await {
            assert!([201, 409, 503].contains(&status(&answer)), "{fault}: {answer}");
        }
        let again = person.call("POST", "/folders", Some(&body)).await;
        assert!([201, 409].contains(&again.status), "{fault}: {}", again.text());
        assert_eq!(
            person.api.all_files(Some(&parent)).await.unwrap().len(),
            1,
            "{fault}"
        );
        audit::account(&person).await;
    }
}

/// The name and the account, or neither: nobody is locked out of their name.
#[tokio::test]
async fn an_account_that_is_made() {
    let body = |username: &str| json!({ "username": username, "password": PASSWORD });
    let event = |username: &str| http_event("POST", "/v1/accounts", None, "", Some(&body(username)));
    let (answer, calls) = unharmed("account-create", &event(&new_username())).await;
    assert_eq!(status(&answer), 201, "{answer}");
    let api = Api::new(&stack().api_url).unwrap();
    for fault in all(&calls) {
        let username = new_username();
        if let Some(answer) = harmed("account-create", &event(&username), fault).await {
            assert!([201, 409, 503].contains(&status(&answer)), "{fault}: {answer}");
        }
        let again = api.create_account(&username, PASSWORD).await;
        assert!(
            again
                .as_ref()
                .map_or_else(|error| error.is("username_taken"), |_| true),
            "{fault}: {again:?}"
        );
        api.create_session(&username, PASSWORD).await.unwrap();
    }
}
