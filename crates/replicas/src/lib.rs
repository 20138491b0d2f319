//! Copies blobs to other object stores: verified against the blob's ledger on the way, against the target's
//! own checksum after, by any number of workers.
//!
//! | module | what is in it |
//! |---|---|
//! | [`worker`] | what a worker does with the messages of one invocation |
//! | [`replicator`] | what is done with each of them |
//! | [`report`] | what a worker did, for the metrics |
//! | [`targets`] | the configured targets, ready to be used |
//! | [`target`] | what every kind of target can do |
//! | [`ceph`], [`oss`] | the kinds: S3-compatible, and Alibaba Cloud OSS |
//! | [`verified_body`] | a stream that never ends well with other bytes than expected |
//! | [`progress`] | whether it moves at all |
//! | [`pace`] | how fast one worker sends to one target |

pub mod ceph;
pub mod error;
mod http;
pub mod oss;
pub mod pace;
pub mod progress;
pub mod replicator;
pub mod report;
mod silent;
#[cfg(test)]
mod slow_targets;
pub mod target;
pub mod targets;
pub mod verified_body;
pub mod worker;

pub use error::ReplicaError;
pub use replicator::Replicator;
pub use report::Report;
pub use silent::Silent;
pub use target::Target;
pub use targets::{Place, Targets, TargetsCache};

#[cfg(test)]
mod for_tests {
    use domain::targets::{Config, Target};

    /// An OSS target called `far` there.
    pub(crate) fn target(endpoint: &str) -> Target {
        let text = format!(
            r#"{{"targets": [{{"name": "far", "kind": "oss", "endpoint": "{endpoint}", "region": "cn-hangzhou",
                "bucket": "bucket", "access_key_id": "ak", "secret_access_key": "sk"}}]}}"#
        );
        Config::parse(&text).unwrap().targets.remove(0)
    }
}
