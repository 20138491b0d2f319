//! Logs and metrics, as all functions write them.

pub mod logging;
pub mod metrics;
