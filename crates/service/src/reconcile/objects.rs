//! Objects without an owner, and those whose size is not their blob's.

use super::{LISTED, Page, Reconcile, count, each};
use domain::id::BlobId;
use domain::reconcile::pass::{Counts, PageStart, Pass, Seen};
use domain::reconcile::{blob_of_key, object_is_orphaned};
use store::StoreError;
use store::objects::listing::ListedObject;

impl Reconcile {
    /// Checks the objects after this key.
    pub(super) async fn objects_page(&self, pass: &Pass, after: Option<&str>) -> Result<Page, StoreError> {
        let (listed, more) = self.objects.list(after, LISTED).await?;
        let next = listed.last().filter(|_| more).map(|last| PageStart::Objects {
            after: Some(last.key.clone()),
        });
        let all = listed.len();
        let mut ours: Vec<(BlobId, ListedObject)> = listed
            .into_iter()
            .filter_map(|object| Some((blob_of_key(&object.key)?, object)))
            .collect();
        let there = ours.len();
        // Nearly all are blobs, and one read shows that.
        let age = self.age();
        let ids: Vec<BlobId> = ours.iter().map(|(id, _)| id.clone()).collect();
        let blobs = self.table.reconciliation().blobs_of(&ids).await?;
        let (mut seen, mut other_sizes) = (Seen::default(), Vec::new());
        for (id, object) in &ours {
            let Some(Some(blob)) = blobs.get(id) else { continue };
            if !pass.is_compared(&blob.life(), blob.created_at, &age) {
                continue;
            }
            if object.size == blob.size {
                seen.objects.push(id.clone());
            } else if !self.asks_for(pass, id) {
                other_sizes.push(id.clone());
            }
        }
        ours.retain(|(id, object)| !blobs.contains_key(id) && age.is_old(object.made_at));
        let (orphaned, failed) = each(ours, async |(id, object)| self.object(&id, &object).await).await;
        let mut counts = Counts {
            objects_seen: count(there),
            objects_orphaned: count(orphaned.into_iter().filter(|gone| *gone).count()),
            foreign: count(all - there),
            failed,
            ..Counts::default()
        };
        counts += self.blobs(other_sizes).await;
        Ok(Page { counts, seen, next })
    }

    /// Deletes an object without an owner, with all items about it. Returns whether it did.
    async fn object(&self, id: &BlobId, object: &ListedObject) -> Result<bool, StoreError> {
        let ownership = self.table.reconciliation().ownership(id).await?;
        if !object_is_orphaned(&ownership, object.made_at, &self.age()) {
            return Ok(false);
        }
        tracing::warn!(key = object.key, made_at = %object.made_at, ?ownership, "deleting an object without an owner");
        // The upload owner last: until it is gone the pass over the rows comes back.
        self.objects.delete(&object.key).await?;
        self.table.reconciliation().delete_unborn(id).await?;
        Ok(true)
    }
}
