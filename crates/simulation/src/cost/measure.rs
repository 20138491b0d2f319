//! What is counted. All functions are warm, and calls take as long as is assumed.

use crate::cloud::{Assumptions, Counts, Latency};
use crate::dynamodb::size_of;
use crate::person::{PART, Person};
use crate::world::{BUCKET, TARGET_BUCKET, World, run_with};
use bytes::Bytes;
use domain::content::{ContentId, PartDigest};
use serde_json::json;
use std::time::Duration;
use tokio::time::sleep;

/// How many small files: enough that what is done for some at once counts as it does for many.
pub const FILES: u32 = 50;
/// The size of a small file, in bytes.
pub const SMALL: u32 = 10 * 1024;
/// The size of a large file, in bytes.
pub const LARGE: u32 = 1024 * 1024 * 1024;
/// What the template sets by itself where the simulation's worlds have something else.
pub(crate) const AS_DEPLOYED: [(&str, &str); 7] = [
    ("UploadExpirySeconds", "604800"),
    ("MaxReceives", "8"),
    ("ReplicateTimeoutSeconds", "900"),
    ("ReplicateVisibilitySeconds", "960"),
    ("ReconcileIntervalHours", "168"),
    ("ReconcileSample", "12"),
    ("ReconcileMinAgeSeconds", "86400"),
];

/// What was counted.
#[derive(Debug, Clone)]
pub struct Measured {
    /// All of it.
    pub counts: Counts,
    /// What it was counted of: so many files, or hours.
    pub of: f64,
    /// The bytes of a file.
    pub bytes: f64,
    /// What stays in the table of a file, in bytes, as `DynamoDB` counts them.
    pub kept: f64,
}

fn world<T>(live: impl AsyncFnOnce(&World) -> T) -> T {
    run_with(3, &AS_DEPLOYED, async |world: &World| {
        world.cloud.set_latency(Latency::Assumed(Assumptions::DOCUMENTED));
        world.set_targets(&["near"], &[]);
        let _ = world.invoke("sweep", json!({})).await;
        live(world).await
    })
}

/// Files of 10 KiB, each of another content, uploaded one after the other and replicated to one target; and their deletion, until
/// neither bucket nor target has them.
///
/// # Panics
/// When something fails that should not: then nothing is counted.
#[expect(
    clippy::expect_used,
    reason = "numbers of a world that failed are worth nothing"
)]
#[must_use]
pub fn small_files() -> (Measured, Measured) {
    world(async |world| {
        let person = Person::sign_up(world, "ada").await.expect("an account").patient();
        let content = |number: u32| Bytes::from(number.to_be_bytes().repeat(SMALL as usize / 4));
        let upload = async |number: u32| {
            let name = format!("file-{number}");
            let stored = person.store(&name, None, &content(number), true, "fail").await;
            let id = stored.expect("stored");
            work(world).await;
            id
        };
        let first = upload(0).await;
        let (before, kept) = (world.cloud.counts(), kept(world));
        let mut ids = Vec::new();
        for number in 1..=FILES {
            ids.push(upload(number).await);
        }
        let files = f64::from(FILES);
        let measured = |counts: Counts, kept: f64| Measured {
            counts,
            of: files,
            bytes: f64::from(SMALL),
            kept,
        };
        let uploads = measured(
            world.cloud.counts().since(&before),
            (self::kept(world) - kept) / files,
        );
        assert_eq!(objects(world), (ids.len() + 1, ids.len() + 1));

        let delete = async |id: &String| {
            let deleted = person.remove(id).await;
            assert_eq!(deleted.status, 204, "{deleted:?}");
        };
        // The function has to be warm, and the sweep to have nothing else to do.
        delete(&first).await;
        sleep(Duration::from_hours(30)).await;
        settle(world).await;
        person.sign_in().await.expect("signed in");
        let before = world.cloud.counts();
        for id in &ids {
            delete(id).await;
        }
        let asked = world.cloud.counts().since(&before);
        sleep(Duration::from_hours(30)).await;
        let (before, sweeps) = (world.cloud.counts(), settle(world).await);
        assert_eq!(objects(world), (0, 0));
        let swept = world.cloud.counts().since(&before);
        let before = world.cloud.counts();
        for _ in 0..sweeps {
            let _ = world.invoke("sweep", json!({})).await;
        }
        let idle = world.cloud.counts().since(&before);
        // Sweeps come each minute, and cost what they cost at rest: that is a part of the month.
        let deletes = asked.and(&swept).since(&idle);
        (uploads, measured(deletes, 0.0))
    })
}

