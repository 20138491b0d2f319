//! Folders.

pub mod create;
