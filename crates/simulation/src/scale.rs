//! A million uploads in an hour: which partitions are hot then, how long queues are, how long replicas take. `cargo xtask scale`.
//!
//! A call takes half a millisecond of this machine, and a million uploads are thirty million calls. So an hour is lived with a hundredth and a
//! two-hundredth of all: arrivals, accounts, workers. What one partition takes then is multiplied by what it is that it grows with
//! ([`family::Grows`]); both have to give the same. And one minute is lived at the full rate, with all workers, where nothing is multiplied but
//! what an account takes.
//!
//! | module | what is in it |
//! |---|---|
//! | [`load`] | arrivals, and Lambda with as many workers as are asked for |
//! | [`family`] | partitions of one sort, and what they grow with |
//! | [`report`] | the tables |

pub mod family;
pub mod load;
pub mod report;

use load::{Lived, Load, live};
use std::thread;

/// Lives all of these, some at the same time.
#[must_use]
pub fn live_all(loads: &[Load]) -> Vec<Lived> {
    thread::scope(|scope| {
        let running: Vec<_> = loads.iter().map(|load| scope.spawn(move || live(load))).collect();
        let joined = running.into_iter().map(thread::ScopedJoinHandle::join);
        // One that failed is worth nothing, nor are the others without it.
        joined
            .map(|lived| lived.unwrap_or_else(|why| std::panic::resume_unwind(why)))
            .collect()
    })
}
