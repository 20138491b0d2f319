//! The main job: bytes go up, are listed, come down, and go away.

use crate::harness::audit;
use crate::harness::aws;
use crate::harness::bytes::{MIB, PART, fresh};
use crate::harness::person::{Person, content_id};
use client::transfer::How;
use client::types::NodeKind;
use domain::placement::MAX_DEPTH;
use serde_json::json;

/// Uploads, looks, downloads, compares, deletes; quota and table are right all along.
async fn there_and_back(size: usize) {
    let person = Person::new().await;
    let bytes = fresh(size);
    let uploaded = person.store("file.bin", None, &bytes).await;
    let parts = size.div_ceil(PART).max(1);
    assert_eq!(uploaded.how, How::Sent);
    assert_eq!((uploaded.parts_sent as usize, uploaded.parts_kept), (parts, 0));

    let file = uploaded.file;
    assert_eq!((file.kind, file.size), (NodeKind::File, Some(size as u64)));
    assert_eq!(file.content_id, Some(content_id(&bytes)));
    assert_eq!(person.used().await, size as u64);
    assert_eq!(audit::account(&person).await, 1);

    let listed = person.api.all_files(None).await.unwrap();
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0].id, file.id);
    let shown = person.api.file(&file.id).await.unwrap();
    assert_eq!((shown.content_id, shown.size), (file.content_id, file.size));
    assert!(person.api.all_uploads().await.unwrap().is_empty());

    assert_eq!(person.fetch(&file).await, bytes);

    person.api.delete_file(&file.id).await.unwrap();
    assert!(person.api.file(&file.id).await.unwrap_err().is("not_found"));
    assert!(person.api.all_files(None).await.unwrap().is_empty());
    assert_eq!(person.used().await, 0);
    let blob = audit::blob_of(&content_id(&bytes).to_string()).await.unwrap();
    assert_eq!(blob["references"], 0);
    assert!(
        blob["due_at"].is_u64(),
        "the sweep looks at it after the grace period: {blob}"
    );
    assert_eq!(audit::account(&person).await, 0);
}

#[tokio::test]
async fn one_byte() {
    there_and_back(1).await;
}

#[tokio::test]
async fn exactly_one_part() {
    there_and_back(PART).await;
}

#[tokio::test]
async fn one_part_and_one_byte() {
    there_and_back(PART + 1).await;
}

#[tokio::test]
async fn many_parts() {
    there_and_back(70 * MIB).await;
}

/// All empty files have the same content, so this one cannot tell what other tests do with it.
#[tokio::test]
async fn nothing_at_all() {
    let person = Person::new().await;
    let uploaded = person.store("empty", None, b"").await;
    assert_eq!(uploaded.file.size, Some(0));
    assert_eq!(uploaded.file.content_id, Some(content_id(b"")));
    assert_eq!(person.fetch(&uploaded.file).await, "");
    assert_eq!(person.used().await, 0);
    assert_eq!(audit::account(&person).await, 1);
    person.api.delete_file(&uploaded.file.id).await.unwrap();
    assert_eq!(audit::account(&person).await, 0);
}

#[tokio::test]
async fn an_upload_reserves_its_bytes_and_an_abort_gives_them_back() {
    let person = Person::new().await;
    let upload = person.begin("a", &fresh(1000)).await;
    assert_eq!(person.used().await, 1000);
    let listed = person.api.all_uploads().await.unwrap();
    assert_eq!(
        listed.iter().map(|upload| &upload.id).collect::<Vec<_>>(),
        [&upload.id]
    );
    person.api.abort_upload(&upload.id).await.unwrap();
    assert_eq!(person.used().await, 0);
    assert!(person.api.all_uploads().await.unwrap().is_empty());
}

#[tokio::test]
async fn nobody_gets_more_than_the_quota() {
    let person = Person::new().await;
    let quota = usize::try_from(person.quota).unwrap();
    let answer = person
        .call(
            "POST",
            "/uploads",
            Some(&serde_json::json!({ "name": "big", "size": quota + 1 })),
        )
        .await;
    let problem = answer.problem(403, "quota_exceeded");
    assert_eq!(
        (&problem["quota_bytes"], &problem["used_bytes"]),
        (&person.quota.into(), &0.into())
    );

    let most = person.begin_as("most", quota, None).await;
    assert_eq!(person.used().await, person.quota);
    let more = |name| serde_json::json!({ "name": name, "size": 1 });
    person
        .call("POST", "/uploads", Some(&more("a")))
        .await
        .problem(403, "quota_exceeded");
    person.api.abort_upload(&most.id).await.unwrap();
    person
        .call("POST", "/uploads", Some(&more("a")))
        .await
        .expect(201);
}

/// Ten at once for the room of three: never more than three, whichever wins.
#[tokio::test]
async fn uploads_at_the_same_time_do_not_overdraw_the_quota() {
    let person = Person::new().await;
    let third = person.quota / 3;
    let attempts = (0..10).map(|n| {
        let body = serde_json::json!({ "name": format!("{n}"), "size": third });
        let person = &person;
        async move { person.call("POST", "/uploads", Some(&body)).await.status }
    });
    let answers = futures::future::join_all(attempts).await;
    assert_eq!(
        answers.iter().filter(|status| **status == 201).count(),
        3,
        "{answers:?}"
    );
    assert!(
        answers.iter().all(|status| [201, 403].contains(status)),
        "{answers:?}"
    );
    assert_eq!(person.used().await, third * 3);
    audit::account(&person).await;
}

