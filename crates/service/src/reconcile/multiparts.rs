//! Multipart uploads without an owner.

use super::{LISTED, Page, Reconcile, count, each};
use domain::reconcile::pass::{Counts, Marker, PageStart, Seen};
use domain::reconcile::{blob_of_key, multipart_is_orphaned};
use store::StoreError;
use store::objects::listing::ListedMultipart;

impl Reconcile {
    /// Checks the multipart uploads after this one.
    pub(super) async fn multiparts_page(&self, after: Option<&Marker>) -> Result<Page, StoreError> {
        let (listed, more) = self.objects.list_multiparts(after, LISTED).await?;
        let last = listed.last().filter(|_| more).cloned();
        let all = listed.len();
        let ours = listed
            .into_iter()
            .filter(|multipart| blob_of_key(&multipart.key).is_some());
        let ours: Vec<_> = ours.collect();
        let seen = ours.len();
        let examined = each(ours, async |multipart| {
            let aborted = self.multipart(&multipart).await;
            aborted.map(|aborted| aborted.then_some(multipart.id))
        });
        let (examined, failed) = examined.await;
        let aborted: Vec<String> = examined.into_iter().flatten().collect();
        // One that is gone cannot be gone on after. Others of its key, if there were any, are seen by the next pass.
        let next = last.map(|last| PageStart::Multiparts {
            after: Some(Marker {
                id: Some(last.id).filter(|id| !aborted.contains(id)),
                key: last.key,
            }),
        });
        Ok(Page {
            counts: Counts {
                multiparts_seen: count(seen),
                multiparts_aborted: count(aborted.len()),
                foreign: count(all - seen),
                failed,
                ..Counts::default()
            },
            seen: Seen::default(),
            next,
        })
    }

    /// Aborts a multipart upload without an owner. Returns whether it did.
    async fn multipart(&self, multipart: &ListedMultipart) -> Result<bool, StoreError> {
        let ListedMultipart { key, id, begun_at } = multipart;
        let age = self.age();
        let Some(blob) = blob_of_key(key).filter(|_| age.is_old(*begun_at)) else {
            return Ok(false);
        };
        let upload_owner = self.table.reconciliation().upload_owner(&blob).await?;
        if !multipart_is_orphaned(&upload_owner, id, *begun_at, &age) {
            return Ok(false);
        }
        tracing::warn!(key, %begun_at, ?upload_owner, "aborting a multipart upload without an owner");
        self.objects.abort_multipart(key, id).await?;
        Ok(true)
    }
}
