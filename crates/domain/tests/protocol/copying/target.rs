//! The target.

use super::size::SEGMENTS;

/// How many multipart uploads may be begun: those of a model, and those of the time when nothing goes wrong any more.
pub(super) const MULTIPARTS: usize = 7;

/// Some of the multipart uploads.
pub(super) type Which = [bool; MULTIPARTS];

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Multipart {
    Unused,
    /// Under way, with these segments.
    Live([bool; SEGMENTS]),
    Gone,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Object {
    Right,
    Wrong,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct TargetModel {
    multiparts: [Multipart; MULTIPARTS],
    pub(super) object: Option<Object>,
    /// It had the right object, and lost or spoilt it since.
    pub(super) lost: bool,
}

impl TargetModel {
    pub(super) const EMPTY: Self = Self {
        multiparts: [Multipart::Unused; MULTIPARTS],
        object: None,
        lost: false,
    };

    /// Begins a multipart upload. `None`: there were too many for this model.
    pub(super) fn begin(&mut self) -> Option<u8> {
        let id = self.begun();
        *self.multiparts.get_mut(id)? = Multipart::Live([false; SEGMENTS]);
        u8::try_from(id).ok()
    }

    /// How many were begun so far.
    pub(super) fn begun(&self) -> usize {
        let used = |multipart: &&Multipart| **multipart != Multipart::Unused;
        self.multiparts.iter().filter(used).count()
    }

    /// Which are under way.
    pub(super) fn live(&self) -> Which {
        self.multiparts
            .map(|multipart| matches!(multipart, Multipart::Live(_)))
    }

    pub(super) fn has(&self, multipart: Option<u8>) -> bool {
        multipart.is_some_and(|id| self.live()[usize::from(id)])
    }

    /// Puts the parts of a segment. `false`: there is no such multipart upload.
    pub(super) fn put_segment(&mut self, multipart: Option<u8>, segment: u8) -> bool {
        let Some(id) = multipart else { return false };
        match &mut self.multiparts[usize::from(id)] {
            Multipart::Live(segments) => {
                segments[usize::from(segment)] = true;
                true
            }
            Multipart::Unused | Multipart::Gone => false,
        }
    }

    /// Makes the object. `false`: there is no such multipart upload, or it lacks something.
    pub(super) fn complete(&mut self, multipart: Option<u8>, all: [bool; SEGMENTS]) -> bool {
        let Some(id) = multipart.map(usize::from) else {
            return false;
        };
        if self.multiparts[id] != Multipart::Live(all) {
            return false;
        }
        self.multiparts[id] = Multipart::Gone;
        self.put_whole();
        true
    }

    pub(super) fn put_whole(&mut self) {
        self.object = Some(Object::Right);
        self.lost = false;
    }

    pub(super) fn abort(&mut self, these: Which) {
        for (multipart, abort) in self.multiparts.iter_mut().zip(these) {
            if abort && matches!(multipart, Multipart::Live(_)) {
                *multipart = Multipart::Gone;
            }
        }
    }

    pub(super) fn is_right(&self) -> bool {
        self.object == Some(Object::Right)
    }

    pub(super) fn lose(&mut self) {
        self.object = None;
        self.lost = true;
    }

    pub(super) fn delete(&mut self) {
        self.object = None;
    }

    /// What was made just now is something else.
    pub(super) fn corrupt(&mut self, before: &Self) {
        if self.is_right() {
            self.lost = before.is_right() || before.lost;
            self.object = Some(Object::Wrong);
        }
    }

    /// Nothing of the blob is there.
    pub(super) fn is_empty(&self) -> bool {
        self.object.is_none() && self.live() == [false; MULTIPARTS]
    }
}
