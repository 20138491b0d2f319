//! What the reconciler finds when it compares bucket and table, and what it makes of that.

mod replicas;

use crate::harness::bytes::fresh;
use crate::harness::person::content_id;
use crate::harness::proxy::{Act, Seen};
use crate::harness::world::{Sent, World, new_key, schedule};
use serde_json::json;
use std::collections::BTreeSet;

/// More objects or multipart uploads than the reconciler looks at in one page.
const MORE_THAN_A_PAGE: usize = 105;
/// The same of rows.
const MORE_ROWS_THAN_A_PAGE: usize = 1010;

#[tokio::test]
async fn what_has_no_owner_is_removed_and_nothing_else() {
    let mut world = World::new().await;
    let file = world.store("a", &fresh(1000)).await;

    // Nobody's: a blob's object without the blob, an object without a word about it, and multipart uploads.
    let lost_row = world.store("b", &fresh(1000)).await;
    world.lose_item(&lost_row.partition(), "BLOB").await;
    let unknown = new_key();
    world.put_object(&unknown, b"?").await;
    let nobodys = new_key();
    world.begin_multipart(&nobodys).await;
    world.begin_multipart(&file.key()).await;

    // An open upload's, and what a finalize left of one that found its name taken.
    let bytes = fresh(1000);
    let open = world.open("c", &bytes).await;
    let its_own = world.multiparts(&open.key()).await;
    world.begin_multipart(&open.key()).await;
    let unnamed_bytes = fresh(1000);
    let unnamed = world.open("d", &unnamed_bytes).await;
    let taken = world.store("d", &fresh(1000)).await;
    assert_eq!(world.complete(&unnamed).await.body["code"], "name_taken");
    assert!(world.has_object(&unnamed.key()).await, "its object is made");
    assert_eq!(
        world.item(&unnamed.partition(), "BLOB").await,
        None,
        "and no blob"
    );

    // A claim whose upload is gone, and one whose upload ended just now.
    let (gone, ended) = (
        world.open("e", &fresh(1000)).await,
        world.open("f", &fresh(1000)).await,
    );
    let row = world.upload_row(&gone.upload).await;
    let account = format!("ACCOUNT#{}", row["account"].as_str().unwrap());
    world
        .lose_item(&account, &format!("UPLOAD#{}", gone.upload))
        .await;
    world.abort(&ended).await;
    world
        .put_items(&[json!({
            "pk": ended.partition(), "sk": "UPLOAD", "blob": ended.blob,
            "account": row["account"], "upload": ended.upload,
        })])
        .await;

    // Somebody else's.
    let foreign = [
        "readme.txt",
        "blobs/readme",
        &format!("{}/x", file.key()),
        "backup/x",
    ];
    for key in foreign {
        world.put_object(key, b"foreign").await;
    }
    world.begin_multipart("backup/y").await;

    // All of it is young, and the deployed reconciler skips it; and it does not begin again at once.
    let mut patient = world.function("reconcile", |_| Act::Pass).await;
    let first = patient.invoke(&schedule()).await.unwrap();
    let expected = json!({
        "state": "ended", "started_at": first["started_at"],
        "objects_seen": 5, "objects_orphaned": 0, "multiparts_seen": 5, "multiparts_aborted": 0,
        "blobs_seen": 2, "blobs_looked_at": first["blobs_looked_at"], "blobs_lost": 0, "blobs_found": 0,
        "replicas_seen": 0, "replicas_looked_at": 0, "replicas_lost": 0, "replicas_added": 0, "replicas_removed": 0,
        "claims_removed": 1, "foreign": 5, "failed": 0, "skipped": 0, "sample": 12,
    });
    assert_eq!(first, expected);
    assert_eq!(
        world.sort_keys(&gone.partition()).await,
        [""; 0],
        "its upload is gone"
    );
    let again = patient.invoke(&schedule()).await.unwrap();
    assert_eq!(
        (&again["state"], &again["started_at"]),
        (&json!("not_due"), &first["started_at"])
    );

    let report = world.reconcile().await;
    let expected = json!({
        "state": "ended", "started_at": report["started_at"],
        "objects_seen": 5, "objects_orphaned": 2, "multiparts_seen": 5, "multiparts_aborted": 4,
        "blobs_seen": 2, "blobs_looked_at": 2, "blobs_lost": 0, "blobs_found": 0,
        "replicas_seen": 0, "replicas_looked_at": 0, "replicas_lost": 0, "replicas_added": 0, "replicas_removed": 0,
        "claims_removed": 1, "foreign": 5, "failed": 0, "skipped": 0, "sample": 1,
    });
    assert_eq!(report, expected);
    let mut left: Vec<_> = [&file, &taken, &unnamed].map(Sent::key).to_vec();
    left.extend(foreign.map(str::to_owned));
    let mut keys = world.keys().await;
    left.sort();
    keys.sort();
    assert_eq!(keys, left);
    assert_eq!(world.multiparts("blobs/").await, its_own);
    assert_eq!(world.multiparts("backup/").await.len(), 1);
    for blob in [&lost_row, &gone, &ended] {
        assert_eq!(world.sort_keys(&blob.partition()).await, [""; 0]);
    }

    // The upload that was kept can go on.
    assert_eq!(world.complete(&open).await.status, 200);
    world.delete_file(&taken).await;
    assert_eq!(world.complete(&unnamed).await.status, 200);
    let report = world.reconcile().await;
    assert_eq!(
        (&report["blobs_seen"], &report["objects_orphaned"]),
        (&json!(4), &json!(0))
    );
    world.remove().await;
}

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
    let counted = ["seen", "looked_at", "lost"].map(|what| report[format!("blobs_{what}")].clone());
    // The one of another size once more, for by then it is known to be lost.
    assert_eq!(counted, [json!(8), json!(3), json!(2)], "{report}");
    let counted = ["seen", "looked_at", "lost"].map(|what| report[format!("replicas_{what}")].clone());
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
        (&report["blobs_looked_at"], &report["blobs_lost"]),
        (&json!(2), &json!(0)),
        "{report}"
    );

    // A pass that checks everything finds the rest.
    let report = world.reconcile().await;
    assert_eq!(
        (&report["blobs_looked_at"], &report["replicas_looked_at"]),
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

/// Every invocation is killed: as soon as it has written something down, or in the middle of a page. The one after it goes
/// on, and the pass ends.
#[tokio::test]
async fn a_pass_goes_on_where_it_was_interrupted() {
    /// Fewer calls than the removals of one page take.
    const CALLS: usize = 60;
    let mut world = World::new().await;
    let file = world.store("a", &fresh(1000)).await;
    let lost = world.store("b", &fresh(1000)).await;
    world.lose_object(&lost.key()).await;
    let open = world.open("c", &fresh(1000)).await;
    for number in 0..MORE_THAN_A_PAGE {
        let foreign = format!("a/{number}");
        world.put_object(&foreign, b"foreign").await;
        world.begin_multipart(&foreign).await;
    }
    for _ in 0..40 {
        world.put_object(&new_key(), b"?").await;
        world.begin_multipart(&new_key()).await;
    }
    let fillers = (0..MORE_ROWS_THAN_A_PAGE).map(|n| json!({ "pk": format!("A#{n}"), "sk": "A" }));
    world.put_items(&fillers.collect::<Vec<_>>()).await;

    let (mut phases, mut begun, mut killed) = (Vec::new(), BTreeSet::new(), [0, 0]);
    loop {
        let rule = |seen: &Seen| match seen.operation.as_str() {
            "DynamoDB PutItem" | "DynamoDB TransactWriteItems" => Act::KillAfter,
            _ if seen.index == CALLS => Act::KillAfter,
            _ => Act::Pass,
        };
        let mut reconciler = world.reconciler(rule).await;
        assert_eq!(reconciler.invoke(&schedule()).await, None, "killed");
        killed[usize::from(reconciler.proxy.seen().len() >= CALLS)] += 1;
        assert!(killed[0] + killed[1] < 100, "it never ends");
        let Some(row) = world.item("RECONCILE", "RECONCILE").await else {
            continue;
        };
        let pass = &row["progress"]["under_way"];
        if pass.is_null() {
            begun.insert(row["progress"]["last"]["started_at"].to_string());
            break;
        }
        begun.insert(pass["started_at"].to_string());
        phases.push(pass["place"]["phase"].as_str().unwrap().to_owned());
    }
    println!("killed {killed:?}: {phases:?}");
    assert!(
        killed[0] > 5 && killed[1] > 1,
        "after its word, in the middle of a page: {killed:?}"
    );
    for phase in ["objects", "multiparts", "rows"] {
        assert!(phases.iter().any(|place| place == phase), "{phase}: {phases:?}");
    }
    assert_eq!(begun.len(), 1, "all of it is one pass: {begun:?}");
    let mut patient = world.function("reconcile", |_| Act::Pass).await;
    let report = patient.invoke(&schedule()).await.unwrap();
    assert_eq!(
        (&report["state"], &report["failed"]),
        (&json!("not_due"), &json!(0)),
        "{report}"
    );
    let mut keys = world.keys().await;
    keys.retain(|key| !key.starts_with("a/"));
    assert_eq!(keys, [file.key()]);
    assert_eq!(
        world.multiparts("blobs/").await,
        world.multiparts(&open.key()).await
    );
    assert_eq!(world.multiparts("a/").await.len(), MORE_THAN_A_PAGE);
    let row = world.item(&lost.partition(), "BLOB").await.unwrap();
    assert!(row["lost_since"].is_string(), "{row}");
    world.remove().await;
}

/// Stores do not take every multipart upload that is gone for a place to go on from.
#[tokio::test]
async fn a_pass_goes_on_after_a_multipart_upload_that_is_gone() {
    let world = World::new().await;
    let (key, orphan) = (new_key(), new_key());
    let gone = world.begin_multipart(&key).await;
    world.begin_multipart(&orphan).await;
    let path = format!("/{key}?uploadId={gone}");
    world.bucket("DELETE", &path, "").await.expect(204);
    world.go_on_after(&key, &gone).await;
    let report = world.reconcile().await;
    assert_eq!(report["started_at"], "2026-01-02T03:04:05Z", "the same pass");
    assert_eq!(
        (&report["multiparts_seen"], &report["multiparts_aborted"]),
        (&json!(1), &json!(1)),
        "{report}"
    );
    assert_eq!(world.multiparts("").await, [""; 0]);
    world.remove().await;
}

/// Two invocations at once do the same work twice, and get into each other's way, but nothing else.
#[tokio::test]
async fn two_reconcilers_at_once() {
    let mut world = World::new().await;
    let file = world.store("a", &fresh(1000)).await;
    let lost = world.store("b", &fresh(1000)).await;
    world.lose_object(&lost.key()).await;
    for _ in 0..MORE_THAN_A_PAGE {
        world.put_object(&new_key(), b"?").await;
    }
    let mut one = world.reconciler(|_| Act::Pass).await;
    let mut other = world.reconciler(|_| Act::Pass).await;
    let schedule = schedule();
    let (one, other) = tokio::join!(one.invoke(&schedule), other.invoke(&schedule));
    let (one, other) = (one.unwrap(), other.unwrap());
    println!("{one}\n{other}");
    for report in [one, other] {
        let state = report["state"].as_str();
        assert!(matches!(state, Some("ended" | "overtaken")), "{report}");
        assert_eq!(report["failed"], 0, "{report}");
    }
    // The run that was overtaken may have done what the other had not come to yet.
    world.reconcile().await;
    assert_eq!(world.keys().await, [file.key()]);
    let row = world.item(&lost.partition(), "BLOB").await.unwrap();
    assert!(row["lost_since"].is_string(), "{row}");
    world.remove().await;
}
