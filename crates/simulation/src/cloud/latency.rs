//! How long calls take.

use super::call::Service;
use host::Rng;
use std::time::Duration;

/// How long a request or an answer takes at most where nothing else is said.
const LONGEST_TRAVEL: u64 = 20;
/// The same for one that is slow: with a request and an answer of these no time-out is over.
const SLOWEST_TRAVEL: u64 = 2000;

/// Whom a call is for, as far as that decides how long it takes.
#[derive(Debug, Clone, Copy)]
pub(super) enum Peer {
    /// A service of AWS.
    Aws(Service),
    /// The server of a replica target.
    Target,
}

/// How long calls take.
#[derive(Debug, Clone, Copy, Default)]
pub enum Latency {
    /// Request and answer take up to 20 milliseconds each, at random: anything may overtake anything.
    #[default]
    Random,
    /// The same, but so many of a thousand take up to two seconds: others overtake them.
    Uneven(u64),
    /// As assumed, the same for each call.
    Assumed(Assumptions),
}

/// An assumption of how long things take: no simulation can measure that.
#[derive(Debug, Clone, Copy)]
pub struct Assumptions {
    /// A call to `DynamoDB`.
    pub dynamodb: Duration,
    /// A call to S3, besides its bytes.
    pub s3: Duration,
    /// A call to SQS or Secrets Manager.
    pub others: Duration,
    /// A call to a target, besides its bytes.
    pub target: Duration,
    /// How many bytes of one request or answer go by in a second.
    pub bytes_per_second: u32,
    /// What a function computes in each invocation.
    pub computing: Duration,
}

impl Assumptions {
    /// What `docs/costs.md` and `docs/limits.md` assume. AWS documents single-digit milliseconds for `DynamoDB`, and 100 to 200
    /// for the first byte of small objects in S3; requests within a region are usually faster than the latter.
    pub const DOCUMENTED: Self = Self {
        dynamodb: Duration::from_millis(6),
        s3: Duration::from_millis(50),
        others: Duration::from_millis(10),
        target: Duration::from_millis(60),
        bytes_per_second: 20_000_000,
        computing: Duration::from_millis(5),
    };
}

impl Latency {
    /// How long a request or an answer with so many bytes is under way.
    pub(super) fn travel(self, rng: &Rng, peer: Peer, bytes: usize) -> Duration {
        let assumed = match self {
            Self::Assumed(assumed) => assumed,
            Self::Uneven(slow) if rng.within(0..1000) < slow => {
                return Duration::from_millis(rng.within(1..=SLOWEST_TRAVEL));
            }
            Self::Random | Self::Uneven(_) => return Duration::from_millis(rng.within(1..=LONGEST_TRAVEL)),
        };
        let call = match peer {
            Peer::Aws(Service::DynamoDb) => assumed.dynamodb,
            Peer::Aws(Service::S3) => assumed.s3,
            Peer::Aws(Service::Sqs | Service::SecretsManager) => assumed.others,
            Peer::Target => assumed.target,
        };
        let micros = bytes as u64 * 1_000_000 / u64::from(assumed.bytes_per_second.max(1));
        call / 2 + Duration::from_micros(micros)
    }

    /// How many milliseconds a transaction is at its items: no longer than its call takes.
    pub(super) fn at_an_item(self) -> i64 {
        match self {
            Self::Random | Self::Uneven(_) => 0,
            Self::Assumed(assumed) => i64::try_from(assumed.dynamodb.as_millis()).unwrap_or(i64::MAX),
        }
    }

    /// What a function computes in an invocation.
    pub(super) fn computing(self) -> Duration {
        match self {
            Self::Random | Self::Uneven(_) => Duration::ZERO,
            Self::Assumed(assumed) => assumed.computing,
        }
    }
}
