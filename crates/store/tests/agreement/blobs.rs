//! Blobs: `refer` and `release`, which do not read, and `move_blob`, which writes only if what it was given is still so.

use crate::stack::{new_id, table};
use crate::{Item, all, compare, due_shard, put};
use domain::blob::{BlobEvent, Effect, Life, Refusal, step};
use domain::content::{ContentId, PartDigest};
use domain::id::{AccountId, BlobId};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use store::blobs::{refer, release};
use store::rows::{BlobRow, ContentRow};
use store::table::{Key, Row, Write};
use store::{Conflict, ErrorKind, StoreError, Table};

const EVENTS: [BlobEvent; 5] = [
    BlobEvent::Refer,
    BlobEvent::Release,
    BlobEvent::Examine,
    BlobEvent::Lose,
    BlobEvent::Find,
];

/// The present moment. Far ahead: nothing that is written here is ever due for the stack's own sweep.
fn now() -> Timestamp {
    "2200-01-01T00:00:00Z".parse().unwrap()
}

/// When lost blobs were lost.
fn earlier() -> Timestamp {
    now() - SignedDuration::from_hours(1)
}

/// All lives with up to `references` references that are looked at at one of these times, in seconds from now.
fn lives(references: u64, next_check_at: &[Option<i64>]) -> Vec<Life> {
    let mut lives = Vec::new();
    for references in 0..=references {
        for (reclaiming, lost) in [(false, false), (false, true), (true, false), (true, true)] {
            for seconds in next_check_at {
                lives.push(Life {
                    references,
                    reclaiming,
                    lost,
                    next_check_at: seconds.map(|seconds| now() + SignedDuration::from_secs(seconds)),
                });
            }
        }
    }
    lives
}

fn small_lives() -> Vec<Life> {
    lives(2, &[None, Some(-1), Some(0), Some(1)])
}

/// What the index of contents says about a blob's content.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Index {
    ThisBlob,
    AnotherBlob,
    Nothing,
}

/// One blob with its place in the index of contents.
struct BlobFixture {
    blob: BlobId,
    content: ContentId,
    scope: Option<AccountId>,
}

impl BlobFixture {
    /// One that nobody else has.
    fn new(scoped: bool) -> Self {
        let blob: BlobId = new_id();
        let digest = PartDigest::of(blob.as_str().as_bytes());
        Self {
            blob,
            content: ContentId::of_parts(&[digest]).unwrap(),
            scope: scoped.then(new_id),
        }
    }

    fn key(&self) -> Key {
        BlobRow::key_of(&self.blob)
    }

    fn content_key(&self) -> Key {
        ContentRow::key_of(&self.content, self.scope.as_ref())
    }

    /// The blob's item. `lost_since` counts only for a lost one.
    fn item(&self, life: &Life, lost_since: Timestamp) -> Item {
        let mut attributes = json!({
            "id": self.blob,
            "content_id": self.content,
            "size": 7,
            "references": life.references,
            "reclaiming": life.reclaiming,
            "created_at": earlier(),
        });
        if let Some(scope) = &self.scope {
            attributes["scope"] = json!(scope);
        }
        if life.lost {
            attributes["lost_since"] = json!(lost_since);
        }
        if let Some(at) = life.next_check_at {
            attributes["due_at"] = json!(at.as_second());
            attributes["due_shard"] = json!(due_shard(&self.key()));
        }
        Item::new(&self.key(), attributes)
    }

    fn content_item(&self, index: Index) -> Option<Item> {
        let blob = match index {
            Index::ThisBlob => self.blob.clone(),
            Index::AnotherBlob => new_id(),
            Index::Nothing => return None,
        };
        let mut attributes = json!({ "content_id": self.content, "blob": blob });
        if let Some(scope) = &self.scope {
            attributes["scope"] = json!(scope);
        }
        Some(Item::new(&self.content_key(), attributes))
    }

    async fn remove(&self, table: &Table) -> Result<(), String> {
        let removed = table.delete_all(&[self.key(), self.content_key()]).await;
        removed.map_err(|error| error.to_string())
    }
}

