//! What is in the trash.

pub mod purge;
