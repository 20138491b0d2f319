//! Single calls: retries, errors, secrets, paths.

use crate::server::Server;
use crate::world::{Fault, SIGNATURE, TOKEN};
use crate::{QUICK, api};
use client::tree::{self, TreeError, TreeNode};
use client::types::{NewUpload, OnConflict};
use client::{Api, ApiError, Token};
use serde_json::json;
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reads_are_repeated_after_passing_failures() {
    for fault in [
        Fault::Answer(500, "internal"),
        Fault::Answer(503, ""),
        Fault::Answer(429, ""),
        Fault::Drop,
        Fault::LoseAnswer,
    ] {
        let server = Server::start().await;
        server.fail("GET files", fault);
        api(&server).list_files(None, None).await.unwrap();
        assert_eq!(server.count("GET files"), 2, "{fault:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_safe_to_repeat_is_not_repeated() {
    for (fault, times) in [
        (Fault::Answer(500, "internal"), 1),
        (Fault::LoseAnswer, 1),
        (Fault::Answer(429, ""), 2),
        (Fault::Answer(409, "changed_meanwhile"), 2),
    ] {
        let server = Server::start().await;
        server.fail("POST accounts", fault);
        let made = api(&server).create_account("ada", "correct horse").await;
        assert_eq!(made.is_ok(), times == 2, "{fault:?}");
        assert_eq!(server.count("POST accounts"), times, "{fault:?}");
    }
}

/// The server knows a call again that it has done, and does it no second time.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_made_is_made_once_however_often_answers_get_lost() {
    for fault in [
        Fault::LoseAnswer,
        Fault::Cut(5),
        Fault::Drop,
        Fault::Answer(500, "internal"),
        Fault::Answer(503, "unavailable"),
    ] {
        let server = Server::start().await;
        for call in ["POST uploads", "POST uploads", "POST folders", "POST folders"] {
            server.fail(call, fault);
        }
        let api = api(&server);
        let upload = api.create_upload(&new_upload("n")).await.unwrap();
        let folder = api.create_folder("f", None).await.unwrap();
        let (keys, made) = {
            let world = server.world();
            (world.keys.clone(), (world.uploads.len(), world.nodes.len()))
        };
        assert_eq!(made, (1, 1), "{fault:?}");
        assert_eq!((upload.name.as_str(), folder.name.as_str()), ("n", "f"));
        assert_eq!(
            (server.count("POST uploads"), server.count("POST folders")),
            (3, 3),
            "{fault:?}"
        );
        let different: BTreeSet<_> = keys.iter().collect();
        assert_eq!(different.len(), 2, "one key for each thing made, {fault:?}");
        let fits =
            |key: &String| (1..=255).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic());
        assert!(keys.iter().all(fits), "{keys:?}");
    }
}

/// Only the tries of one call are the same to the server: asking again on purpose is another thing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_upload_asked_for_twice_is_two() {
    let server = Server::start().await;
    let api = api(&server);
    let first = api.create_upload(&new_upload("n")).await.unwrap();
    let second = api.create_upload(&new_upload("n")).await.unwrap();
    assert_ne!(first.id, second.id);
}

fn new_upload(name: &str) -> NewUpload {
    NewUpload {
        name: name.into(),
        parent: None,
        size: 1,
        content_type: None,
        content_id: None,
        on_conflict: OnConflict::Fail,
    }
}

