//! Many files and folders in one request.

use crate::cast::{Cast, ask, bytes, entries, file_of, folder, items, used};
use crate::runner::Case;
use crate::trash::nothing_is_left;
use serde_json::{Value, json};
use simulation::gateway::{Request, Response};
use simulation::person::Person;

/// Two folders. In the first are three files, two of them of one content, and a folder with one.
struct Full {
    from: String,
    to: String,
    items: Vec<String>,
}

impl Full {
    async fn new(ada: &Person<'_>) -> Self {
        let (from, to) = (folder(ada, "f", None).await, folder(ada, "g", None).await);
        let mut items = Vec::new();
        for (name, content) in [("a", 1), ("b", 1), ("c", 2)] {
            items.push(file_of(ada, name, Some(&from), &bytes(content, 100)).await);
        }
        let inner = folder(ada, "h", Some(&from)).await;
        file_of(ada, "d", Some(&inner), &bytes(1, 100)).await;
        items.push(inner);
        Self { from, to, items }
    }

    fn batch(&self, ada: &Person<'_>, op: &str, rest: Value) -> Request {
        let items: Vec<_> = self.items.iter().map(|id| json!({ "id": id })).collect();
        let mut body = rest;
        body["op"] = json!(op);
        body["items"] = json!(items);
        ada.request("POST", "/v1/files/batch", Some(body))
    }
}

/// What a batch answers: of each item in the order asked the node, or nothing, or the code of its problem.
fn results(answer: &Response) -> Vec<&Value> {
    assert_eq!(answer.status, 200, "{answer:?}");
    let results = answer.body["results"].as_array().unwrap().iter();
    results
        .map(|result| match &result["problem"]["code"] {
            Value::Null => &result["node"]["id"],
            code => code,
        })
        .collect()
}

/// An item that failed was not done, or nobody knows whether it was.
fn may_be_asked_again(answer: &Response) {
    if answer.status != 200 {
        return;
    }
    for result in answer.body["results"].as_array().unwrap() {
        let problem = &result["problem"];
        let passes = ["unavailable", "internal", "changed_meanwhile", "not_found"].map(Value::from);
        assert!(problem.is_null() || passes.contains(&problem["code"]), "{result}");
    }
}

/// They are all in the other folder in the end, whatever was there already.
pub(crate) async fn move_all(cast: Cast<'_>) -> Case<'_> {
    let Cast { world, ada, .. } = cast;
    let full = Full::new(&ada).await;
    let request = full.batch(&ada, "move", json!({ "parent": full.to }));
    Case::request(&request, &[200], &[]).then(async move |first| {
        may_be_asked_again(&first);
        assert_eq!(
            results(&ask(world, &request).await),
            full.items.iter().collect::<Vec<_>>()
        );
        assert!(entries(&ada, Some(&full.from)).await.is_empty());
        assert_eq!(entries(&ada, Some(&full.to)).await.len(), 4);
        assert_eq!(used(&ada).await, 400);
    })
}

/// Each is in the trash once, and comes back from there.
pub(crate) async fn trash_all(cast: Cast<'_>) -> Case<'_> {
    let Cast { world, ada, .. } = cast;
    let full = Full::new(&ada).await;
    let request = full.batch(&ada, "trash", json!({}));
    Case::request(&request, &[200], &[]).then(async move |first| {
        may_be_asked_again(&first);
        assert_eq!(results(&ask(world, &request).await), [&Value::Null; 4]);
        assert!(entries(&ada, Some(&full.from)).await.is_empty());
        assert_eq!((items(&ada, "/v1/trash").await.len(), used(&ada).await), (4, 400));
        let back = ask(world, &full.batch(&ada, "restore", json!({}))).await;
        assert_eq!(results(&back), full.items.iter().collect::<Vec<_>>());
        assert_eq!(entries(&ada, Some(&full.from)).await.len(), 4);
    })
}

/// They are where they were in the end.
pub(crate) async fn restore_all(cast: Cast<'_>) -> Case<'_> {
    let Cast { world, ada, .. } = cast;
    let full = Full::new(&ada).await;
    let trashed = ask(world, &full.batch(&ada, "trash", json!({}))).await;
    assert_eq!(results(&trashed), [&Value::Null; 4]);
    let request = full.batch(&ada, "restore", json!({}));
    Case::request(&request, &[200], &[]).then(async move |first| {
        may_be_asked_again(&first);
        assert_eq!(
            results(&ask(world, &request).await),
            full.items.iter().collect::<Vec<_>>()
        );
        assert!(items(&ada, "/v1/trash").await.is_empty());
        assert_eq!(entries(&ada, Some(&full.from)).await.len(), 4);
        assert_eq!(used(&ada).await, 400);
    })
}

/// The room is given back once, and nothing is left of them.
pub(crate) async fn delete_all(cast: Cast<'_>) -> Case<'_> {
    let Cast { world, ada, .. } = cast;
    let full = Full::new(&ada).await;
    let request = full.batch(&ada, "delete", json!({}));
    Case::request(&request, &[200], &[]).then(async move |first| {
        may_be_asked_again(&first);
        let again = ask(world, &request).await;
        let gone = [Value::Null, "not_found".into()];
        assert!(
            results(&again).into_iter().all(|result| gone.contains(result)),
            "{again:?}"
        );
        assert!(entries(&ada, Some(&full.from)).await.is_empty());
        for folder in [&full.from, &full.to] {
            assert_eq!(ada.remove(folder).await.status, 204);
        }
        nothing_is_left(world, &ada).await;
    })
}
