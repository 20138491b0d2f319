//! Files.

pub mod commit;
pub mod copy;
pub mod delete;
pub mod ensure_replicas;
pub mod placement;
pub mod read_url;
pub mod relocate;
pub mod search;
pub mod together;
pub mod versions;
pub mod writes;
