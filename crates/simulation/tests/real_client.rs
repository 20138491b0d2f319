//! The client that people run, against all of Longshore, while it is killed and while the network fails it.

#![allow(clippy::unwrap_used, reason = "a test stops where it fails, and says so")]

use bytes::Bytes;
use client::transfer::{self, How, Options, UploadRequest};
use client::types::OnConflict;
use serde_json::json;
use simulation::cloud::{Assumptions, Latency};
use simulation::person::{PART, Person};
use simulation::real_client::{Folder, signed_in, with_client};
use simulation::world::{World, run};
use std::collections::BTreeMap;
use std::fs;
use std::num::NonZeroUsize;
use std::time::Duration;
use tokio::time::timeout;

async fn ann(world: &World) -> Person<'_> {
    // It writes the table's format.
    let _ = world.invoke("sweep", json!({})).await;
    Person::sign_up(world, "ann").await.unwrap()
}

/// Uploads some bytes. Killed after a while, the same is begun again.
async fn upload(
    world: &World,
    name: &str,
    bytes: &[u8],
    killed_after: Option<Duration>,
) -> transfer::Uploaded {
    let folder = Folder::new().unwrap();
    let request = UploadRequest {
        path: folder.path().join("source"),
        name: name.to_owned(),
        parent: None,
        content_type: None,
        on_conflict: OnConflict::Fail,
    };
    fs::write(&request.path, bytes).unwrap();
    with_client(world, async |api| {
        let api = signed_in(api, "ann").await.unwrap();
        let options = Options {
            streams: NonZeroUsize::MIN,
            ..Options::default()
        };
        if let Some(after) = killed_after {
            let _ = timeout(after, transfer::upload(&api, &request, &options)).await;
        }
        transfer::upload(&api, &request, &options).await.unwrap()
    })
    .await
}

#[test]
fn a_killed_upload_is_carried_on() {
    let bytes = Bytes::from(vec![7; 3 * PART + 5]);
    let kept = (1..10).map(|step| {
        run(1, async |world| {
            let ann = ann(world).await;
            // A part takes nearly half a second.
            world.cloud.set_latency(Latency::Assumed(Assumptions::DOCUMENTED));
            let killed_after = Some(Duration::from_millis(200 * step));
            let uploaded = upload(world, "file", &bytes, killed_after).await;
            assert_eq!(ann.fetch(&uploaded.file.id).await.as_ref(), Some(&bytes));
            (uploaded.parts_kept, uploaded.how)
        })
    });
    let kept: Vec<_> = kept.collect();
    assert!(
        kept.iter()
            .any(|(parts, how)| (1..4).contains(parts) && *how == How::Resumed),
        "{kept:?}"
    );
}

#[test]
fn nothing_is_made_twice_where_answers_are_lost() {
    run(2, async |world| {
        let ann = ann(world).await;
        world.clients_fail.set(true);
        let mut expected = BTreeMap::new();
        for number in 0..40_usize {
            let (name, bytes) = (format!("file-{number}"), Bytes::from(vec![1; 10 * (number % 7)]));
            let uploaded = upload(world, &name, &bytes, None).await;
            expected.insert(uploaded.file.id, bytes);
        }
        let listed = ann.call("GET", "/v1/files?limit=100", None).await;
        let listed = listed.body["items"].as_array().unwrap().clone();
        let listed: Vec<_> = listed.iter().map(|file| file["id"].as_str().unwrap()).collect();
        assert_eq!(listed.len(), expected.len());
        for id in listed {
            assert_eq!(ann.fetch(id).await.as_ref(), expected.get(id));
        }
        let open = ann.call("GET", "/v1/uploads", None).await;
        assert_eq!(open.body["items"].as_array().map(Vec::len), Some(0), "{open:?}");
    });
}
