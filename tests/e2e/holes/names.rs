//! Holes that a file's name went through: into a shell, a path, a page.

use super::sources;
use crate::harness::aws::{multipart_uploads, object};
use crate::harness::bytes::{PART, fresh, unique};
use crate::harness::http::send;
use crate::harness::person::Person;
use crate::harness::stack::root;
use serde_json::json;

/// There, chunks were joined by a shell command that had the client's words in it.
#[tokio::test]
async fn hole_05_shell_injection_at_merge() {
    let person = Person::new().await;
    let marker = std::env::temp_dir().join(format!("longshore-{:x}", unique()));
    let marked = marker.to_str().unwrap().replace('/', "${HOME:0:1}");
    let bytes = fresh(PART + 1);
    for name in [
        format!("$(touch {marked})"),
        format!("`touch {marked}`"),
        format!("a; touch {marked} #"),
        "| cat *".to_owned(),
    ] {
        let file = person.store(&name, None, &bytes).await.file;
        assert_eq!(
            (file.name.as_str(), file.size),
            (name.as_str(), Some(bytes.len() as u64))
        );
        assert_eq!(person.fetch(&file).await, bytes);
    }
    assert!(!marker.exists());
    // Nothing that answers requests starts programs at all.
    for folder in [
        "functions",
        "crates/domain",
        "crates/api",
        "crates/store",
        "crates/service",
        "crates/targets",
        "crates/wire",
    ] {
        sources(&root().join(folder), &mut |path, text| {
            assert!(!text.contains("Command::new"), "{}", path.display());
        });
    }
}

/// There, a name could lead anywhere on the server's disk.
#[tokio::test]
async fn hole_06_unsanitised_paths() {
    let person = Person::new().await;
    for name in [
        "../../etc/passwd",
        "/etc/passwd",
        "a/../b",
        "a\\b",
        ".",
        "..",
        "",
        "a\0b",
        "a\nb",
    ] {
        for path in ["/uploads", "/folders"] {
            let mut body = json!({ "name": name });
            if path == "/uploads" {
                body["size"] = json!(1);
            }
            let problem = person.call("POST", path, Some(&body)).await;
            assert_eq!(
                problem.problem(400, "invalid_request")["field"],
                "name",
                "{name:?}"
            );
        }
    }
    for id in ["..", "%2e%2e%2faccount", "a%2fb"] {
        let answer = person.call("GET", &format!("/files/{id}"), None).await;
        assert!(
            answer.status == 404 || answer.status == 403,
            "{id}: {}",
            answer.status
        );
    }
    // Where bytes are has nothing of their name.
    let upload = person.sent("name-of-the-file", &fresh(10)).await.id;
    let row = person.upload_row(&upload).await;
    let key = format!("blobs/{}", row["blob"].as_str().unwrap());
    assert_eq!(multipart_uploads(&key).await.len(), 1);
    person.complete(&upload).await.expect(200);
    assert!(object(&key).await.is_some());
}

/// There, a file's name was written into pages as it was.
#[tokio::test]
async fn hole_16_xss_through_file_names() {
    let person = Person::new().await;
    let name = "<img src=x onerror=alert(1)>\"'.html";
    let body = json!({ "name": name, "size": 5, "content_type": "text/html" });
    let upload = person.call("POST", "/uploads", Some(&body)).await.expect(201);
    let id = upload.json()["id"].as_str().unwrap().to_owned();
    person.send_parts(&id, b"<h1/>", [1]).await;
    person.complete(&id).await.expect(200);
    let file = person.api.all_files(None).await.unwrap().remove(0);
    assert_eq!(file.name, name, "it is a name like any other");
    // What has it is never taken for a page, by its type or by guessing.
    for path in [
        "/files".to_owned(),
        format!("/files/{}", file.id),
        format!("/uploads/{id}"),
    ] {
        let answer = person.call("GET", &path, None).await.expect(200);
        assert_eq!(answer.header("content-type"), "application/json", "{path}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
    }
    let refused = person
        .call("GET", &format!("/files?name={}", "%3Cscript%3E%2F"), None)
        .await;
    refused.problem(400, "invalid_request");
    assert_eq!(refused.header("x-content-type-options"), "nosniff");
    let url = person.api.content_url(&file.id, None).await.unwrap();
    let answer = send("GET", url.reveal(), &[], "").await.expect(200);
    let disposition = answer.header("content-disposition");
    assert!(
        disposition.starts_with("attachment; filename=\""),
        "{disposition}"
    );
    assert_eq!(disposition.matches('"').count(), 2, "{disposition}");
    assert!(
        disposition.contains("filename*=UTF-8''%3Cimg%20src%3Dx"),
        "{disposition}"
    );
}
