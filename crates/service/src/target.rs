//! Targets.

pub mod redrive;
