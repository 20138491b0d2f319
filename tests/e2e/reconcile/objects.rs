//! What the reconciler makes of blobs whose objects are gone.

use crate::harness::bytes::fresh;
use crate::harness::person::content_id;
use crate::harness::proxy::Act;
use crate::harness::world::{World, new_key, schedule};
use serde_json::json;

#[tokio::test]
async fn a_blob_whose_object_is_gone_is_lost_until_it_is_back() {
    let mut world = World::new().await;
    let (bytes, cut) = (fresh(1000), fresh(1000));
    let first = world.store("a", &bytes).await;
    let shortened = world.store("b", &cut).await;
    let whole = world.store("c", &fresh(1000)).await;
    world.lose_object(&first.key()).await;
    world.put_object(&shortened.key(), &cut[..999]).await;

    // An answer that nobody can give does not make anything lost, and nobody else waits for it.
    let path = first.key();
    let mut hindered = world
        .reconciler(move |seen| match seen.operation.as_str() {
            "S3 HeadObject" if seen.path.contains(&path) => Act::Refuse,
            _ => Act::Pass,
        })
        .await;
    let report = hindered.invoke(&schedule()).await.unwrap();
    assert_eq!(
        (&report["blobs_seen"], &report["blobs_lost"]),
        (&json!(3), &json!(1)),
        "{report}"
    );
    assert_eq!(
        (&report["state"], &report["failed"]),
        (&json!("ended"), &json!(1)),
        "{report}"
    );

    assert_eq!(world.reconcile().await["blobs_lost"], 1);
    for (sent, bytes) in [(&first, &bytes), (&shortened, &cut)] {
        let row = world.item(&sent.partition(), "BLOB").await.unwrap();
        assert!(row["lost_since"].is_string(), "{row}");
        assert_eq!(row["references"], 1, "its file is still there: {row}");
        assert_eq!(world.content_row(bytes).await, None, "the content is free");
    }
    let row = world.item(&whole.partition(), "BLOB").await.unwrap();
    assert_eq!(row.get("lost_since"), None, "{row}");

    // No new file refers to what is lost: the content gets a new blob, from its bytes.
    let body = json!({ "name": "d", "size": bytes.len(), "content_id": content_id(&bytes) });
    let upload = world.create(&body).await;
    assert_eq!(upload.body["state"], "open", "{}", upload.body);
    let anew = world.send(upload.body["id"].as_str().unwrap(), &bytes).await;
    assert_eq!(world.complete(&anew).await.status, 200);
    assert_eq!(world.content_row(&bytes).await.unwrap()["blob"], anew.blob);

    // Bytes that somebody wrote there are not known to be the right ones; the object as it was made is.
    world.put_object(&first.key(), &bytes).await;
    assert_eq!(world.reconcile().await["blobs_found"], 0);
    world.put_back(&first.key(), &bytes).await;
    let report = world.reconcile().await;
    assert_eq!(
        (&report["blobs_found"], &report["blobs_lost"]),
        (&json!(1), &json!(0)),
        "{report}"
    );
    let row = world.item(&first.partition(), "BLOB").await.unwrap();
    assert_eq!(row.get("lost_since"), None, "{row}");
    assert_eq!(
        world.content_row(&bytes).await.unwrap()["blob"],
        anew.blob,
        "that one stays"
    );

    // What was lost, and what is found again beside its successor, is reclaimed like anything else.
    for sent in [&shortened, &first] {
        world.delete_file(sent).await;
        for _ in 0..2 {
            world.make_due(&sent.partition()).await;
            let mut sweep = world.function("sweep", |_| Act::Pass).await;
            let report = sweep.invoke(&schedule()).await.unwrap();
            assert_eq!(report["failed"], 0, "{report}");
        }
        assert_eq!(world.sort_keys(&sent.partition()).await, [""; 0]);
        assert!(!world.has_object(&sent.key()).await);
    }
    assert_eq!(world.content_row(&bytes).await.unwrap()["blob"], anew.blob);
    let report = world.reconcile().await;
    assert_eq!(
        (&report["blobs_seen"], &report["objects_seen"]),
        (&json!(2), &json!(2)),
        "{report}"
    );
    world.remove().await;
}

