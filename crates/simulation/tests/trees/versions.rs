//! What files had before, when many want something of it.

use crate::{once, with_ann};
use bytes::Bytes;
use domain::versions::MOST_KEPT;
use futures::future::{join, join_all};
use serde_json::{Value, json};
use simulation::audit::Audit;
use simulation::gateway::Response;
use simulation::person::Person;

/// Gives the file at the top another content: this byte, ten times. Returns its id.
async fn replace(ann: &Person<'_>, content: u8) -> String {
    let bytes = Bytes::from(vec![content; 10]);
    let stored = ann.store("a", None, &bytes, false, "replace").await;
    stored.unwrap()
}

async fn numbers(ann: &Person<'_>, file: &str) -> Vec<u64> {
    let there = ann.call("GET", &format!("/v1/files/{file}/versions"), None).await;
    let there = there.body["items"].as_array().unwrap().clone();
    there
        .iter()
        .map(|version| version["number"].as_u64().unwrap())
        .collect()
}

async fn keep(ann: &Person<'_>, file: &str, number: usize, kept: bool) -> Response {
    let path = format!("/v1/versions/{file}.{number}");
    ann.call("PATCH", &path, Some(json!({ "kept": kept }))).await
}

/// Those that are kept do not count for how many there may be otherwise, and there may be so many of them.
#[test]
fn as_many_are_kept_for_good_as_may_be() {
    with_ann(1, async |world, ann| {
        let file = replace(ann, 0).await;
        for number in 1..=MOST_KEPT {
            replace(ann, u8::try_from(number).unwrap()).await;
            let kept = keep(ann, &file, number, true).await;
            assert_eq!((kept.status, &kept.body["kept"]), (200, &json!(true)), "{kept:?}");
        }
        replace(ann, 200).await;
        let refused = keep(ann, &file, MOST_KEPT + 1, true).await;
        assert_eq!(
            (refused.status, &refused.body["code"]),
            (409, &json!("too_many_kept")),
            "{refused:?}"
        );
        assert_eq!(refused.body["max_kept"], MOST_KEPT, "{refused:?}");
        // One that is kept is kept, and where another one goes there is a place.
        assert_eq!(keep(ann, &file, MOST_KEPT, true).await.status, 200);
        assert_eq!(keep(ann, &file, 1, false).await.status, 200);
        assert_eq!(keep(ann, &file, MOST_KEPT + 1, true).await.status, 200);
        assert_eq!(numbers(ann, &file).await.len(), MOST_KEPT + 2);
        assert!(world.work_off_messages(1000).await);
        assert_eq!(Audit::of(world).check(), [""; 0]);
    });
}

/// Who is slower is answered that it was changed; what the file has and had is what one of them wanted after the other.
#[test]
fn what_many_do_to_the_versions_of_a_file_at_once_is_done_one_after_the_other() {
    for seed in 0..12 {
        with_ann(seed, async |world, ann| {
            let file = replace(ann, 0).await;
            for content in 1..6 {
                replace(ann, content).await;
            }
            let ask =
                async |method, path: String, body: Option<Value>| once(world, ann, method, &path, body).await;
            let restores =
                (1..=4).map(|number| ask("POST", format!("/v1/versions/{file}.{number}/restore"), None));
            let removals = (3..=5).map(|number| ask("DELETE", format!("/v1/versions/{file}.{number}"), None));
            let kept = Some(json!({ "kept": true }));
            let keeps =
                (2..=3).map(|number| ask("PATCH", format!("/v1/versions/{file}.{number}"), kept.clone()));
            let others = join(join_all(removals), join_all(keeps));
            let (restored, (removed, kept)) = join(join_all(restores), others).await;
            assert!(restored.iter().any(|answer| answer.status == 200), "{restored:?}");
            for answer in restored.iter().chain(&removed).chain(&kept) {
                let is_refused = [404, 409].contains(&answer.status);
                assert!(answer.status / 100 == 2 || is_refused, "{answer:?}");
            }
            let there = numbers(ann, &file).await;
            assert!(there.windows(2).all(|two| two[0] > two[1]), "{there:?}");
            let account = ann.call("GET", "/v1/account", None).await;
            assert_eq!(account.body["used_bytes"], there.len() * 10, "{account:?}");
            assert!(world.work_off_messages(1000).await);
            assert_eq!(Audit::of(world).check(), [""; 0]);
        });
    }
}
