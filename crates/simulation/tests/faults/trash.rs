//! What goes to the trash, comes back, or is removed.

use crate::cast::{Cast, ask, bytes, entries, file_of, folder, items, used};
use crate::runner::Case;
use crate::settling::{SWEEP, work};
use crate::sweeping::sweep_after;
use bytes::Bytes;
use serde_json::{Value, json};
use simulation::gateway::Request;
use simulation::person::Person;
use simulation::world::World;
use std::time::Duration;
use tokio::time::sleep;

const TRASH: &str = "/v1/trash";

fn one() -> Bytes {
    bytes(1, 100)
}

fn deletion(ada: &Person<'_>, node: &str, permanently: bool) -> Request {
    let path = format!("/v1/files/{node}?permanently={permanently}");
    ada.request("DELETE", path, None)
}

async fn done(ada: &Person<'_>, request: &Request) {
    let answer = ada
        .call(request.method, &request.path, request.body.clone())
        .await;
    assert_eq!(answer.status / 100, 2, "{answer:?}");
}

/// A folder at the top with two files of the same content, another file, and a folder with one.
async fn full(ada: &Person<'_>) -> String {
    let top = folder(ada, "f", None).await;
    let inner = folder(ada, "g", Some(&top)).await;
    for (name, content) in [("a", 1), ("b", 1), ("c", 2)] {
        file_of(ada, name, Some(&top), &bytes(content, 100)).await;
    }
    file_of(ada, "d", Some(&inner), &bytes(1, 100)).await;
    top
}

/// It is in the trash once, with all its bytes, and comes back from there.
async fn is_trashed(ada: &Person<'_>, node: &str, path: &str, bytes: u64) {
    let trash = items(ada, TRASH).await;
    assert_eq!(trash.len(), 1, "{trash:?}");
    assert_eq!(
        (&trash[0]["node"]["id"], &trash[0]["path"]),
        (&json!(node), &json!(path))
    );
    assert_eq!(used(ada).await, bytes);
    done(ada, &ada.request("POST", format!("{TRASH}/{node}/restore"), None)).await;
    assert!(items(ada, TRASH).await.is_empty());
}

/// Nothing of all files and folders is there, after the sweeps that a few minutes have.
pub(crate) async fn nothing_is_left(world: &World, ada: &Person<'_>) {
    for _ in 0..2 {
        sleep(Duration::from_mins(2)).await;
        work(world, SWEEP).await;
    }
    assert_eq!(used(ada).await, 0);
    no_nodes(world, &items(ada, TRASH).await);
}

fn no_nodes(world: &World, trash: &[Value]) {
    let nodes = world.rows().into_iter().filter(|row| {
        let is_kind = |kind: &str| row["sk"].as_str().is_some_and(|sk| sk.starts_with(kind));
        is_kind("NODE#")
            || is_kind("VERSION#")
            || is_kind("FOLDER#")
            || is_kind("TRASH#")
            || is_kind("EMPTIED")
    });
    let nodes: Vec<_> = nodes.collect();
    assert!(nodes.is_empty() && trash.is_empty(), "{nodes:?} {trash:?}");
}

