//! Blobs whose objects are gone, and upload owners that lead nowhere. What is at targets is in `at_targets`.

use super::{Page, Reconcile, SCANNED, count, each};
use domain::blob::BlobEvent;
use domain::id::BlobId;
use domain::reconcile::pass::{Counts, PageStart, Pass, Seen};
use domain::reconcile::{examine, upload_owner_is_obsolete};
use std::collections::{BTreeMap, BTreeSet};
use store::StoreError;
use store::reconcile::Owner;
use store::rows::{BlobRow, NodeRow, TargetRegistryRow, VersionRow, object_key};
use store::table::{Key, Row};

impl Reconcile {
    /// Checks the rows after the one with this partition and sort key.
    pub(super) async fn rows_page(
        &self,
        pass: &Pass,
        after: Option<&(String, String)>,
        target_registry: &TargetRegistryRow,
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
        let (mut blobs, mut owned) = (Vec::new(), Vec::new());
        let (mut replicas, mut nodes, mut versions) = (Vec::new(), Vec::new(), Vec::new());
        for row in page.rows {
            match row {
                Owner::Blob(blob) => blobs.push(blob),
                Owner::Upload(upload_owner) => owned.push(upload_owner.blob),
                Owner::Replica(replica) => replicas.push(replica),
                Owner::Node(node) => nodes.push(node),
                Owner::Version(version) => versions.push(version),
            }
        }
        counts.blobs_seen = count(blobs.len());
        // An upload owner stays where its upload has become a blob, mostly on the same page.
        let here: BTreeSet<&BlobId> = blobs.iter().map(|blob| &blob.id).collect();
        owned.retain(|blob| !here.contains(blob));
        let elsewhere = self.table.reconciliation().blobs_among(&owned).await?;
        owned.retain(|blob| !elsewhere.contains(blob));

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
        let (removed, failed) = each(owned, async |blob| self.upload_owner(&blob).await).await;
        counts.failed += failed;
        counts.upload_owners_removed = count(removed.into_iter().filter(|gone| *gone).count());
        counts += self.replicas(replicas, target_registry, sample).await;
        nodes.extend(self.where_versions_are(versions).await?);
        counts += self
            .ensure_replicas(nodes, &target_registry.target_registry)
            .await?;
        let next = page.next.map(|key| PageStart::Rows {
            after: Some((key.pk, key.sk)),
        });
        Ok(Page { counts, seen, next })
    }

    /// Files as if they had the content of these versions: a version is wanted where its file is.
    async fn where_versions_are(&self, versions: Vec<VersionRow>) -> Result<Vec<NodeRow>, StoreError> {
        let keys: BTreeSet<Key> = versions
            .iter()
            .map(|version| NodeRow::key_of(&version.account, &version.node))
            .collect();
        let nodes = self.table.get_many::<NodeRow>(keys).await?.rows;
        let nodes: BTreeMap<_, _> = nodes.into_iter().map(|node| (node.key(), node)).collect();
        let with_content = |version: VersionRow| {
            let node = nodes.get(&NodeRow::key_of(&version.account, &version.node))?;
            Some(NodeRow {
                file: Some(version.file),
                ..node.clone()
            })
        };
        Ok(versions.into_iter().filter_map(with_content).collect())
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
            blobs_checked: count(blobs.len()),
            ..Counts::default()
        };
        let (events, failed) = each(blobs, async |blob| self.blob(&blob).await).await;
        counts.failed += failed;
        for event in events.into_iter().flatten() {
            match event {
                BlobEvent::Lose => counts.blobs_lost += 1,
                BlobEvent::Find => counts.blobs_found += 1,
                _ => {}
            }
        }
        counts
    }

    /// Compares a blob with its object. Returns what happened to it.
    async fn blob(&self, blob: &BlobRow) -> Result<Option<BlobEvent>, StoreError> {
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
        if self
            .table
            .blobs()
            .transition(&blob, event, self.table.now())
            .await?
            .is_err()
        {
            return Ok(None);
        }
        let (size, references) = (blob.size, blob.references);
        if event == BlobEvent::Lose {
            tracing::error!(key, size, references, ?found, "the object of a blob is lost");
        } else {
            tracing::warn!(key, size, references, "the object of a blob is back");
        }
        Ok(Some(event))
    }

    /// Removes an upload owner whose upload never became a blob, with the other items about it. Returns whether it did.
    async fn upload_owner(&self, blob: &BlobId) -> Result<bool, StoreError> {
        let ownership = self.table.reconciliation().ownership(blob).await?;
        if !upload_owner_is_obsolete(&ownership, &self.age()) {
            return Ok(false);
        }
        tracing::warn!(%blob, ?ownership, "removing an upload owner that leads nowhere");
        self.table.reconciliation().delete_unborn(blob).await?;
        Ok(true)
    }
}
