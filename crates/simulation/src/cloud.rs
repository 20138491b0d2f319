//! AWS and the servers of replica targets, in memory: every call that a function makes arrives here, at a time and in a way
//! that the seed and the faults say.

mod call;
mod condition;
mod connector;
mod counts;
mod fault;
mod heat;
mod latency;
mod lock;
mod services;

pub use call::{Call, Service};
pub use condition::Conditions;
pub use connector::{Connector, Link};
pub use counts::{Counts, Invoked};
pub use fault::{Fault, Faults};
pub use heat::{Heat, Taken};
pub use latency::{Assumptions, Latency};
pub(crate) use lock::lock;
pub use services::{AWS, Cloud, Services};
pub(crate) use services::{KEY_ID, SECRET_KEY, TABLE};