/// What the store should answer to a write that the rule refuses.
fn conflict_of(refusal: Refusal) -> Conflict {
    match refusal {
        Refusal::Reclaiming | Refusal::Lost => Conflict::BlobGone,
        _ => Conflict::NodeChanged,
    }
}

/// `refer` or `release` on a blob with this life.
async fn write_without_reading(table: &Table, life: Life, event: BlobEvent) -> Result<(), String> {
    let place = BlobFixture::new(false);
    let before = place.item(&life, earlier());
    let case = async {
        put(table, &[&before]).await.map_err(|error| error.to_string())?;
        let write = match event {
            BlobEvent::Refer => refer(&place.blob),
            _ => release(&place.blob, 1, now()),
        };
        let written = table.transact(vec![write.unwrap()]).await;
        let after = match (written, step(&life, event, now())) {
            // An effect could not be had without reading.
            (Ok(()), Ok((next, []))) => place.item(&next, earlier()),
            (
                Err(StoreError {
                    kind: ErrorKind::Conflict(conflict),
                    ..
                }),
                Err(refusal),
            ) if conflict == conflict_of(refusal) => before,
            (written, rule) => return Err(format!("the write gave {written:?}, the rule {rule:?}")),
        };
        compare(table, &place.key(), Some(&after)).await
    };
    let outcome = case.await;
    place.remove(table).await?;
    outcome.map_err(|error| format!("{event:?} on {life:?}: {error}"))
}

#[tokio::test]
async fn one_reference_more_or_less_is_what_the_rule_makes_of_it() {
    let table = &table().await;
    let mut cases = Vec::new();
    for life in small_lives() {
        for event in [BlobEvent::Refer, BlobEvent::Release] {
            cases.push(write_without_reading(table, life, event));
        }
    }
    all(cases, 96).await;
}

/// `move_blob` on a blob that is as it was read.
async fn moved(
    table: &Table,
    life: Life,
    event: BlobEvent,
    index: Index,
    scoped: bool,
) -> Result<(), String> {
    let place = BlobFixture::new(scoped);
    let (before, content) = (place.item(&life, earlier()), place.content_item(index));
    let case = async {
        let items: Vec<_> = [Some(&before), content.as_ref()].into_iter().flatten().collect();
        put(table, &items).await.map_err(|error| error.to_string())?;
        let moved = table.blobs().transition(&before.row(), event, now()).await;
        let moved = moved.map_err(|error| error.to_string())?;
        let rule = step(&life, event, now());
        if moved != rule.map(|(_, effects)| effects) {
            return Err(format!("it gave {moved:?}, the rule {rule:?}"));
        }
        let (after, effects) = match rule {
            Ok((next, effects)) => {
                let lost_since = if life.lost { earlier() } else { now() };
                (place.item(&next, lost_since), effects)
            }
            Err(_) => (before, &[][..]),
        };
        compare(table, &place.key(), Some(&after)).await?;
        // Only its own place is freed.
        let freed = effects.contains(&Effect::FreeContent) && index == Index::ThisBlob;
        let content = content.filter(|_| !freed);
        compare(table, &place.content_key(), content.as_ref()).await
    };
    let outcome = case.await;
    place.remove(table).await?;
    outcome.map_err(|error| format!("{event:?} on {life:?}, {index:?}, scoped: {scoped}: {error}"))
}

#[tokio::test]
async fn a_blob_is_moved_as_the_rule_says() {
    let table = &table().await;
    let mut cases = Vec::new();
    for life in small_lives() {
        for event in EVENTS {
            let frees =
                step(&life, event, now()).is_ok_and(|(_, effects)| effects.contains(&Effect::FreeContent));
            for index in [Index::ThisBlob, Index::AnotherBlob, Index::Nothing] {
                if index == Index::ThisBlob || frees {
                    cases.push(moved(table, life, event, index, false));
                    cases.push(moved(table, life, event, index, true));
                }
            }
        }
    }
    all(cases, 480).await;
}

