//! What is read once for many requests.

use crate::error::StoreError;
use crate::table::Table;
use domain::targets::roster::Roster;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Mutex;

/// The roster as it was read last.
pub(crate) struct Recent {
    fresh: Duration,
    roster: Mutex<Option<(Instant, Arc<Roster>)>>,
}

impl Recent {
    /// One that is believed for so long.
    pub(crate) fn lasting(fresh: Duration) -> Arc<Self> {
        Arc::new(Self {
            fresh,
            roster: Mutex::default(),
        })
    }
}

impl Table {
    /// What may be known of the targets, as it was half a minute ago at most, unless configured otherwise: whoever makes a
    /// file need not read one row that everybody reads. A file that does not get a replica at a target because of that gets
    /// it from the reconciler, which begins a pass two minutes after the targets have changed.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn recent_roster(&self) -> Result<Arc<Roster>, StoreError> {
        let mut recent = self.recent.roster.lock().await;
        if let Some((at, roster)) = &*recent
            && at.elapsed() < self.recent.fresh
        {
            return Ok(Arc::clone(roster));
        }
        let at = Instant::now();
        let roster = Arc::new(self.roster().await?.roster);
        *recent = Some((at, Arc::clone(&roster)));
        Ok(roster)
    }
}
