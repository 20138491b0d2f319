//! How it is known of a condition what it is for, and why some are not needed alone.

use crate::races::Race;
use crate::scene::Late as Lived;

/// How it is known that a condition is needed.
pub(crate) enum Evidence {
    /// The world of this seed is broken without it.
    World(u64),
    /// Without it this goes wrong.
    Race(Race),
    /// Without it this goes wrong when a write with it comes late.
    Late(Lived),
    /// Nothing is broken without it alone, for this reason.
    NotAlone(&'static str),
}
pub(crate) const RANDOM: &str = "The id is new and random. The condition makes a write whose answer was lost known when it is sent again.";
pub(crate) const ONE_TRANSACTION: &str = "The transaction has another condition that is false whenever this one is: what belongs \
    together is always written together.";
pub(crate) const THE_SAME: &str = "All writers write the same value.";
pub(crate) const PASSES: &str = "A pass that two work on is done twice, and each of them goes through all pages of its own. The condition saves \
    that.";
pub(crate) const PUBLISHED: &str =
    "The next sweep, a minute later, reads the secret again and publishes what it says.";
pub(crate) const SETTLED: &str = "The item goes five minutes after the last request that could write to it at the earliest, and no call \
    is under way for so long. The condition is there for clocks that are wrong.";
pub(crate) const LOOKED_AT: &str =
    "When an upload is touched at the same moment, it is looked at once more, at its old time.";
pub(crate) const WANTED: &str = "What removes a version that is kept for good is its owner, who wants it gone whether it is kept or not. That it is \
    removed once is another condition of the transaction.";
pub(crate) const LEASES: &str = "Each item has conditions of its own. A lease saves doing everything twice.";
