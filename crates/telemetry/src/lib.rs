//! Logs and metrics of all functions.

pub mod logging;
pub mod metrics;