/// A moment is waited for; who is to come back in minutes is told so at once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_throttled_call_waits_as_it_is_told_or_says_so() {
    let server = Server::start().await;
    server.fail("GET files", Fault::Throttled(1));
    let began = Instant::now();
    api(&server).list_files(None, None).await.unwrap();
    assert!(began.elapsed() >= Duration::from_secs(1));
    assert_eq!(server.count("GET files"), 2);
    server.fail("GET files", Fault::Throttled(900));
    let error = api(&server).list_files(None, None).await.unwrap_err();
    assert!(error.is("too_many_requests"), "{error}");
    assert_eq!(server.count("GET files"), 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refusal_is_final_and_keeps_its_words() {
    let server = Server::start().await;
    let error = api(&server).file("nope").await.unwrap_err();
    assert!(error.is("not_found"), "{error}");
    assert_eq!(
        (error.to_string().as_str(), server.count("GET")),
        ("about not_found", 1)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_delete_whose_answer_got_lost_is_done() {
    let server = Server::start().await;
    crate::fake_files::add_file(&mut server.world(), "a", None, Vec::new());
    server.fail("DELETE", Fault::LoseAnswer);
    api(&server).delete_file("f1").await.unwrap();
    assert_eq!(server.count("DELETE files/f1"), 2);
    // Also if it is asked for twice because the first time nobody did anything.
    for fault in [Fault::Throttled(0), Fault::Answer(409, "changed_meanwhile")] {
        server.fail("DELETE", fault);
        assert!(api(&server).delete_file("f1").await.unwrap_err().is("not_found"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_there_is_told_with_the_host() {
    // Bound and closed again, so that nobody listens.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("http://{}/stage?key=hidden", listener.local_addr().unwrap());
    drop(listener);
    let error = Api::new(&base)
        .unwrap()
        .with_retry(QUICK)
        .account()
        .await
        .unwrap_err();
    let ApiError::Unreachable { host, .. } = &error else {
        panic!("{error}")
    };
    assert!(base.starts_with(host.as_str()), "{host}");
    assert!(
        !error.to_string().contains("hidden") && error.next_step().is_some(),
        "{error}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn signing_in_gives_a_token_that_does_not_show() {
    let server = Server::start().await;
    let anonymous = Api::new(&server.base()).unwrap().with_retry(QUICK);
    let error = anonymous.create_session("ada", "wrong").await.unwrap_err();
    assert!(
        error.is("unauthorized") && !format!("{error:?}").contains("wrong"),
        "{error:?}"
    );
    let session = anonymous.create_session("ada", "right").await.unwrap();
    assert_eq!(
        (session.expires_in, session.access_token.clone()),
        (3600, Token::new(TOKEN))
    );
    let api = anonymous.with_token(session.access_token.clone());
    api.list_files(None, None).await.unwrap();
    assert!(!format!("{api:?} {session:?}").contains(TOKEN));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_content_url_is_not_followed_and_does_not_show() {
    let server = Server::start().await;
    crate::fake_files::add_file(&mut server.world(), "a", None, vec![1]);
    let url = api(&server).content_url("f1", None).await.unwrap();
    assert!(
        url.reveal().contains(SIGNATURE) && !format!("{url:?}").contains(SIGNATURE),
        "{url:?}"
    );
    assert_eq!(server.count("GET"), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn folders_are_made_as_needed_and_once() {
    let server = Server::start().await;
    let api = api(&server);
    let path = "photos/2026/may".parse().unwrap();
    let made = tree::ensure_folder(&api, &path).await.unwrap();
    assert_eq!(server.count("POST folders"), 3);
    let calls = server.count("GET files");
    assert_eq!(tree::ensure_folder(&api, &path).await.unwrap(), made);
    assert_eq!(tree::walk(&api, &path).await.unwrap(), made);
    // One call each.
    assert_eq!(server.count("GET files"), calls + 2);
    assert_eq!(server.count("POST folders"), 3);
    assert_eq!(
        tree::walk(&api, &"/".parse().unwrap()).await.unwrap(),
        TreeNode::Root
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_knows_no_paths_is_asked_step_by_step() {
    let server = Server::start().await;
    let api = api(&server);
    let path = "photos/2026".parse().unwrap();
    let made = tree::ensure_folder(&api, &path).await.unwrap();
    let at_the_top = tree::ensure_folder(&api, &"2026".parse().unwrap()).await.unwrap();
    server.world().ignores_paths = true;
    assert_ne!(made, at_the_top);
    assert_eq!(tree::walk(&api, &path).await.unwrap(), made);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_folder_made_by_somebody_else_meanwhile_will_do() {
    let server = Server::start().await;
    let folder = json!({"id": "d9", "kind": "folder", "name": "docs", "parent": null, "created_at": "2026-11-20T10:00:00Z"});
    server.world().meanwhile = Some(Box::new(|world| world.nodes.push(folder)));
    let api = api(&server);
    let found = tree::ensure_folder(&api, &"docs".parse().unwrap()).await.unwrap();
    assert_eq!((found.id(), server.count("POST folders")), (Some("d9"), 1));
    assert_eq!(server.world().nodes.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_path_through_a_file_or_to_nothing_is_told() {
    let server = Server::start().await;
    crate::fake_files::add_file(&mut server.world(), "a", None, Vec::new());
    let api = api(&server);
    let walk = async |text: &str| tree::walk(&api, &text.parse().unwrap()).await.unwrap_err();
    assert!(matches!(walk("a/b").await, TreeError::NotAFolder(path) if path.to_string() == "a"));
    assert!(matches!(walk("b/c").await, TreeError::NotFound(path) if path.to_string() == "b"));
    let error = tree::ensure_folder(&api, &"a".parse().unwrap())
        .await
        .unwrap_err();
    assert!(matches!(error, TreeError::NotAFolder(_)));
}
