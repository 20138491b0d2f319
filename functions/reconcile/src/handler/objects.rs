//! Objects without an owner.

use super::{LISTED, Page, Reconciler, count, each};
use domain::id::BlobId;
use domain::reconcile::pass::{Counts, Place};
use domain::reconcile::{blob_of_key, object_is_orphaned};
use store::StoreError;
use store::objects::ListedObject;

impl Reconciler {
    /// Looks at the objects after this key.
    pub(super) async fn objects_page(&self, after: Option<&str>) -> Result<Page, StoreError> {
        let (listed, more) = self.objects.list(after, LISTED).await?;
        let next = listed.last().filter(|_| more).map(|last| Place::Objects {
            after: Some(last.key.clone()),
        });
        let all = listed.len();
        let mut ours: Vec<(BlobId, ListedObject)> = listed
            .into_iter()
            .filter_map(|object| Some((blob_of_key(&object.key)?, object)))
            .collect();
        let seen = ours.len();
        // Nearly all are blobs, and one read tells.
        let age = self.age();
        ours.retain(|(_, object)| age.is_old(object.made_at));
        let ids: Vec<BlobId> = ours.iter().map(|(id, _)| id.clone()).collect();
        let blobs = self.table.blobs_among(&ids).await?;
        ours.retain(|(id, _)| !blobs.contains(id));
        let (orphaned, failed) = each(ours, async |(id, object)| self.object(&id, &object).await).await;
        Ok(Page {
            counts: Counts {
                objects_seen: count(seen),
                objects_orphaned: count(orphaned.into_iter().filter(|gone| *gone).count()),
                foreign: count(all - seen),
                failed,
                ..Counts::default()
            },
            next,
        })
    }

    /// Deletes an object that belongs to nobody, with all that is written about it. Gives whether it did.
    async fn object(&self, id: &BlobId, object: &ListedObject) -> Result<bool, StoreError> {
        let standing = self.table.standing(id).await?;
        if !object_is_orphaned(&standing, object.made_at, &self.age()) {
            return Ok(false);
        }
        tracing::warn!(key = object.key, made_at = %object.made_at, ?standing, "deleting an object without an owner");
        // The claim last: until it is gone the pass over the rows comes back.
        self.objects.delete(&object.key).await?;
        self.table.delete_unborn(id).await?;
        Ok(true)
    }
}
