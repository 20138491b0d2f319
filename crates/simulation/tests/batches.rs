//! Batches when calls take long.

#![allow(clippy::unwrap_used, reason = "a test stops where it fails, and says so")]

use serde_json::{Value, json};
use simulation::audit::Audit;
use simulation::cloud::{Assumptions, Latency};
use simulation::gateway::send;
use simulation::person::Person;
use simulation::world::run;
use std::time::Duration;

const FOLDERS: usize = 30;
/// After so many seconds the gateway waits no longer.
const TIME: i64 = 29;

#[test]
fn a_batch_that_takes_too_long_is_answered_in_time_and_ended_by_another() {
    run(1, async |world| {
        let _ = world.invoke("sweep", json!({})).await;
        let person = Person::sign_up(world, "ada").await.unwrap().patient();
        let mut items = Vec::new();
        for name in 0..FOLDERS {
            let folder = json!({ "name": name.to_string() });
            let made = person.call("POST", "/v1/folders", Some(folder)).await;
            items.push(json!({ "id": made.body["id"] }));
        }
        let request = |items: &[Value]| {
            let body = json!({ "op": "trash", "items": items });
            person.request("POST", "/v1/files/batch", Some(body))
        };
        world.cloud.set_latency(Latency::Assumed(Assumptions {
            dynamodb: Duration::from_secs(1),
            ..Assumptions::DOCUMENTED
        }));
        let began = world.cloud.now();
        let answer = send(&world.lambda, &request(&items)).await;
        let took = world.cloud.now().duration_since(began).as_secs();
        assert_eq!(answer.status, 200, "{answer:?}");
        assert!((20..TIME).contains(&took), "{took} s");
        let results = answer.body["results"].as_array().unwrap();
        assert_eq!(results.len(), FOLDERS);
        let tried = results.iter().take_while(|result| result["problem"].is_null());
        let tried = tried.count();
        assert!((5..FOLDERS - 5).contains(&tried), "{answer:?}");
        for (item, result) in items.iter().zip(results).skip(tried) {
            assert_eq!(result["id"], item["id"]);
            let problem = &result["problem"];
            assert_eq!(
                (&problem["code"], &problem["status"]),
                (&json!("unavailable"), &json!(503))
            );
        }

        world.cloud.set_latency(Latency::Random);
        let there = person.call("GET", "/v1/files", None).await;
        assert_eq!(there.body["items"].as_array().unwrap().len(), FOLDERS - tried);
        let again = send(&world.lambda, &request(&items)).await;
        let results = again.body["results"].as_array().unwrap();
        assert!(
            results.iter().all(|result| result["problem"].is_null()),
            "{again:?}"
        );
        let trash = person.call("GET", "/v1/trash", None).await;
        assert_eq!(trash.body["items"].as_array().unwrap().len(), FOLDERS);
        assert_eq!(Audit::of(world).check(), [""; 0]);
    });
}
