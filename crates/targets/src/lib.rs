//! The kinds of stores that blobs are replicated to, behind one trait.
//!
//! | module | what is in it |
//! |---|---|
//! | [`target`] | what every kind of target can do |
//! | [`ceph`], [`oss`] | the kinds: S3-compatible, and Alibaba Cloud OSS |
//! | [`verified_body`] | a stream that ends with an error if its bytes are not the expected ones |
//! | [`progress`] | whether a stream makes progress |
//! | [`rate_limiter`] | how fast one worker sends to one target |

pub mod ceph;
pub mod error;
mod http;
pub mod oss;
pub mod progress;
pub mod rate_limiter;
#[cfg(test)]
mod slow_targets;
pub mod target;
pub mod verified_body;

pub use error::ReplicaError;
pub use target::ReplicaTarget;

use domain::targets::{self as config, Kind};
use rate_limiter::RateLimiter;
use std::sync::Arc;
use store::Environment;

/// The store of a target. Nothing is sent yet.
///
/// # Errors
/// [`ReplicaError::Misconfigured`] when its CA bundle cannot be used.
pub fn open(
    target: &config::Target,
    environment: &Environment,
) -> Result<Box<dyn ReplicaTarget>, ReplicaError> {
    let rate_limiter = Arc::new(RateLimiter::new(target.max_bytes_per_second));
    Ok(match target.kind {
        Kind::Ceph { checksum } => Box::new(ceph::CephTarget::new(
            target,
            checksum,
            rate_limiter,
            environment,
        )?),
        Kind::Oss => Box::new(oss::OssTarget::new(target, rate_limiter, environment)?),
    })
}

#[cfg(test)]
mod for_tests {
    use domain::targets::{Config, Target};
    use host::{Clock, Rng};
    use store::Environment;

    /// With the system's time and random numbers.
    pub(crate) fn environment() -> Environment {
        Environment::new(
            aws_config::SdkConfig::builder().build(),
            Clock::system(),
            Rng::system(),
        )
    }

    /// An OSS target called `far` there.
    pub(crate) fn target(endpoint: &str) -> Target {
        let text = format!(
            r#"{{"targets": [{{"name": "far", "kind": "oss", "endpoint": "{endpoint}", "region": "cn-hangzhou",
                "bucket": "bucket", "access_key_id": "ak", "secret_access_key": "sk"}}]}}"#
        );
        Config::parse(&text).unwrap().targets.remove(0)
    }
}
