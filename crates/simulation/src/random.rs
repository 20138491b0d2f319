//! Random worlds: some users, an operator, faults, all from one seed; and whether everything holds when all is over.

mod contents;
mod faults;
mod life;
mod operator;
mod plan;
mod shrink;
mod user;

pub use faults::{FaultKey, Happened};
pub use life::{Life, live};
pub use plan::Plan;
pub use shrink::shrink;
