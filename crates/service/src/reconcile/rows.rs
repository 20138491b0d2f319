//! Blobs whose objects are gone, and claims that lead nowhere. What is at targets is in `at_targets`.

use super::{Page, Reconcile, SCANNED, count, each};
use domain::blob::Event;
use domain::id::BlobId;
use domain::reconcile::pass::{Counts, Pass, Place, Seen};
use domain::reconcile::{claim_is_over, examine};
use std::collections::HashSet;
use store::StoreError;
use store::reconcile::Owner;
use store::rows::{BlobRow, RosterRow, now, object_key};
use store::table::Key;

impl Reconcile {
    /// Checks the rows after the one with this partition and sort key.
    pub(super) async fn rows_page(
        &self,
        pass: &Pass,
        after: Option<&(String, String)>,
        roster: &RosterRow,
    ) -> Result<Page, StoreError> {
        let after = after.map(|(pk, sk)| Key {
            pk: pk.clone(),
            sk: sk.clone(),
        });
        let page = self
            .table
            .reconciliation()
            .owners(after.as_ref(), SCANNED)
            .await?;
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
        let elsewhere = self.table.reconciliation().blobs_among(&claimed).await?;
        claimed.retain(|blob| !elsewhere.contains(blob));

        let (sample, age) = (self.sample_of(pass), self.age());
        let mut seen = Seen::default();
        for blob in &blobs {
            if pass.is_compared(&blob.life(), blob.created_at, &age) {
                seen.blobs.push(blob.id.clone());
            }
        }
        // What is lost is listed without its checksum when it is back.
        blobs.retain(|blob| blob.life().lost || self.asks_for(pass, &blob.id));
        counts += self.looked_at(blobs).await;
        let (removed, failed) = each(claimed, async |blob| self.claim(&blob).await).await;
        counts.failed += failed;
        counts.claims_removed = count(removed.into_iter().filter(|gone| *gone).count());
        counts += self.replicas(replicas, roster, sample).await;
        counts += self.cover(nodes, &roster.roster).await?;
        let next = page.next.map(|key| Place::Rows {
            after: Some((key.pk, key.sk)),
        });
        Ok(Page { counts, seen, next })
    }

    /// Compares blobs with their objects.
    pub(super) async fn blobs(&self, ids: Vec<BlobId>) -> Counts {
        let (rows, failed) = each(ids, async |id| self.table.blobs().get(&id).await).await;
        let mut counts = self.looked_at(rows.into_iter().flatten().collect()).await;
        counts.failed += failed;
        counts
    }

    async fn looked_at(&self, blobs: Vec<BlobRow>) -> Counts {
        let mut counts = Counts {
            blobs_looked_at: count(blobs.len()),
            ..Counts::default()
        };
        let (events, failed) = each(blobs, async |blob| self.blob(&blob).await).await;
        counts.failed += failed;
        for event in events.into_iter().flatten() {
            match event {
                Event::Lose => counts.blobs_lost += 1,
                Event::Find => counts.blobs_found += 1,
                _ => {}
            }
        }
        counts
    }

    /// Compares a blob with its object. Returns what happened to it.
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
        let Some(blob) = self.table.blobs().get(&blob.id).await? else {
            return Ok(None);
        };
        let Some(event) = examine(&blob.life(), blob.size, found) else {
            return Ok(None);
        };
        if self.table.blobs().transition(&blob, event, now()).await?.is_err() {
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

    /// Removes a claim whose upload never became a blob, with the other items about it. Returns whether it did.
    async fn claim(&self, blob: &BlobId) -> Result<bool, StoreError> {
        let standing = self.table.reconciliation().standing(blob).await?;
        if !claim_is_over(&standing, &self.age()) {
            return Ok(false);
        }
        tracing::warn!(%blob, ?standing, "removing a claim that leads nowhere");
        self.table.reconciliation().delete_unborn(blob).await?;
        Ok(true)
    }
}