/// Of what is not in the sample, the listing tells what is gone or has another size, and nobody asks for the others.
#[tokio::test]
async fn what_is_gone_is_found_without_asking_for_each() {
    /// Far beyond what the number of a blob's sample can be in a few passes.
    const HARDLY_ANY: &str = "1000000000";
    let mut world = World::new().await;
    let target = world.new_target("a").await;
    world.set_targets(&[&target]).await;
    let cut = fresh(1000);
    let gone = world.store("gone", &fresh(1000)).await;
    let shortened = world.store("shortened", &cut).await;
    let spoiled = world.store("spoiled", &fresh(1000)).await;
    let mut whole = Vec::new();
    for number in 0..5 {
        whole.push(world.store(&number.to_string(), &fresh(100)).await);
    }
    world.work().await;
    for sent in whole.iter().chain([&gone, &shortened, &spoiled]) {
        world.age_replica(sent, "a", 21).await;
    }
    world.lose_at(&target, &whole[0]).await;
    world.lose_object(&gone.key()).await;
    world.put_object(&shortened.key(), &cut[..999]).await;
    // Its size is what it was: only who asks for its checksum finds out.
    world.put_back(&spoiled.key(), &fresh(1000)).await;

    let mut reconciler = world.reconciler_of_one_in(HARDLY_ANY, |_| Act::Pass).await;
    let report = reconciler.invoke(&schedule()).await.unwrap();
    let counted = ["seen", "checked", "lost"].map(|what| report[format!("blobs_{what}")].clone());
    // The one of another size once more, for by then it is known to be lost.
    assert_eq!(counted, [json!(8), json!(3), json!(2)], "{report}");
    let counted = ["seen", "checked", "lost"].map(|what| report[format!("replicas_{what}")].clone());
    assert_eq!(counted, [json!(8), json!(0), json!(0)], "{report}");
    let asked = reconciler.proxy.seen();
    let asked = asked
        .iter()
        .filter(|seen| seen.operation == "S3 HeadObject")
        .count();
    assert_eq!(asked, 3, "nobody asks for the others");
    for (sent, lost) in [
        (&gone, true),
        (&shortened, true),
        (&spoiled, false),
        (&whole[0], false),
    ] {
        let row = world.item(&sent.partition(), "BLOB").await.unwrap();
        assert_eq!(row["lost_since"].is_string(), lost, "{row}");
    }
    // What is known to be lost is asked for in each pass, and nothing else.
    let report = reconciler.invoke(&schedule()).await.unwrap();
    assert_eq!(
        (&report["blobs_checked"], &report["blobs_lost"]),
        (&json!(2), &json!(0)),
        "{report}"
    );

    // A pass that checks everything finds the rest.
    let report = world.reconcile().await;
    assert_eq!(
        (&report["blobs_checked"], &report["replicas_checked"]),
        (&json!(8), &json!(8)),
        "{report}"
    );
    assert_eq!(
        (&report["blobs_lost"], &report["replicas_lost"]),
        (&json!(1), &json!(1)),
        "{report}"
    );
    world.remove().await;
}

/// More objects are gone than the sketch can tell: the next pass begins without waiting, and asks for each.
#[tokio::test]
async fn more_is_gone_than_the_listing_can_tell() {
    let mut world = World::new().await;
    let file = world.store("a", &fresh(1000)).await;
    let row = world.item(&file.partition(), "BLOB").await.unwrap();
    let without = (0..200).map(|number| {
        let mut blob = row.clone();
        let id = new_key().split_once('/').unwrap().1.to_owned();
        blob["pk"] = json!(format!("BLOB#{id}"));
        blob["id"] = json!(id);
        blob["created_at"] = json!("2026-01-02T03:04:05Z");
        blob["size"] = json!(number);
        blob
    });
    world.put_items(&without.collect::<Vec<_>>()).await;
    let patient = [
        ("RECONCILE_SAMPLE", "1000000000"),
        ("RECONCILE_MIN_AGE_SECONDS", "3600"),
        ("RECONCILE_INTERVAL_HOURS", "1000"),
    ];
    let mut reconciler = world.function_with("reconcile", &patient).await;
    let report = reconciler.invoke(&schedule()).await.unwrap();
    assert_eq!(
        (&report["state"], &report["blobs_lost"]),
        (&json!("ended"), &json!(0)),
        "{report}"
    );
    let report = reconciler.invoke(&schedule()).await.unwrap();
    assert_eq!(
        (&report["state"], &report["blobs_lost"]),
        (&json!("ended"), &json!(200)),
        "{report}"
    );
    let report = reconciler.invoke(&schedule()).await.unwrap();
    assert_eq!(report["state"], "not_due", "{report}");
    world.remove().await;
}
