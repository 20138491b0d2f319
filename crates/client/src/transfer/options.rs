//! How to transfer, and what is told about it meanwhile.

use crate::backoff::{self, Retry};
use std::fmt;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

/// How to transfer.
#[derive(Clone)]
pub struct Options {
    /// How many parts at a time.
    pub streams: NonZeroUsize,
    /// How often to try one part in a row.
    pub retry: Retry,
    /// How long a connection may be silent before it is taken for dead.
    pub stall: Duration,
    /// How long to wait for the store to put the parts together.
    pub finalize: Duration,
    /// Told about everything that happens.
    pub observer: Observer,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            streams: NonZeroUsize::MIN.saturating_add(3),
            retry: backoff::TRANSFER,
            stall: Duration::from_mins(1),
            finalize: Duration::from_mins(30),
            observer: Observer::silent(),
        }
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("streams", &self.streams)
            .field("retry", &self.retry)
            .finish_non_exhaustive()
    }
}

/// What happens during a transfer.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum TransferEvent {
    /// So many bytes on this disk are about to be read and hashed.
    HashingBegan(u64),
    /// So many more bytes were hashed.
    Hashed(u64),
    /// Bytes are about to be moved.
    TransferBegan {
        /// Bytes in all.
        total: u64,
        /// Bytes that need not be moved, because an earlier try did.
        kept: u64,
        /// Parts in all.
        parts: u32,
        /// Parts that need not be moved.
        kept_parts: u32,
    },
    /// So many more bytes were moved.
    Moved(u64),
    /// So many bytes that were moved have to be moved again.
    Undone(u64),
    /// A part is where it should be, verified.
    PartDone(u32),
    /// A part failed and is tried again after a while.
    Retrying {
        /// From 1.
        part: u32,
        /// What happened.
        reason: String,
        /// How long until then.
        wait: Duration,
    },
    /// The store is putting the parts together.
    Finalizing,
    /// The file was replaced while it was being downloaded, and the download begins anew with the new one.
    Replaced,
}

/// Is told about [`TransferEvent`]s, from any thread.
#[derive(Clone)]
pub struct Observer(Arc<dyn Fn(TransferEvent) + Send + Sync>);

impl Observer {
    /// Calls `tell` for every event.
    pub fn new(tell: impl Fn(TransferEvent) + Send + Sync + 'static) -> Self {
        Self(Arc::new(tell))
    }

    /// Listens to nothing.
    #[must_use]
    pub fn silent() -> Self {
        Self::new(drop)
    }

    pub(crate) fn tell(&self, event: TransferEvent) {
        (self.0)(event);
    }
}