/// One file of 1 GiB in all its parts, replicated to one target.
///
/// # Panics
/// The same.
#[expect(
    clippy::expect_used,
    reason = "numbers of a world that failed are worth nothing"
)]
#[must_use]
pub fn large_file() -> Measured {
    world(async |world| {
        let person = Person::sign_up(world, "ada").await.expect("an account").patient();
        let upload = async |name: &str, byte: u8, parts: usize| {
            let part = Bytes::from(vec![byte; PART]);
            let digests = vec![PartDigest::of(&part); parts];
            let wanted = json!({
                "name": name, "size": parts * PART, "content_id": ContentId::of_parts(&digests),
            });
            let begun = person.call("POST", "/v1/uploads", Some(wanted)).await;
            let id = begun.body["id"].as_str().expect("begun");
            let sent = person.send(id, vec![part; parts]).await;
            sent.expect("sent");
            let done = person.complete(id).await;
            assert_eq!(done.status, 200, "{done:?}");
            work(world).await;
        };
        upload("warm", 1, 2).await;
        let (before, kept) = (world.cloud.counts(), kept(world));
        upload("large", 2, LARGE as usize / PART).await;
        assert_eq!(objects(world), (2, 2));
        Measured {
            counts: world.cloud.counts().since(&before),
            of: 1.0,
            bytes: f64::from(LARGE),
            kept: self::kept(world) - kept,
        }
    })
}

/// An hour in which nothing is asked for.
#[must_use]
pub fn rest() -> Measured {
    world(async |world| {
        let _ = world.invoke("reconcile", json!({})).await;
        settle(world).await;
        let before = world.cloud.counts();
        for minute in 0..60 {
            let _ = world.invoke("sweep", json!({})).await;
            if minute % 15 == 0 {
                let _ = world.invoke("reconcile", json!({})).await;
            }
            sleep(Duration::from_mins(1)).await;
        }
        Measured {
            counts: world.cloud.counts().since(&before),
            of: 1.0,
            bytes: 0.0,
            kept: 0.0,
        }
    })
}

/// Works on all messages that there are.
async fn work(world: &World) {
    while world.work_on_messages().await {}
    sleep(Duration::from_millis(10)).await;
}

/// Lets the sweep do all that is due: a blob is marked first, and reclaimed twenty minutes later. Returns how often it was
/// invoked.
async fn settle(world: &World) -> usize {
    const SWEEPS: usize = 4;
    for _ in 0..SWEEPS {
        let _ = world.invoke("sweep", json!({})).await;
        work(world).await;
        sleep(Duration::from_mins(25)).await;
    }
    SWEEPS
}

/// How many objects the primary store and the target have.
fn objects(world: &World) -> (usize, usize) {
    let services = world.cloud.services();
    let target = services.targets.get("near.simulation");
    let at_target = target.map_or(0, |target| target.objects(TARGET_BUCKET).count());
    (services.s3.objects(BUCKET).count(), at_target)
}

/// What stays in the table, in bytes: the rows that DynamoDB does not delete by itself, each with the hundred bytes that it adds.
fn kept(world: &World) -> f64 {
    let items = world.items();
    let items = items.iter().filter(|item| item.get("ttl").is_none());
    items.map(|item| size_of(item) + 100.0).sum()
}
