//! Blobs whose objects are gone, and claims that lead nowhere. What is at targets is in `at_targets`.

use super::{Page, Reconciler, SCANNED, count, each};
use domain::blob::Event;
use domain::id::BlobId;
use domain::reconcile::pass::{Counts, Place};
use domain::reconcile::{claim_is_over, examine};
use std::collections::HashSet;
use store::StoreError;
use store::reconcile::Owner;
use store::rows::{BlobRow, RosterRow, now, object_key};
use store::table::Key;

impl Reconciler {
    /// Looks at the rows after the one with this partition and sort key.
    pub(super) async fn rows_page(
        &self,
        after: Option<&(String, String)>,
        roster: &RosterRow,
    ) -> Result<Page, StoreError> {
        let after = after.map(|(pk, sk)| Key {
            pk: pk.clone(),
            sk: sk.clone(),
        });
        let page = self.table.owners(after.as_ref(), SCANNED).await?;
        let mut counts = Counts {
            skipped: count(page.unreadable.len()),
            ..Counts::default()
        };
        let (mut blobs, mut claimed) = (Vec::new(), Vec::new());
        let (mut replicas, mut nodes) = (Vec::new(), Vec::new());
        for row in page.rows {
            match row {
                Owner::Blob(blob) => blobs.push(blob),
                Owner::Claim(claim) => claimed.push(claim.blob),
                Owner::Replica(replica) => replicas.push(replica),
                Owner::Node(node) => nodes.push(node),
            }
        }
        counts.blobs_seen = count(blobs.len());
        // A claim stays where its upload has become a blob, mostly on the same page.
        let here: HashSet<&BlobId> = blobs.iter().map(|blob| &blob.id).collect();
        claimed.retain(|blob| !here.contains(blob));
        let elsewhere = self.table.blobs_among(&claimed).await?;
        claimed.retain(|blob| !elsewhere.contains(blob));

        let (events, failed) = each(blobs, async |blob| self.blob(&blob).await).await;
        counts.failed += failed;
        for event in events.into_iter().flatten() {
            match event {
                Event::Lose => counts.blobs_lost += 1,
                Event::Find => counts.blobs_found += 1,
                _ => {}
            }
        }
        let (removed, failed) = each(claimed, async |blob| self.claim(&blob).await).await;
        counts.failed += failed;
        counts.claims_removed = count(removed.into_iter().filter(|gone| *gone).count());
        counts += self.replicas(replicas, roster).await;
        counts += self.cover(nodes, &roster.roster).await?;
        let next = page.next.map(|key| Place::Rows {
            after: Some((key.pk, key.sk)),
        });
        Ok(Page { counts, next })
    }

    /// Compares a blob with its object. Gives what happened to it.
    async fn blob(&self, blob: &BlobRow) -> Result<Option<Event>, StoreError> {
        let life = blob.life();
        if life.reclaiming {
            return Ok(None);
        }
        let key = object_key(&blob.id);
        let found = self.objects.look_for(&key, &blob.content_id).await?;
        if examine(&life, blob.size, found).is_none() {
            return Ok(None);
        }
        // The row came from a scan, and may have been old.
        let Some(blob) = self.table.blob(&blob.id).await? else {
            return Ok(None);
        };
        let Some(event) = examine(&blob.life(), blob.size, found) else {
            return Ok(None);
        };
        if self.table.move_blob(&blob, event, now()).await?.is_err() {
            return Ok(None);
        }
        let (size, references) = (blob.size, blob.references);
        if event == Event::Lose {
            tracing::error!(key, size, references, ?found, "the object of a blob is lost");
        } else {
            tracing::warn!(key, size, references, "the object of a blob is back");
        }
        Ok(Some(event))
    }

    /// Removes a claim whose upload came to nothing, with all that is written besides it. Gives whether it did.
    async fn claim(&self, blob: &BlobId) -> Result<bool, StoreError> {
        let standing = self.table.standing(blob).await?;
        if !claim_is_over(&standing, &self.age()) {
            return Ok(false);
        }
        tracing::warn!(%blob, ?standing, "removing a claim that leads nowhere");
        self.table.delete_unborn(blob).await?;
        Ok(true)
    }
}
