//! Functions that read, and change nothing of what an account has: what they need is refused, or comes late. And all others are in a scenario.

use crate::SCENARIOS;
use crate::cast::{Cast, ask, bytes, file_of, folder, founding};
use crate::runner::Case;
use serde_json::json;
use simulation::cloud::Call;
use simulation::world::run;

async fn reads<'w>(cast: Cast<'w>, of: &str, good: &'static [u16]) -> Case<'w> {
    let Cast { world, ada, .. } = cast;
    let file = file_of(&ada, "a", None, &bytes(1, 100)).await;
    let request = ada.request("GET", format!("/v1/files/{file}{of}"), None);
    Case::request(&request, good, &[]).then(async move |_| {
        let again = ask(world, &request).await;
        assert!(good.contains(&again.status), "{again:?}");
        assert_eq!(ada.fetch(&file).await, Some(bytes(1, 100)));
    })
}

pub(crate) async fn download(cast: Cast<'_>) -> Case<'_> {
    reads(cast, "/content", &[307]).await
}

pub(crate) async fn look(cast: Cast<'_>) -> Case<'_> {
    reads(cast, "", &[200]).await
}

/// What it reads is counted, which is all that it writes.
pub(crate) async fn search(cast: Cast<'_>) -> Case<'_> {
    let Cast { world, ada, .. } = cast;
    let inside = folder(&ada, "f", None).await;
    let file = file_of(&ada, "a", Some(&inside), &bytes(1, 100)).await;
    let request = ada.request("GET", format!("/v1/search?q=A&under={inside}"), None);
    Case::request(&request, &[200], &[]).then(async move |_| {
        let again = ask(world, &request).await;
        let found = &again.body["items"][0];
        assert_eq!(
            (again.status, &found["node"]["id"], &found["path"]),
            (200, &json!(file), &json!("/f/a")),
            "{again:?}"
        );
    })
}

/// A function that is in no scenario is asked by GET, succeeds, and changes nothing.
#[test]
fn every_function_that_writes_has_a_scenario() {
    let founding = founding();
    let readers = run(2, async |world| {
        let Cast { ada, sessions, .. } = Cast::enter(world, founding).await;
        world
            .invoke(
                "account-set-role",
                json!({ "username": "ada", "role": "operator" }),
            )
            .await;
        let file = file_of(&ada, "a", None, &bytes(1, 100)).await;
        let mut readers = 0;
        for (function, _) in functions::ALL
            .iter()
            .filter(|(name, _)| !SCENARIOS.contains(name))
        {
            let endpoint = wire::endpoint(function).filter(|endpoint| endpoint.method == "GET");
            let endpoint = endpoint.unwrap_or_else(|| {
                panic!("nothing shows what happens when the calls of {function} fail: give it a scenario in main.rs")
            });
            let before = world.cloud.calls().len();
            let path = endpoint.path.replace("{id}", &file);
            let mut request = ada.request("GET", path, None);
            request.token = sessions[0]["access_token"].as_str().map(str::to_owned);
            let answer = ask(world, &request).await;
            assert!(answer.status < 400, "{function}: {answer:?}");
            let calls = world.cloud.calls().split_off(before);
            let writes: Vec<&Call> = calls.iter().filter(|call| !call.reads()).collect();
            assert!(
                writes.is_empty(),
                "{function} writes, and no scenario shows what happens when that fails: {writes:?}"
            );
            readers += 1;
        }
        readers
    });
    assert!(readers > 3, "{readers} read");
    let known = |name: &&str| functions::ALL.iter().any(|(function, _)| function == name);
    assert!(SCENARIOS.iter().all(known), "{SCENARIOS:?}");
}
