//! Copying: a multipart upload at the target is begun, then its segments are copied.

use super::{Call, Turn, Worker};
use crate::copying::model::Model;
use crate::copying::replica::Replica;
use crate::copying::rules::Rule;
use crate::copying::world::World;

impl Worker {
    /// Begins a multipart upload at the target, unless another worker did.
    pub(super) fn begin_multipart(self, model: &Model, world: &mut World) -> Turn {
        let copies = Call::SendCopies(model.all_segments());
        match self.call {
            Call::Begin => match world.target.begin() {
                Some(id) => self.goes(Call::RecordBegin(id)),
                None => Turn::Fails,
            },
            Call::RecordBegin(id) if world.begin(model, self.read.since, id) => self.goes(copies),
            Call::RecordBegin(id) => self.goes(Call::LookWhoBegan(id)),
            Call::LookWhoBegan(id) if world.replica.is_some_and(|row| row.multipart == Some(id)) => {
                self.goes(copies)
            }
            // The worker that was first sends the copy messages.
            Call::LookWhoBegan(_) if !model.keeps(Rule::AbortsOwn) => self.conclude(model),
            Call::LookWhoBegan(id) => self.goes(Call::AbortOwn(id)),
            Call::AbortOwn(id) => {
                let own = std::array::from_fn(|other| other == usize::from(id));
                world.target.abort(own);
                self.conclude(model)
            }
            _ => Turn::Fails,
        }
    }

    /// Copies a segment and records it, once.
    pub(super) fn copy(self, model: &Model, world: &mut World) -> Turn {
        let mine = self.read.multipart;
        match self.call {
            Call::HasSegment(segment) if world.segments[usize::from(segment)] == mine => {
                self.goes(Call::Count)
            }
            Call::HasSegment(segment) => self.goes(Call::PutSegment(segment)),
            Call::PutSegment(segment) if world.target.put_segment(mine, segment) => {
                self.goes(Call::RecordSegment(segment))
            }
            Call::PutSegment(_) => self.goes(Call::ReadSegmentsAnew),
            Call::RecordSegment(segment) => {
                world.record(model, self.read, segment);
                self.goes(Call::Count)
            }
            _ => {
                let done = |row: Replica| usize::from(row.segments_done) >= model.segment_count();
                if world.replica.is_some_and(done) {
                    self.goes(Call::SendFinish)
                } else {
                    self.conclude(model)
                }
            }
        }
    }
}
