//! Copies blobs to other object stores: verified against the blob's part digests on the way, against the target's
//! own checksum after, by any number of workers.
//!
//! | module | what is in it |
//! |---|---|
//! | [`worker`] | what a worker does with the messages of one invocation |
//! | [`replicator`] | what is done with each of them |
//! | [`feed`] | messages for replicas that wait without one |
//! | [`report`] | what a worker did, for the metrics |

pub mod feed;
pub mod replicator;
pub mod report;
pub mod worker;
