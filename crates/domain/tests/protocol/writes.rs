//! The writes of the table: each holds in all its conditions, or changes nothing.

use crate::clock::{Alive, NOW, Timer};
use crate::rules::Rules;
use crate::size::Id;
use crate::world::{Multipart, Node, Upload, World};
use domain::account::QuotaEvent;
use domain::blob::{self, Life};
use domain::upload::{self, Effect, Refusal};
use jiff::Timestamp;

/// Where a process does its call.
pub(crate) struct Turn<'a> {
    pub(crate) world: &'a mut World,
    pub(crate) rules: &'a Rules,
    /// The processes, itself included.
    pub(crate) alive: Alive,
}

/// An upload's row as a process has read it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Held {
    pub(crate) upload: Id,
    /// It was written since: the version is another one.
    pub(crate) stale: bool,
}

/// Why nothing was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Conflict {
    Refused(Refusal),
    /// The upload has another version.
    UploadChanged,
    BlobGone,
    ContentExists,
    NameTaken,
    NodeChanged,
    NoRoom,
}

/// A place for a file: that of another one, with the blob that it has, or a new one.
pub(crate) type NodePlacement = Option<(Id, Id)>;

impl Turn<'_> {
    /// The row of an upload.
    pub(crate) fn upload(&self, id: Id) -> Option<Upload> {
        self.world.uploads[usize::from(id)]
    }

    /// Moves an upload on, together with `others`, if it still has the version that was read.
    pub(crate) fn move_upload(
        &mut self,
        held: &mut Held,
        event: upload::UploadEvent,
        others: impl FnOnce(&mut Turn, &mut Upload) -> Result<(), Conflict>,
    ) -> Result<(), Conflict> {
        let row = self.upload(held.upload).ok_or(Conflict::UploadChanged)?;
        let mut lifecycle = row.lifecycle();
        if held.stale {
            let commit = matches!(event, upload::UploadEvent::Commit(_));
            if !commit || self.rules.conditions.commit_of_version {
                return Err(Conflict::UploadChanged);
            }
            // What it was when it was read.
            lifecycle.state = upload::State::Finalizing;
        }
        let (lifecycle, effects) = (self.rules.upload)(&lifecycle, event, NOW).map_err(Conflict::Refused)?;
        let mut after = *self.world;
        let mut turn = Turn {
            world: &mut after,
            ..*self
        };
        let mut next = row.moved_to(&lifecycle, self.alive);
        if next.state.is_final() {
            next.settled = World::settled((self.rules.discard_again)(Some(NOW), NOW), self.alive);
        }
        for effect in effects {
            match effect {
                Effect::ReturnReservation => turn.quota(row.account, QuotaEvent::Give(row.size))?,
                Effect::DiscardParts => next.discard = Some(Timer::Over),
                // Among the others.
                Effect::MakeFile => {}
            }
        }
        others(&mut turn, &mut next)?;
        after.write_upload(held.upload, next);
        held.stale = false;
        *self.world = after;
        Ok(())
    }

    /// Writes down what is left to discard of an ended upload, by a look that began when what was under way at the
    /// upload's end was over, or was not.
    pub(crate) fn discarded(&mut self, held: &mut Held, over: bool) {
        let Some(row) = self.upload(held.upload).filter(|_| !held.stale) else {
            return;
        };
        let ended_at = if over { Timestamp::MIN } else { NOW };
        let again = (self.rules.discard_again)(Some(ended_at), NOW);
        let next = Upload {
            discard: again.and(row.settled),
            settled: None,
            ..row
        };
        self.world.write_upload(held.upload, next);
        held.stale = false;
    }

    /// Changes an account's quota.
    pub(crate) fn quota(&mut self, account: Id, event: QuotaEvent) -> Result<(), Conflict> {
        let quota = &mut self.world.quotas[usize::from(account)];
        *quota = (self.rules.quota)(*quota, event).map_err(|_| Conflict::NoRoom)?;
        Ok(())
    }

    /// Puts a file into its place, whose blob is one more file's.
    pub(crate) fn place(&mut self, file: Node, place: NodePlacement) -> Result<(), Conflict> {
        let nodes = &mut self.world.nodes;
        let Some((id, seen)) = place else {
            if self.world.node_named(file.account, file.name).is_some() {
                return Err(Conflict::NameTaken);
            }
            let free = self.world.nodes.iter().position(Option::is_none);
            let Some(free) = free else {
                unreachable!("a world with room for all files")
            };
            self.world.nodes[free] = Some(file);
            return Ok(());
        };
        let there = nodes[usize::from(id)].as_mut();
        let node =
            there.filter(|node| node.blob == seen && (node.account, node.name) == (file.account, file.name));
        let old = std::mem::replace(node.ok_or(Conflict::NodeChanged)?, file);
        self.quota(file.account, QuotaEvent::Give(old.size))?;
        if old.blob == file.blob {
            Ok(())
        } else {
            self.release(old.blob)
        }
    }

    /// One more file refers to a blob, unless the file in its place did.
    pub(crate) fn refer(&mut self, blob: Id, place: NodePlacement) -> Result<(), Conflict> {
        if place.is_some_and(|(_, old)| old == blob) {
            return Ok(());
        }
        self.move_blob(blob, blob::BlobEvent::Refer)
            .map_err(|()| Conflict::BlobGone)?;
        Ok(())
    }

    /// One file less refers to a blob.
    pub(crate) fn release(&mut self, blob: Id) -> Result<(), Conflict> {
        self.move_blob(blob, blob::BlobEvent::Release)
            .map_err(|()| Conflict::NodeChanged)?;
        Ok(())
    }

    /// Moves a blob on without reading first.
    pub(crate) fn move_blob(
        &mut self,
        id: Id,
        event: blob::BlobEvent,
    ) -> Result<&'static [blob::Effect], ()> {
        let row = *self.world.blob_row(id).ok_or(())?;
        let (life, effects): (Life, _) = (self.rules.blob)(&row.life(), event, NOW).map_err(|_| ())?;
        self.world.write_blob(id, row.moved_to(&life, self.alive));
        Ok(effects)
    }

    /// Completes a multipart upload whose part was `content`.
    pub(crate) fn complete_multipart(&mut self, key: Id, multipart: Id, content: Id) -> Completed {
        let place = &mut self.world.multiparts[usize::from(key)][usize::from(multipart)];
        match *place {
            Multipart::Live(part) if part == Some(content) => {
                *place = Multipart::Completed;
                self.world.ages[usize::from(key)][usize::from(multipart)] = None;
                self.world.objects[usize::from(key)] = Some(content);
                Completed::Done
            }
            Multipart::Live(_) => Completed::PartsChanged,
            Multipart::Unused | Multipart::Completed | Multipart::Aborted => Completed::NoSuchUpload,
        }
    }
}

/// The result of completing a multipart upload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Completed {
    Done,
    PartsChanged,
    NoSuchUpload,
}
