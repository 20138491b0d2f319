//! What is in the trash.

pub mod count;
pub mod purge;
