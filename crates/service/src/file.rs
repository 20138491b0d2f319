//! Files.

pub mod commit;
pub mod delete;
pub mod ensure_replicas;
pub mod placement;
pub mod read_url;