/// Its name is free at once, and it is not twice in the trash.
pub(crate) async fn trash_file(cast: Cast<'_>) -> Case<'_> {
    let Cast { world, ada, .. } = cast;
    let inside = folder(&ada, "f", None).await;
    let file = file_of(&ada, "a", Some(&inside), &one()).await;
    let request = deletion(&ada, &file, false);
    Case::request(&request, &[204], &[409]).then(async move |_| {
        assert_eq!(ask(world, &request).await.status, 204);
        assert!(entries(&ada, Some(&inside)).await.is_empty());
        is_trashed(&ada, &file, "/f/a", 100).await;
        assert_eq!(entries(&ada, Some(&inside)).await.len(), 1);
    })
}

/// What is in it goes and comes with it.
pub(crate) async fn trash_folder(cast: Cast<'_>) -> Case<'_> {
    let Cast { world, ada, .. } = cast;
    let top = full(&ada).await;
    let request = deletion(&ada, &top, false);
    Case::request(&request, &[204], &[409]).then(async move |_| {
        assert_eq!(ask(world, &request).await.status, 204);
        assert!(entries(&ada, None).await.is_empty());
        is_trashed(&ada, &top, "/f", 400).await;
        assert_eq!(entries(&ada, Some(&top)).await.len(), 4);
    })
}

/// It is in the trash or in its folder, and in the end in the folder.
pub(crate) async fn restore_file(cast: Cast<'_>) -> Case<'_> {
    let Cast { world, ada, .. } = cast;
    let inside = folder(&ada, "f", None).await;
    let file = file_of(&ada, "a", Some(&inside), &one()).await;
    done(&ada, &deletion(&ada, &file, false)).await;
    let request = ada.request("POST", format!("{TRASH}/{file}/restore"), None);
    Case::request(&request, &[200], &[409]).then(async move |_| {
        let again = ask(world, &request).await;
        assert_eq!(again.status, 200, "{again:?}");
        assert!(items(&ada, TRASH).await.is_empty());
        assert_eq!(entries(&ada, Some(&inside)).await.len(), 1);
        assert_eq!(used(&ada).await, 100);
    })
}

/// The folder that it was in is in the trash as well; it goes to the top.
pub(crate) async fn restore_folder(cast: Cast<'_>) -> Case<'_> {
    let Cast { world, ada, .. } = cast;
    let outer = folder(&ada, "o", None).await;
    let top = full(&ada).await;
    let into = json!({ "parent": outer });
    done(
        &ada,
        &ada.request("PATCH", format!("/v1/files/{top}"), Some(into)),
    )
    .await;
    for node in [&top, &outer] {
        done(&ada, &deletion(&ada, node, false)).await;
    }
    let place = format!("{TRASH}/{top}/restore");
    let homeless = ada.call("POST", &place, None).await;
    assert_eq!(homeless.body["code"], "parent_not_found", "{homeless:?}");
    let request = ada.request("POST", place, Some(json!({ "parent": null })));
    Case::request(&request, &[200], &[409]).then(async move |_| {
        let again = ask(world, &request).await;
        assert_eq!(again.status, 200, "{again:?}");
        assert_eq!(items(&ada, TRASH).await.len(), 1);
        assert_eq!(entries(&ada, None).await.len(), 1);
        assert_eq!(entries(&ada, Some(&top)).await.len(), 4);
        assert_eq!(used(&ada).await, 400);
    })
}

/// Nobody sees it any more, and the sweep removes it.
pub(crate) async fn remove_folder(cast: Cast<'_>) -> Case<'_> {
    let Cast { world, ada, .. } = cast;
    let top = full(&ada).await;
    let request = deletion(&ada, &top, true);
    Case::request(&request, &[204], &[404, 409]).then(async move |_| {
        let again = ask(world, &request).await;
        assert!([204, 404].contains(&again.status), "{again:?}");
        assert!(entries(&ada, None).await.is_empty());
        nothing_is_left(world, &ada).await;
    })
}

/// The same from the trash.
pub(crate) async fn remove_from_trash(cast: Cast<'_>) -> Case<'_> {
    let Cast { world, ada, .. } = cast;
    let top = full(&ada).await;
    done(&ada, &deletion(&ada, &top, false)).await;
    let request = deletion(&ada, &top, true);
    Case::request(&request, &[204], &[404, 409]).then(async move |_| {
        let again = ask(world, &request).await;
        assert!([204, 404].contains(&again.status), "{again:?}");
        assert!(items(&ada, TRASH).await.is_empty());
        let place = format!("{TRASH}/{top}/restore");
        assert_eq!(ada.call("POST", &place, None).await.status, 404);
        nothing_is_left(world, &ada).await;
    })
}

/// All of it goes, and nothing that comes there later.
pub(crate) async fn empty(cast: Cast<'_>) -> Case<'_> {
    let Cast { world, ada, .. } = cast;
    let top = full(&ada).await;
    let file = file_of(&ada, "z", None, &one()).await;
    for node in [&top, &file] {
        done(&ada, &deletion(&ada, node, false)).await;
    }
    let request = ada.request("DELETE", TRASH, None);
    Case::request(&request, &[204], &[]).then(async move |_| {
        assert_eq!(ask(world, &request).await.status, 204);
        assert!(items(&ada, TRASH).await.is_empty());
        let kept = file_of(&ada, "kept", None, &one()).await;
        done(&ada, &deletion(&ada, &kept, false)).await;
        work(world, SWEEP).await;
        is_trashed(&ada, &kept, "/kept", 100).await;
        done(&ada, &deletion(&ada, &kept, true)).await;
        nothing_is_left(world, &ada).await;
    })
}

/// A trash that was emptied. What got into a folder within it after that was in the trash is not lost.
pub(crate) async fn sweep_emptied(cast: Cast<'_>) -> Case<'_> {
    let Cast { world, ada, .. } = cast;
    let top = folder(&ada, "f", None).await;
    let inner = folder(&ada, "g", Some(&top)).await;
    file_of(&ada, "a", Some(&inner), &one()).await;
    done(&ada, &deletion(&ada, &top, false)).await;
    sleep(Duration::from_secs(1)).await;
    let late = file_of(&ada, "late", Some(&inner), &bytes(2, 50)).await;
    done(&ada, &ada.request("DELETE", TRASH, None)).await;
    sweep_after(1).await.then(async move |_| {
        work(world, SWEEP).await;
        let trash = items(&ada, TRASH).await;
        assert_eq!((trash.len(), &trash[0]["path"]), (1, &Value::Null), "{trash:?}");
        assert_eq!((&trash[0]["node"]["id"], used(&ada).await), (&json!(late), 50));
        let to = Some(json!({ "parent": null }));
        done(&ada, &ada.request("POST", format!("{TRASH}/{late}/restore"), to)).await;
        assert_eq!(ada.fetch(&late).await, Some(bytes(2, 50)));
    })
}

/// What is in a folder in the trash is counted once, and is the trash's no more when it comes back.
pub(crate) async fn sweep_counts(cast: Cast<'_>) -> Case<'_> {
    let Cast { world, ada, .. } = cast;
    let top = full(&ada).await;
    sleep(Duration::from_secs(1)).await;
    done(&ada, &deletion(&ada, &top, false)).await;
    sweep_after(1).await.then(async move |_| {
        sleep(Duration::from_mins(10)).await;
        work(world, SWEEP).await;
        let trash = items(&ada, TRASH).await;
        let of_trash = async || ada.call("GET", "/v1/account", None).await.body["used"]["trash"].clone();
        assert_eq!(
            (&trash[0]["bytes"], &trash[0]["files"], of_trash().await),
            (&json!(400), &json!(4), json!(400))
        );
        done(&ada, &ada.request("POST", format!("{TRASH}/{top}/restore"), None)).await;
        assert_eq!((of_trash().await, used(&ada).await), (json!(0), 400));
    })
}

/// It has been in the trash for as long as anything is.
pub(crate) async fn sweep_expired(cast: Cast<'_>) -> Case<'_> {
    let Cast { world, ada, .. } = cast;
    let top = full(&ada).await;
    done(&ada, &deletion(&ada, &top, false)).await;
    sleep(Duration::from_hours(30 * 24 - 1)).await;
    work(world, SWEEP).await;
    assert!(
        world
            .rows()
            .into_iter()
            .any(|row| row["sk"] == format!("NODE#{top}"))
    );
    sweep_after(61).await.then(async move |_| {
        work(world, SWEEP).await;
        no_nodes(world, &[]);
    })
}
