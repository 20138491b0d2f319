//! What files had before.

use crate::cast::{Cast, ask, bytes, file_of, items, used};
use crate::runner::Case;
use crate::settling::{SWEEP, work};
use crate::sweeping::sweep_after;
use crate::trash::nothing_is_left;
use serde_json::{Value, json};
use simulation::person::Person;
use std::time::Duration;
use tokio::time::sleep;

/// A file of 100 bytes that had others before, the first ones 50.
async fn replaced(ada: &Person<'_>, times: u8) -> String {
    let file = file_of(ada, "a", None, &bytes(1, 50)).await;
    for number in 0..times {
        let content = bytes(2 + number, 100);
        let stored = ada.store("a", None, &content, false, "replace").await;
        assert_eq!(stored.as_ref(), Ok(&file));
    }
    file
}

async fn versions(ada: &Person<'_>, file: &str) -> Vec<Value> {
    items(ada, &format!("/v1/files/{file}/versions")).await
}

fn numbers(versions: &[Value]) -> Vec<u64> {
    versions
        .iter()
        .filter_map(|version| version["number"].as_u64())
        .collect()
}

/// It has the old bytes in the end, and the others are a version, once.
pub(crate) async fn restore(cast: Cast<'_>) -> Case<'_> {
    let Cast { world, ada, .. } = cast;
    let file = replaced(&ada, 1).await;
    let request = ada.request("POST", format!("/v1/versions/{file}.1/restore"), None);
    Case::request(&request, &[200], &[409]).then(async move |_| {
        let again = ask(world, &request).await;
        assert_eq!(
            (again.status, &again.body["id"]),
            (200, &json!(file)),
            "{again:?}"
        );
        assert_eq!(ada.fetch(&file).await, Some(bytes(1, 50)));
        let there = versions(&ada, &file).await;
        assert_eq!(
            (numbers(&there), used(&ada).await),
            (vec![3, 2], 150),
            "{there:?}"
        );
    })
}

/// It is kept in the end, and not removed when it is old.
pub(crate) async fn keep(cast: Cast<'_>) -> Case<'_> {
    let Cast { world, ada, .. } = cast;
    let file = replaced(&ada, 1).await;
    let path = format!("/v1/versions/{file}.1");
    let request = ada.request("PATCH", path, Some(json!({ "kept": true })));
    Case::request(&request, &[200], &[409]).then(async move |_| {
        let again = ask(world, &request).await;
        assert_eq!(
            (again.status, &again.body["kept"]),
            (200, &json!(true)),
            "{again:?}"
        );
        sleep(Duration::from_hours(31 * 24)).await;
        work(world, SWEEP).await;
        assert_eq!(
            (numbers(&versions(&ada, &file).await), used(&ada).await),
            (vec![2, 1], 150)
        );
    })
}

/// It is gone in the end, and its bytes are given back once.
pub(crate) async fn delete(cast: Cast<'_>) -> Case<'_> {
    let Cast { world, ada, .. } = cast;
    let file = replaced(&ada, 1).await;
    let request = ada.request("DELETE", format!("/v1/versions/{file}.1"), None);
    Case::request(&request, &[204], &[404, 409]).then(async move |_| {
        let again = ask(world, &request).await;
        assert!([204, 404].contains(&again.status), "{again:?}");
        assert_eq!(
            (numbers(&versions(&ada, &file).await), used(&ada).await),
            (vec![2], 100)
        );
    })
}

/// Nothing is left of a file and of all that it had.
pub(crate) async fn delete_file(cast: Cast<'_>) -> Case<'_> {
    let Cast { world, ada, .. } = cast;
    let file = replaced(&ada, 2).await;
    let request = ada.request("DELETE", format!("/v1/files/{file}?permanently=true"), None);
    Case::request(&request, &[204], &[404, 409]).then(async move |_| {
        let again = ask(world, &request).await;
        assert!([204, 404].contains(&again.status), "{again:?}");
        nothing_is_left(world, &ada).await;
    })
}

/// A folder in an emptied trash: its files go with all that they had.
pub(crate) async fn sweep_trash(cast: Cast<'_>) -> Case<'_> {
    let Cast { world, ada, .. } = cast;
    let file = replaced(&ada, 2).await;
    let folder = crate::cast::folder(&ada, "f", None).await;
    file_of(&ada, "b", Some(&folder), &bytes(1, 50)).await;
    let into = Some(json!({ "parent": folder }));
    let moved = ada.call("PATCH", &format!("/v1/files/{file}"), into).await;
    assert_eq!(moved.status, 200, "{moved:?}");
    for path in [format!("/v1/files/{folder}"), "/v1/trash".to_owned()] {
        let gone = ada.call("DELETE", &path, None).await;
        assert_eq!(gone.status, 204, "{gone:?}");
    }
    sweep_after(1)
        .await
        .then(async move |_| nothing_is_left(world, &ada).await)
}

/// What is too old goes, and is given back once.
pub(crate) async fn sweep_old(cast: Cast<'_>) -> Case<'_> {
    let Cast { ada, .. } = cast;
    let file = replaced(&ada, 2).await;
    sleep(Duration::from_hours(30 * 24 + 1)).await;
    // Nobody sees them from the moment on, whether they are removed or not.
    assert_eq!(numbers(&versions(&ada, &file).await), [3]);
    sweep_after(0).await.then(async move |_| {
        let there = versions(&ada, &file).await;
        assert_eq!((numbers(&there), used(&ada).await), (vec![3], 100));
    })
}

/// One is too many after the twenty that are kept: it is not there, and goes with the sweep.
pub(crate) async fn one_too_many(cast: Cast<'_>) -> Case<'_> {
    let Cast { world, ada, .. } = cast;
    let file = replaced(&ada, 20).await;
    let other = file_of(&ada, "b", None, &bytes(90, 100)).await;
    let wanted = json!({ "name": "a", "on_conflict": "replace" });
    let request = ada.request("POST", format!("/v1/files/{other}/copy"), Some(wanted));
    Case::request(&request, &[201], &[409]).then(async move |_| {
        assert_eq!(ask(world, &request).await.status, 201);
        let there = numbers(&versions(&ada, &file).await);
        assert_eq!((there.len(), there.last()), (21, Some(&2)), "{there:?}");
        sleep(Duration::from_mins(2)).await;
        work(world, SWEEP).await;
        assert_eq!(used(&ada).await, 22 * 100);
    })
}
