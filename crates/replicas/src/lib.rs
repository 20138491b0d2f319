//! Copies blobs to other object stores: verified against the blob's ledger on the way, against the target's
//! own checksum after, by any number of workers.
//!
//! | module | what is in it |
//! |---|---|
//! | [`replicator`] | what is done with each message of the queue |
//! | [`ceph`] | the S3-compatible kind of target |
//! | [`config`] | the targets secret |
//! | [`verified_body`] | a stream that never ends well with other bytes than expected |

pub mod ceph;
pub mod config;
pub mod error;
pub mod replicator;
pub mod verified_body;

pub use config::Targets;
pub use error::ReplicaError;
pub use replicator::Replicator;
