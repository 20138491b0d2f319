//! What a download is: a redirect to the store, which knows ranges and names.

use crate::harness::bytes::fresh;
use crate::harness::http::send;
use crate::harness::person::Person;
use crate::harness::stack::stack;
use client::transfer::{Options, UploadRequest, upload};
use client::types::OnConflict;

#[tokio::test]
async fn a_download_is_a_redirect_that_needs_no_token() {
    let person = Person::new().await;
    let bytes = fresh(5000);
    let file = person.store("a.bin", None, &bytes).await.file;
    let answer = person
        .call("GET", &format!("/files/{}/content", file.id), None)
        .await
        .expect(307);
    assert_eq!(answer.header("cache-control"), "no-store");
    let url = answer.header("location").to_owned();
    assert!(
        !url.starts_with(&stack().api_url),
        "no byte passes through the API: {url}"
    );

    let whole = send("GET", &url, &[], "").await.expect(200);
    assert_eq!(whole.body, bytes);
    let part = send("GET", &url, &[("range", "bytes=100-199")], "")
        .await
        .expect(206);
    assert_eq!(part.body, bytes[100..200]);
    // The URL allows reading this object, and nothing else.
    send("DELETE", &url, &[], "").await.expect(403);
    send("PUT", &url, &[], "x").await.expect(403);
    let other = url.replacen("/blobs/", "/blobs/x", 1);
    send("GET", &other, &[], "").await.expect(403);
}

#[tokio::test]
async fn a_browser_is_told_name_and_type() {
    let person = Person::new().await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    std::fs::write(&path, fresh(10)).unwrap();
    let request = UploadRequest {
        path,
        name: "größe \"1\".html".to_owned(),
        parent: None,
        content_type: Some("text/html; charset=utf-8".to_owned()),
        on_conflict: OnConflict::Fail,
    };
    let file = upload(&person.api, &request, &Options::default())
        .await
        .unwrap()
        .file;
    let url = person.api.content_url(&file.id).await.unwrap();
    let answer = send("GET", url.reveal(), &[], "").await.expect(200);
    assert_eq!(answer.header("content-type"), "text/html; charset=utf-8");
    let disposition = answer.header("content-disposition");
    // Never shown inside the store's own origin, whatever it is.
    assert!(disposition.starts_with("attachment;"), "{disposition}");
    assert!(
        disposition.contains("filename*=UTF-8''gr%C3%B6%C3%9Fe%20%221%22.html"),
        "{disposition}"
    );
}

#[tokio::test]
async fn a_folder_has_no_content() {
    let person = Person::new().await;
    let folder = person.api.create_folder("f", None).await.unwrap();
    person
        .call("GET", &format!("/files/{}/content", folder.id), None)
        .await
        .problem(404, "not_found");
}
