//! What all connections share.

use crate::disk::Disk;
use crate::faults::Faults;
use crate::operation::Operation;
use crate::settings::Settings;
use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

/// What all connections share.
pub(crate) struct Service {
    pub(crate) settings: Settings,
    pub(crate) admin_token: String,
    pub(crate) disk: Arc<Disk>,
    pub(crate) faults: Arc<Faults>,
    /// How many requests there were of each operation.
    requests: Mutex<BTreeMap<&'static str, u64>>,
}

impl Service {
    pub(crate) fn new(settings: Settings, admin_token: String) -> io::Result<Self> {
        Ok(Self {
            disk: Arc::new(Disk::open(&settings.folder)?),
            settings,
            admin_token,
            faults: Arc::default(),
            requests: Mutex::default(),
        })
    }

    /// How many requests there were of each operation.
    pub(crate) fn requests(&self) -> BTreeMap<&'static str, u64> {
        self.requests
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Counts a request.
    pub(crate) fn count(&self, operation: Option<Operation>) {
        let mut requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        let name = operation.map_or("unknown", Operation::name);
        *requests.entry(name).or_default() += 1;
    }
}
