//! How a blob travels to one target, and leaves it: workers, messages that are repeated, late and lost, a target that
//! loses and corrupts data, attempts that fail and are tried again, and a blob that is reclaimed in the meantime.
//!
//! What comes next is the domain's: `next`, `step`, `ReplicaCounters::moved`. What is written here is the
//! order of the calls of a [`worker`] and of the [`others`], and the conditions of their writes ([`rows`]),
//! as `service` and `store` have them; when those change, this has to. Between any two calls anything else
//! may happen; a process may die there, and any call may have its effect twice. The [`worlds`] differ in what
//! else may go wrong, and how often; each is explored to the end, and in every state all [`properties`] hold,
//! among them that all ends well once nothing goes wrong any more. The [`mutations`] show that they can fail.
//!
//! While a target's circuit is open workers only write down that the replica waits without a message (`park`), and later
//! another process finds it, and sends one (`feed`).
//!
//! Taken for granted: a message that was delivered and not acknowledged comes again, even when two workers have it and one
//! of them acknowledges it; a worker is gone when the time to settle is over. Left out: that the target completes a
//! multipart upload slowly, how often one may come to nothing, what opens a circuit, places, messages that wait, arrivals that are
//! written together, a target that stops draining. Segments' rows may outlive the multipart upload that they are of.

mod actions;
mod checking;
mod ends;
mod hashing;
mod model;
mod mutations;
mod others;
mod properties;
mod queue;
mod replica;
mod rows;
mod rules;
mod size;
mod target;
mod worker;
mod world;
mod worlds;