/// `move_blob` on a blob that is not as it was read any more; `None`: it is gone.
async fn moved_late(table: &Table, read: Life, is: Option<Life>, event: BlobEvent) -> Result<(), String> {
    let place = BlobFixture::new(false);
    let there = is.map(|life| place.item(&life, earlier()));
    let content = place.content_item(Index::ThisBlob);
    let case = async {
        let items: Vec<_> = [there.as_ref(), content.as_ref()].into_iter().flatten().collect();
        put(table, &items).await.map_err(|error| error.to_string())?;
        let read: BlobRow = place.item(&read, earlier()).row();
        match table.blobs().transition(&read, event, now()).await {
            Err(error) if error.conflict() == Some(Conflict::BlobChanged) => {}
            moved => return Err(format!("it gave {moved:?}")),
        }
        compare(table, &place.key(), there.as_ref()).await?;
        compare(table, &place.content_key(), content.as_ref()).await
    };
    let outcome = case.await;
    place.remove(table).await?;
    outcome.map_err(|error| format!("{event:?} on {read:?}, which is {is:?} by now: {error}"))
}

#[tokio::test]
async fn a_blob_that_changed_since_it_was_read_is_left_as_it_is() {
    let table = &table().await;
    let lives = lives(1, &[None, Some(0), Some(1)]);
    let mut cases = Vec::new();
    for read in &lives {
        for event in [BlobEvent::Examine, BlobEvent::Lose, BlobEvent::Find] {
            // Where the rule changes nothing, nothing is written that could be late.
            if !step(read, event, now()).is_ok_and(|(next, _)| next != *read) {
                continue;
            }
            cases.push(moved_late(table, *read, None, event));
            let others = lives.iter().filter(|is| *is != read);
            cases.extend(others.map(|is| moved_late(table, *read, Some(*is), event)));
        }
    }
    all(cases, 400).await;
}

#[tokio::test]
async fn a_blob_that_is_not_there_does_not_come_into_being() {
    let table = table().await;
    let place = BlobFixture::new(false);
    for (write, expected) in [
        (refer(&place.blob), Conflict::BlobGone),
        (release(&place.blob, 1, now()), Conflict::NodeChanged),
    ] {
        let written = table.transact(vec![write.unwrap()]).await;
        assert!(
            matches!(written, Err(StoreError { kind: ErrorKind::Conflict(conflict), .. }) if conflict == expected),
            "{written:?}"
        );
        compare(&table, &place.key(), None).await.unwrap();
    }
}

// A write of a transaction that fails takes the others with it, whichever of them it is.
#[tokio::test]
async fn a_reference_that_is_refused_takes_the_other_writes_with_it() {
    let table = table().await;
    let (place, other) = (BlobFixture::new(false), BlobFixture::new(false));
    let reclaimed = Life {
        reclaiming: true,
        ..Life::NEW
    };
    let (gone, sound) = (place.item(&reclaimed, now()), other.item(&Life::NEW, now()));
    put(&table, &[&gone, &sound]).await.unwrap();
    let content = other.content_item(Index::ThisBlob).unwrap();
    let row: ContentRow = content.row();
    let writes = vec![
        release(&other.blob, 1, now()).unwrap(),
        Write::create(&row, Conflict::ContentExists).unwrap(),
        refer(&place.blob).unwrap(),
    ];
    let written = table.transact(writes).await;
    let left = [
        compare(&table, &gone.key(), Some(&gone)).await,
        compare(&table, &sound.key(), Some(&sound)).await,
        compare(&table, &row.key(), None).await,
    ];
    place.remove(&table).await.unwrap();
    other.remove(&table).await.unwrap();
    assert!(
        matches!(
            written,
            Err(StoreError {
                kind: ErrorKind::Conflict(Conflict::BlobGone),
                ..
            })
        ),
        "{written:?}"
    );
    assert_eq!(left, [Ok(()), Ok(()), Ok(())]);
}
