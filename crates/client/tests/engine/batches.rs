//! Many files and folders in one request.

use crate::api;
use crate::fake_files::add_file;
use crate::server::Server;
use crate::world::Fault;
use client::ApiError;
use client::types::{Batch, BatchDone, OnConflict};

/// Says of each `ok`, or the code of its problem.
fn said(results: &[Result<BatchDone, ApiError>]) -> Vec<&str> {
    let code = |result: &'_ Result<BatchDone, ApiError>| match result {
        Ok(_) => "ok".to_owned(),
        Err(error) => error.code().unwrap_or("none").to_owned(),
    };
    let codes = results.iter().map(code);
    codes.map(|code| &*code.leak()).collect()
}

/// A server with the files `f1`, `f2` and `f3`.
async fn with_files() -> Server {
    let server = Server::start().await;
    for name in ["a", "b", "c"] {
        add_file(&mut server.world(), name, None, Vec::new());
    }
    server
}

const ALL: [&str; 4] = ["f1", "f2", "f3", "nothing"];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_item_has_its_result() {
    let server = with_files().await;
    let batch = Batch::Move {
        parent: Some("d".to_owned()),
        on_conflict: OnConflict::Rename,
    };
    let results = api(&server).batch(&batch, &ALL).await;
    assert_eq!(said(&results), ["ok", "ok", "ok", "not_found"]);
    let moved = results[1].as_ref().unwrap().node.as_ref().unwrap();
    assert_eq!((moved.id.as_str(), moved.parent.as_deref()), ("f2", Some("d")));
    assert_eq!(results[3].as_ref().unwrap_err().to_string(), "about not_found");
    let results = api(&server).batch(&Batch::Trash, &ALL[..1]).await;
    assert_eq!(results[0].as_ref().unwrap().open_uploads, 2);
    assert_eq!(server.count("POST files/batch"), 2);
}

/// What is gone when it is asked for again has been removed by the first request. Otherwise it was not there.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_removed_by_a_request_whose_answer_got_lost_is_removed() {
    let server = with_files().await;
    server.fail("POST files/batch", Fault::LoseAnswer);
    let results = api(&server).batch(&Batch::Delete, &ALL[..3]).await;
    assert_eq!(said(&results), ["ok"; 3]);
    assert_eq!(server.count("POST files/batch"), 2);
    let results = api(&server).batch(&Batch::Delete, &ALL[..3]).await;
    assert_eq!(said(&results), ["not_found"; 3]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_what_is_in_doubt_is_asked_for_again() {
    let server = with_files().await;
    server.world().unsure = vec!["f2".to_owned()];
    let results = api(&server).batch(&Batch::Delete, &ALL).await;
    assert_eq!(said(&results), ["ok", "ok", "ok", "not_found"]);
    let asked = server.world().batches.clone();
    assert_eq!(asked, [&ALL[..], &["f2"]]);
    // Somebody who goes on saying so is believed.
    server.world().unsure = vec!["f9".to_owned(); 50];
    let results = api(&server).batch(&Batch::Delete, &["f9", "f8"]).await;
    assert_eq!(said(&results), ["unavailable", "not_found"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_that_fails_is_told_of_each() {
    let server = with_files().await;
    server.fail("POST files/batch", Fault::Answer(403, "insufficient_scope"));
    let results = api(&server).batch(&Batch::Trash, &ALL[..2]).await;
    assert_eq!(said(&results), ["insufficient_scope"; 2]);
    assert_eq!(server.world().nodes.len(), 3);
}
