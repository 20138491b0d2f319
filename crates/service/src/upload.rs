//! Uploads.

pub mod complete;
pub mod create;
pub mod prove;
pub mod stored;