#[tokio::test]
async fn the_list_of_uploads_has_pages() {
    let person = Person::new().await;
    for n in 0..5 {
        person.begin_as(&format!("{n}"), 1, None).await;
    }
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = person
            .call("GET", &format!("/uploads?limit=2&cursor={cursor}"), None)
            .await
            .expect(200)
            .json();
        let items = page["items"].as_array().unwrap();
        assert!(items.len() <= 2);
        seen.extend(
            items
                .iter()
                .map(|upload| upload["name"].as_str().unwrap().to_owned()),
        );
        let Some(next) = page["next_cursor"].as_str() else {
            break;
        };
        next.clone_into(&mut cursor);
    }
    seen.sort();
    assert_eq!(seen, ["0", "1", "2", "3", "4"]);
}

/// What was made can be found where the answer says.
#[tokio::test]
async fn answers_say_where_things_are() {
    let person = Person::new().await;
    for (collection, body) in [
        ("uploads", serde_json::json!({ "name": "a", "size": 1 })),
        ("folders", serde_json::json!({ "name": "f" })),
    ] {
        let made = person
            .call("POST", &format!("/{collection}"), Some(&body))
            .await
            .expect(201);
        // Relative to the address that was asked, whatever a gateway has in front of it.
        let location = made.header("location");
        let found = person
            .call("GET", &format!("/{location}"), None)
            .await
            .expect(200)
            .json();
        assert_eq!(found["id"], made.json()["id"], "{location}");
    }
}

/// The most that one request may ask for, and the most that one answer may have to carry.
#[tokio::test]
async fn a_thousand_parts_are_signed_at_once() {
    let person = Person::new().await;
    let upload = person.begin_as("a", 1000 * PART, None).await;
    let sha256 = domain::content::PartDigest::of(b"x");
    let parts: Vec<_> = (1..=1000)
        .map(|number| client::types::PartToSign { number, sha256 })
        .collect();
    let signed = person.api.sign_parts(&upload.id, &parts).await.unwrap();
    let numbers: Vec<u32> = signed.iter().map(|part| part.number).collect();
    assert_eq!(numbers, (1..=1000).collect::<Vec<_>>());
    let urls: std::collections::HashSet<_> = signed.iter().map(|part| part.url.reveal()).collect();
    assert_eq!(urls.len(), 1000);
}

/// The folder that an upload was going to is deleted: it is still listed, and becomes a file elsewhere.
#[tokio::test]
async fn an_upload_whose_folder_is_gone_goes_somewhere_else() {
    let person = Person::new().await;
    let folder = person.api.create_folder("f", None).await.unwrap();
    let bytes = fresh(10);
    let body = json!({ "name": "a", "size": bytes.len(), "parent": folder.id });
    let upload = person
        .call("POST", "/uploads", Some(&body))
        .await
        .expect(201)
        .json();
    let id = upload["id"].as_str().unwrap();
    person.send_parts(id, &bytes, [1]).await;
    let deleted = person
        .call("DELETE", &format!("/files/{}", folder.id), None)
        .await;
    assert_eq!(deleted.expect(200).json(), json!({ "open_uploads": 1 }));

    let listed = person.call("GET", "/uploads", None).await.expect(200).json();
    assert_eq!(listed["items"][0]["id"], id);
    let path = format!("/uploads/{id}/complete");
    let complete = async |body: &serde_json::Value| person.call("POST", &path, Some(body)).await;
    let here = complete(&json!({})).await;
    here.problem(409, "parent_not_found");
    for (bad, field) in [
        (json!({ "parent": "a/b" }), "parent"),
        (json!({ "parent": 1 }), "parent"),
        (json!({ "name": "a/b" }), "name"),
        (json!({ "on_conflict": "ask" }), "on_conflict"),
        (json!({ "size": 1 }), "size"),
    ] {
        let problem = complete(&bad).await.problem(400, "invalid_request");
        assert_eq!(problem["field"], field, "{bad}");
    }
    person.store("taken", None, &fresh(10)).await;
    let taken = complete(&json!({ "parent": null, "name": "taken" })).await;
    taken.problem(409, "name_taken");
    let elsewhere = json!({ "parent": null, "name": "taken", "on_conflict": "rename" });
    for _ in 0..2 {
        let done = complete(&elsewhere).await.expect(200).json();
        assert_eq!(
            (&done["file"]["name"], &done["file"]["parent"]),
            (&json!("taken (1)"), &json!(null)),
            "{done}"
        );
    }
    let none = person.call("GET", "/uploads", None).await.expect(200).json();
    assert_eq!(none["items"], json!([]));
    assert_eq!(audit::account(&person).await, 2);
}

#[tokio::test]
async fn folders_are_not_too_deep() {
    let person = Person::new().await;
    let folder = person.api.create_folder("f", None).await.unwrap().id;
    let inner = person.api.create_folder("g", Some(&folder)).await.unwrap().id;
    // As if there were many more above.
    let chain = |number: u64| format!("{folder}-{number}");
    for number in 1..MAX_DEPTH - 1 {
        let (pk, sk) = (person.partition(), format!("FOLDER#{}", chain(number)));
        let mut row = json!({ "pk": pk, "sk": sk, "account": person.id, "id": chain(number) });
        if number < MAX_DEPTH - 2 {
            row["parent"] = json!(chain(number + 1));
        }
        aws::put(&row).await;
    }
    let above = json!({ "parent": chain(1) });
    aws::set(&person.partition(), &format!("FOLDER#{folder}"), &above).await;
    let body = json!({ "name": "h", "parent": inner });
    let refused = person.call("POST", "/folders", Some(&body)).await;
    assert_eq!(refused.problem(409, "too_deep")["max_depth"], 100);
    // Files are let in.
    person.store("a", Some(&inner), &fresh(10)).await;
}
