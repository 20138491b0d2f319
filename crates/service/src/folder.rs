//! Folders.

pub mod create;
pub mod paths;
