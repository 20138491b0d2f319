//! Every way in which the protocols can go, in small worlds.
//!
//! A world is a table, a store, a target, a queue, and processes: functions that are at work. What decides is the
//! domain's own code: `upload::step`, `blob::step`, `Quota::step`, `finalize::Step::after`, `placement::place`,
//! `reconcile`, `replica::next`. What is written here is the order in which the functions make their remote calls,
//! and the conditions of their writes, as `store` and `functions/` have them; when those change, this has to.
//!
//! Between two calls of a process anything else may happen: another process, a request, a message lost or repeated,
//! a time that comes ([`clock`]). Any process may die before any call, and so after any other; a call may have its
//! effect twice, or late. Nothing of that is bounded but by the size of a world: two or three processes at a time,
//! the requests of its script ([`worlds`]). Each world is explored to the end ([`checking`]), and in all that it can
//! become the [`properties`] hold. That they can fail is what [`mutations`] show.
//!
//! [`copying`] is a model of its own: how a blob travels to a target, with all that is left out here.
//!
//! Left out, because nothing waits for it or it only adds ways out: objects that vanish (a HEAD before a blob is shared, marks
//! of lost blobs), what a finalize aborts after its commit, idempotency keys, allowances, folders and numbered names,
//! `DedupScope` `account`, rows that the table forgets by itself, dead letters. The end-to-end tests have those.
//!
//! `cargo test -p domain --release --test protocol -- --nocapture` shows how many worlds there are, and how each
//! broken rule is found out.

#![allow(clippy::disallowed_methods, reason = "tests run in real time")]
#![allow(
    clippy::panic,
    clippy::print_stdout,
    reason = "a test stops where it fails, and says so"
)]
#![allow(clippy::match_same_arms, reason = "an arm for each call reads best")]
#![allow(
    clippy::large_types_passed_by_value,
    reason = "one world is made from another"
)]

mod checking;
mod clock;
mod copying;
mod model;
mod mutations;
mod process;
mod properties;
mod rules;
mod scenarios;
mod size;
mod world;
mod worlds;
mod writes;
