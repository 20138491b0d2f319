//! A world to explore, with what may go wrong there.

use super::ends::Ends;
use super::rules::Rule;
use super::size::SEGMENTS;
use super::world::World;
use domain::content::PartPlan;
use domain::replica::SegmentPlan;

pub(super) type Reached = fn(&World) -> bool;

/// A world to explore: where it begins, what may happen, and the rules.
#[derive(Clone)]
pub(super) struct Model {
    pub(super) begin: World,
    pub(super) plan: PartPlan,
    /// How many workers there are at a time.
    pub(super) width: usize,
    /// How many others there are at a time.
    pub(super) others: usize,
    /// How many multipart uploads are begun while anything may go wrong.
    pub(super) begun: usize,
    /// Messages vanish.
    pub(super) vanish: bool,
    /// The sweep is at work while anything may go wrong, not only afterwards.
    pub(super) sweeps: bool,
    /// Whether a message was received before is known. Where it makes no difference, there are fewer worlds without.
    pub(super) tells_again: bool,
    /// Rules that a test breaks.
    pub(super) broken: Vec<Rule>,
    pub(super) ends: Ends,
    /// What has to happen in some world, or the model does not say much.
    pub(super) reached: Vec<(&'static str, Reached)>,
}

impl Model {
    pub(super) fn keeps(&self, rule: Rule) -> bool {
        !self.broken.contains(&rule)
    }

    pub(super) fn is_large(&self) -> bool {
        self.plan.part_count() > 1
    }

    pub(super) fn segment_count(&self) -> usize {
        self.all_segments().iter().filter(|there| **there).count()
    }

    pub(super) fn all_segments(&self) -> [bool; SEGMENTS] {
        let count = SegmentPlan::of(&self.plan).segment_count();
        std::array::from_fn(|segment| u32::try_from(segment).is_ok_and(|segment| segment < count))
    }

    /// How many bytes a segment has.
    pub(super) fn segment_size(&self, segment: u8) -> u64 {
        let parts = SegmentPlan::of(&self.plan).parts(u32::from(segment));
        let length = |part| self.plan.part_length(part);
        parts.into_iter().flatten().filter_map(length).sum()
    }
}
